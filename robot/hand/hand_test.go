package hand_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

func newArm(t testing.TB) (*hand.Arm, *robot.Description) {
	t.Helper()
	d := so101.Description()
	a, err := hand.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return a, d
}

// What Hand says of joints, Joints finds again from a step away.
func TestThereAndBack(t *testing.T) {
	a, d := newArm(t)
	random := rand.New(rand.NewPCG(1, 1))
	tried := 0
	for range 2000 {
		var q robot.Joints
		for i := range d.Joints {
			l := &d.Joints[i].Limits
			q[i] = l.MinPosition + 0.02*(l.MaxPosition-l.MinPosition) + 0.96*random.Float64()*(l.MaxPosition-l.MinPosition)
		}
		h := a.Hand(&q)
		if a.Radius(h.Position()) < 0.08 || math.Abs(h.Tilt) > 1.3 {
			continue // near the axis of the pan joint a direction outward says little
		}
		tried++
		from := q
		for i := range 5 {
			from[i] += 0.1 * (2*random.Float64() - 1)
		}
		got, off := a.Joints(h, &from)
		if off > 2e-4 {
			t.Fatalf("hand %+v: off by %g m from joints %v", h, off, q[:6])
		}
		back := a.Hand(&got)
		if back.Position().Sub(h.Position()).Norm() > 2e-4 || math.Abs(back.Tilt-h.Tilt) > 3e-3 || back.Roll != got[4] || back.Grip != h.Grip {
			t.Fatalf("hand %+v came back as %+v", h, back)
		}
	}
	if tried < 200 {
		t.Fatalf("only %d positions were tried", tried)
	}
}

func TestOutOfReach(t *testing.T) {
	a, d := newArm(t)
	home := d.Home()
	q, off := a.Joints(hand.Hand{X: 2, Z: 0.1}, &home)
	if off < 1 {
		t.Errorf("2 m away is %g m off", off)
	}
	for i := range d.Joints {
		if l := &d.Joints[i].Limits; !(q[i] >= l.MinPosition && q[i] <= l.MaxPosition) {
			t.Errorf("joint %s at %g", d.Joints[i].Name, q[i])
		}
	}
	h := a.Hand(&home)
	h.Roll, h.Grip = 100, -1
	if q, _ := a.Joints(h, &home); q[4] > d.Joints[4].Limits.MaxPosition || q[5] != 0 {
		t.Errorf("roll and gripper came out as %v", q[:6])
	}
}

func TestOtherRobotsAreRefused(t *testing.T) {
	for want, change := range map[string]func(*robot.Description){
		"no gripper":   func(d *robot.Description) { d.Gripper = "" },
		"revolute":     func(d *robot.Description) { d.Joints[2].Kind = robot.Prismatic },
		"roll":         func(d *robot.Description) { d.ToolLink = "shoulder_lift" },
		"does not lie": func(d *robot.Description) { d.Tool.Position = robot.Vec3{0.05, 0.03, 0} },
	} {
		d := so101.Description()
		change(d)
		if _, err := hand.New(d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, got %v", want, err)
		}
	}
}

func BenchmarkJoints(b *testing.B) {
	a, d := newArm(b)
	home := d.Home()
	h := a.Hand(&home)
	h.X, h.Z = h.X+0.02, h.Z-0.02
	b.ReportAllocs()
	for b.Loop() {
		a.Joints(h, &home)
	}
}
