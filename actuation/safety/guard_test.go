package safety

import (
	"math"
	"testing"

	"github.com/kuai-robot/kuai/robot"
)

// lowest gives the height of the lowest point of the moving capsules.
func (r *rig) lowest() float64 {
	var at segments
	r.l.shape.place(&r.command.Position, &at)
	low := math.Inf(1)
	for i := 1; i < len(r.l.shape.capsules); i++ {
		low = min(low, min(at[i][0][2], at[i][1][2])-r.l.shape.capsules[i].radius)
	}
	return low
}

// reachDown is a pose whose fingertips are close above the table, pointing down.
func reachDown(lift float64) robot.Joints {
	return robot.Joints{1: lift, 2: 1.3, 3: math.Pi/2 - lift - 1.3, 5: 0.3}
}

func TestGripperReachesTheTable(t *testing.T) {
	r := newRig(t, testArm(), DefaultConfig())
	r.step(tick)
	r.goTo(reachDown(-1.1), 200)
	start := r.lowest()
	for range 400 {
		// Down until the fingertips are 2 mm above the table.
		q := r.command.Position
		if gap := r.lowest() - 0.002; gap > 0 {
			q = reachDown(q[1] + min(0.01, gap))
		}
		r.want(q, robot.Joints{})
		r.step(tick)
	}
	if low := r.lowest(); low > 0.004 || start < 0.01 {
		t.Errorf("from %.4f m the fingertips got down to %.4f m above the table, want 0.002", start, low)
	}
}

func (r *rig) goTo(q robot.Joints, ticks int) {
	r.t.Helper()
	for range ticks {
		r.want(q, robot.Joints{})
		r.step(tick)
		if r.verdict.Mode != Moving {
			r.t.Fatalf("on the way to %v: %+v", q[:6], r.verdict)
		}
	}
}

func TestBlockedByTheTableWithoutAFault(t *testing.T) {
	r := newRig(t, testArm(), DefaultConfig())
	r.step(tick)
	r.goTo(reachDown(-1.1), 200)
	deep := reachDown(-1.1)
	deep[1], deep[3] = 0.9, 0.3
	var limited Limit
	for range 300 {
		r.want(deep, robot.Joints{})
		r.step(tick)
		r.expect(Moving, OK)
		limited |= r.verdict.Limited
		if low := r.lowest(); low < 0 {
			t.Fatalf("a capsule is %g m under the table", -low)
		}
	}
	if low := r.lowest(); low > 0.003 || limited&LimitWorkspace == 0 {
		t.Errorf("stands %.4f m above the table, limited %b; want within 3 mm", low, limited)
	}
	// It can slide along the table and come up again.
	deep[0] = 0.8
	for range 200 {
		r.want(deep, robot.Joints{})
		r.step(tick)
		r.expect(Moving, OK)
	}
	if pan := r.command.Position[0]; pan < 0.79 {
		t.Errorf("slid only to %.3f rad, want 0.8", pan)
	}
	r.goTo(reachDown(-1.2), 300)
	if off := r.command.Position[1] + 1.2; math.Abs(off) > 1e-6 {
		t.Errorf("came up only to %g", r.command.Position[1])
	}
}

func TestDoesNotHitItself(t *testing.T) {
	d := testArm()
	d.Joints[2].Limits.MaxPosition = 2.8 // folds the forearm onto the upper arm
	d.WorkspaceMin[2] = -0.5
	r := newRig(t, d, DefaultConfig())
	r.step(tick)
	folded := robot.Joints{1: -1, 2: 2.8, 3: 1}
	var limited Limit
	for i := range 600 {
		folded[0] = math.Sin(float64(i) / 100)
		r.want(folded, robot.Joints{})
		r.step(tick)
		r.expect(Moving, OK)
		limited |= r.verdict.Limited
		r.clear()
	}
	if limited&LimitCollision == 0 {
		t.Errorf("limited %b: the pose folds no finger onto the arm, choose another", limited)
	}
}

// clear fails when two capsules of a pair are nearer than the clearance.
func (r *rig) clear() {
	r.t.Helper()
	var at segments
	r.l.shape.place(&r.command.Position, &at)
	for _, p := range r.l.shape.pairs {
		if d := r.l.shape.distance(p.i, p.j, &at); d < r.l.shape.clearance {
			r.t.Fatalf("capsules %d and %d are %g m apart", p.i, p.j, d)
		}
	}
}

func TestContactThatBrakingCannotAvoidIsAFault(t *testing.T) {
	r := newRig(t, testArm(), DefaultConfig())
	r.step(tick)
	r.goTo(reachDown(-1.1), 200)
	// As if the arm had been let run at the table: no sequence of ticks gets there.
	r.core.velocity[1] = 2
	before := r.command
	for range 40 {
		r.core.velocity[1] = 2
		q := r.command.Position
		q[1] += 0.2
		r.want(q, robot.Joints{})
		before = r.command
		if r.step(tick); r.verdict.Mode == Fault {
			break
		}
	}
	r.expect(Fault, Contact)
	r.halted(before)
	if r.verdict.Limited&LimitWorkspace == 0 || r.verdict.Source != robot.SourceNone || r.verdict.Joint != -1 {
		t.Errorf("verdict %+v", r.verdict)
	}
	r.in.Reset = true
	r.step(tick)
	r.expect(Held, Engaging)
}

func TestWithoutCapsulesNothingIsGuarded(t *testing.T) {
	d := testArm()
	d.Capsules = nil
	r := newRig(t, d, DefaultConfig())
	r.step(tick)
	r.goTo(robot.Joints{1: 1.5, 2: 1.5}, 300)
	if r.command.Position[1] != 1.5 {
		t.Errorf("got to %v", r.command.Position)
	}
}
