package safety

import (
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// testArm has the proportions of an SO-101: six joints, a gripper, capsules
// along its links, a workspace whose floor is the table.
func testArm() *robot.Description {
	y, z, x := robot.Vec3{0, 1, 0}, robot.Vec3{0, 0, 1}, robot.Vec3{1, 0, 0}
	joint := func(name, parent string, axis, at robot.Vec3, low, high, home float64) robot.Joint {
		return robot.Joint{
			Name: name, Kind: robot.Revolute, Parent: parent, Axis: axis, Home: home,
			Origin: robot.Pose{Position: at, Orientation: robot.IdentityQuat},
			Limits: robot.Limits{MinPosition: low, MaxPosition: high, MaxVelocity: 2, MaxAcceleration: 10, MaxEffort: 2, MaxTemperature: 60},
		}
	}
	return &robot.Description{
		Name: "arm",
		Joints: []robot.Joint{
			joint("shoulder_pan", "", z, robot.Vec3{0, 0, 0.06}, -1.9, 1.9, 0),
			joint("shoulder_lift", "shoulder_pan", y, robot.Vec3{0, 0, 0.06}, -1.7, 1.7, -1),
			joint("elbow_flex", "shoulder_lift", y, robot.Vec3{0.116, 0, 0}, -1.6, 1.6, 1.2),
			joint("wrist_flex", "elbow_flex", y, robot.Vec3{0.135, 0, 0}, -1.6, 1.6, 0.8),
			joint("wrist_roll", "wrist_flex", x, robot.Vec3{0.06, 0, 0}, -2.7, 2.7, 0),
			joint("gripper", "wrist_roll", z, robot.Vec3{0.03, -0.02, 0}, -0.1, 1.7, 0.5),
		},
		Gripper: "gripper", ToolLink: "wrist_roll", Tool: robot.Pose{Position: robot.Vec3{0.09, 0, 0}, Orientation: robot.IdentityQuat},
		Capsules: []robot.Capsule{
			{A: robot.Vec3{0, 0, 0.02}, B: robot.Vec3{0, 0, 0.04}, Radius: 0.04},
			{Link: "shoulder_lift", A: robot.Vec3{0.01, 0, 0}, B: robot.Vec3{0.11, 0, 0}, Radius: 0.02},
			{Link: "elbow_flex", A: robot.Vec3{0.01, 0, 0}, B: robot.Vec3{0.13, 0, 0}, Radius: 0.02},
			{Link: "wrist_flex", A: robot.Vec3{0, 0, 0}, B: robot.Vec3{0.05, 0, 0}, Radius: 0.02},
			{Link: "wrist_roll", A: robot.Vec3{0.02, 0.015, 0}, B: robot.Vec3{0.09, 0.01, 0}, Radius: 0.008},
			{Link: "gripper", A: robot.Vec3{0, 0, 0}, B: robot.Vec3{0.06, 0, 0}, Radius: 0.008},
		},
		WorkspaceMin: robot.Vec3{-0.5, -0.5, 0}, WorkspaceMax: robot.Vec3{0.5, 0.5, 0.6},
	}
}

const tick = 10 * time.Millisecond

// rig drives Step with a robot that is where it was told to be.
type rig struct {
	t       *testing.T
	l       *Limits
	core    Core
	in      Input
	now     robot.Time
	command robot.Command
	verdict Verdict
	perfect bool // the joints follow the command at once
}

func newRig(t *testing.T, d *robot.Description, c Config) *rig {
	t.Helper()
	l, err := Compile(d, c)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, l: l, now: robot.Time(time.Second), perfect: true}
	r.in.State.Position = d.Home()
	return r
}

// step lets d pass, reads a fresh state and does one tick.
func (r *rig) step(d time.Duration) Verdict {
	r.now = r.now.Add(d)
	r.in.State.At = r.now
	return r.tick()
}

func (r *rig) tick() Verdict {
	r.core, r.command, r.verdict = Step(r.l, r.core, &r.in, r.now)
	if r.perfect && r.command.Enable {
		r.in.State.Position, r.in.State.Velocity = r.command.Position, r.command.Velocity
	}
	return r.verdict
}

// want makes a policy ask for q at velocity v, now.
func (r *rig) want(q, v robot.Joints) {
	at := r.now.Add(tick)
	r.in.Targets[robot.SourcePolicy] = Target{Issued: r.now, ObservedAt: r.now, Expires: at.Add(time.Second), Position: q, Velocity: v}
}

func (r *rig) expect(mode Mode, code Code) {
	r.t.Helper()
	if r.verdict.Mode != mode || r.verdict.Code != code {
		r.t.Fatalf("at %v: %v, %v (joint %d, health %v); want %v, %v", r.now, r.verdict.Mode, r.verdict.Code, r.verdict.Joint, r.verdict.Health, mode, code)
	}
}
