package expert

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kuai-robot/kuai/robot"
)

// bench is an arm that no simulator models: the packages' tests that need no
// physics use it, so that what they find is about the mathematics.
func bench() *robot.Description {
	limits := func(low, high float64) robot.Limits {
		return robot.Limits{MinPosition: low, MaxPosition: high, MaxVelocity: 3, MaxAcceleration: 20, MaxEffort: 3, MaxTemperature: 70}
	}
	joint := func(name, parent string, at robot.Vec3, axis robot.Vec3, low, high, home float64) robot.Joint {
		return robot.Joint{Name: name, Kind: robot.Revolute, Parent: parent, Axis: axis, Home: home, Limits: limits(low, high),
			Origin: robot.Pose{Position: at, Orientation: robot.IdentityQuat}}
	}
	d := &robot.Description{Name: "bench", Gripper: "jaw", ToolLink: "roll", Joints: []robot.Joint{
		joint("pan", "", robot.Vec3{0.04, 0, 0.06}, robot.Vec3{0, 0, 1}, -1.9, 1.9, 0),
		joint("lift", "pan", robot.Vec3{0.03, 0, 0.055}, robot.Vec3{0, 1, 0}, -1.75, 1.75, -0.6),
		joint("elbow", "lift", robot.Vec3{0.028, 0, 0.1126}, robot.Vec3{0, 1, 0}, -1.7, 1.7, 0.8),
		joint("flex", "elbow", robot.Vec3{0.1349, 0, 0.005}, robot.Vec3{0, 1, 0}, -1.65, 1.65, 1.2),
		joint("roll", "flex", robot.Vec3{0.061, 0, 0}, robot.Vec3{1, 0, 0}, -2.8, 2.8, 0),
		joint("jaw", "roll", robot.Vec3{0.03, 0, 0}, robot.Vec3{0, 1, 0}, 0, 0.04, 0.02),
	}}
	d.Joints[5].Kind = robot.Prismatic
	d.Capsules = []robot.Capsule{
		{Link: "roll", A: robot.Vec3{0.02, -0.025, 0}, B: robot.Vec3{0.02, 0.025, 0}, Radius: 0.018},
		{Link: "jaw", A: robot.Vec3{0, 0.004, 0}, B: robot.Vec3{0.068, 0.004, 0}, Radius: 0.008},
	}
	d.Tool = robot.Pose{Position: robot.Vec3{0.098, 0, 0}, Orientation: robot.IdentityQuat}
	return d
}

func benchArm(t testing.TB) *arm {
	t.Helper()
	d := bench()
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	a, err := newArm(d)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// reachOf reads a reach off a position of the joints; ok when the fingers
// point down more than sideways, above the table, in front of the arm rather
// than over its back.
func (a *arm) reachOf(q *robot.Joints) (reach, bool) {
	var poses [robot.MaxJoints]robot.Pose
	h := a.at(q, poses[:len(a.desc.Joints)])
	_, azimuth := a.polar(h.position)
	s, c := math.Sincos(azimuth)
	out := h.approach.Dot(robot.Vec3{c, s, 0})
	r := reach{position: h.position, tilt: math.Atan2(out, -h.approach[2]), yaw: math.Atan2(h.closing[1], h.closing[0])}
	return r, math.Abs(r.tilt) < 1 && h.position[2] > 0 && math.Abs(azimuth-q[a.chain[0]]) < 0.1
}

func TestSolveFindsWhatTheArmCanDo(t *testing.T) {
	a := benchArm(t)
	rng := rand.New(rand.NewPCG(1, 2))
	home := a.desc.Home()
	tried, missed := 0, 0
	for tried < 2000 {
		var q robot.Joints
		for _, i := range a.chain {
			q[i] = a.lower[i] + rng.Float64()*(a.upper[i]-a.lower[i])
		}
		r, ok := a.reachOf(&q)
		if !ok {
			continue
		}
		tried++
		found, ok := a.solve(r, &home)
		if !ok {
			missed++
			continue
		}
		var poses [robot.MaxJoints]robot.Pose
		h := a.at(&found, poses[:len(a.desc.Joints)])
		want, _ := a.handFor(r)
		if gap := h.position.Sub(want.position).Norm(); gap > 2*ikPosition {
			t.Fatalf("reach %+v: the hand is %.2g m away at %v", r, gap, found[:6])
		}
		if along := h.approach.Dot(want.approach); along < math.Cos(0.02) {
			t.Fatalf("reach %+v: the fingers point along %v, want %v", r, h.approach, want.approach)
		}
		for _, i := range a.chain {
			if l := a.desc.Joints[i].Limits; found[i] < l.MinPosition || found[i] > l.MaxPosition {
				t.Fatalf("reach %+v: joint %d at %g is outside of its limits", r, i, found[i])
			}
		}
	}
	if missed > tried/100 {
		t.Errorf("%d of %d reachable targets were not found", missed, tried)
	}
}

func TestSolveRefusesWhatIsOutOfReach(t *testing.T) {
	a := benchArm(t)
	home := a.desc.Home()
	for _, r := range []reach{
		{position: robot.Vec3{0.8, 0, 0.05}},
		{position: robot.Vec3{-0.3, 0, 0.02}},
		{position: robot.Vec3{0.43, 0, 0.02}}, // only with the fingers level
	} {
		if q, ok := a.solve(r, &home); ok {
			t.Errorf("reach %+v: solved at %v", r, q[:6])
		}
	}
}

func BenchmarkSolve(b *testing.B) {
	a := benchArm(b)
	home := a.desc.Home()
	for b.Loop() {
		a.solve(reach{position: robot.Vec3{0.25, 0.1, 0.02}, yaw: 0.7}, &home)
	}
}

func BenchmarkSolveOutOfReach(b *testing.B) {
	a := benchArm(b)
	home := a.desc.Home()
	for b.Loop() {
		a.solve(reach{position: robot.Vec3{0.6, 0.1, 0.02}, yaw: 0.7}, &home)
	}
}
