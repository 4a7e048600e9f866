package safety

import (
	"math"
	"testing"
	"time"

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

func TestYieldGivesUpNoMoreThanItMust(t *testing.T) {
	different := map[int]bool{}
	for lift := -1.2; lift < -0.9; lift += 0.0007 {
		m := testMotion(t, 0, 0)
		*m.from = reachDown(lift)
		m.speed[1] = 0.6
		m.steer(1, 0.7, 1)
		before := pose{q: m.from}
		share := func(k float64) robot.Joints {
			v := m.brake
			for i := range v {
				v[i] += k / 16 * (m.wish[i] - m.brake[i])
			}
			return v
		}
		want := 16
		for ; want > 0; want-- {
			if v := share(float64(want)); m.foresee(&v, &before) == 0 {
				break
			}
		}
		if want == 16 {
			continue // nothing to give up
		}
		expected := share(float64(want))
		wish := m.wish
		m.yield(&wish, &before)
		if math.Abs(m.wish[1]-expected[1]) > 1e-12 {
			t.Errorf("from lift %.4f the joint keeps %.4f rad/s, want %.4f (%d sixteenths)", lift, m.wish[1], expected[1], want)
		}
		different[want] = true
	}
	if len(different) < 3 {
		t.Errorf("only these shares were tried: %v", different)
	}
}

// narrow gives a rig in a corridor along x.
func narrow(t *testing.T, change func(*robot.Description)) *rig {
	t.Helper()
	d := testArm()
	d.WorkspaceMin[1], d.WorkspaceMax[1] = -0.1, 0.1
	change(d)
	r := newRig(t, d, DefaultConfig())
	r.step(tick)
	return r
}

func TestStopsBeforeEitherWall(t *testing.T) {
	for _, side := range []float64{1, -1} {
		r := narrow(t, func(*robot.Description) {})
		for range 100 {
			r.in.Targets[robot.SourceTeleop] = Target{Issued: r.now, ObservedAt: r.now, Expires: r.now.Add(time.Second), Velocity: robot.Joints{0: 2 * side}, ByVelocity: true}
			before := r.command
			r.step(tick)
			r.expect(Moving, OK)
			if change := math.Abs(r.command.Velocity[0] - before.Velocity[0]); change > 0.1+1e-9 {
				t.Fatalf("at %.3f rad the velocity changes by %g", r.command.Position[0], change)
			}
		}
		if pan := side * r.command.Position[0]; pan < 0.2 || pan > 0.6 || r.verdict.Limited&LimitWorkspace == 0 {
			t.Errorf("stands at %.3f rad, limited %b; want the wall of the corridor", r.command.Position[0], r.verdict.Limited)
		}
	}
}

func TestWheelsMoveNoCapsule(t *testing.T) {
	r := narrow(t, func(d *robot.Description) { d.Joints[0].Kind = robot.Wheel })
	for range 50 {
		r.in.Targets[robot.SourceTeleop] = Target{Issued: r.now, ObservedAt: r.now, Expires: r.now.Add(time.Second), Velocity: robot.Joints{0: 2}, ByVelocity: true}
		r.step(tick)
	}
	if r.command.Velocity[0] != 2 || r.verdict.Limited != 0 {
		t.Errorf("the wheel turns at %g rad/s, limited %b", r.command.Velocity[0], r.verdict.Limited)
	}
}

func TestGuardIsFalseOnlyForTheTickAtHand(t *testing.T) {
	passed, failed := 0, 0
	for lift := -1.1; lift < -0.8; lift += 0.001 {
		m := testMotion(t, 0, 0)
		*m.from = reachDown(lift)
		m.speed[1] = 2 // too fast for what is left
		m.steer(1, 2, 1)
		var at segments
		m.coast(&m.brake, 0, &at)
		before := pose{q: m.from}
		want := m.foresee(&m.wish, &before) == 0 || m.l.shape.check(&at, &before, 0) == 0
		if got := m.guard(); got != want {
			t.Fatalf("from lift %.3f guard gives %v, want %v", lift, got, want)
		}
		if want {
			passed++
		} else {
			failed++
		}
	}
	if passed == 0 || failed == 0 {
		t.Errorf("%d passed, %d failed: no edge was met", passed, failed)
	}
}
