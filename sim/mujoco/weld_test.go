package mujoco_test

import (
	"math"
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
)

// A ball under a fixed hook, and a joint between two bodies that is no weld.
const hook = `<mujoco>
  <option timestep="0.005"/>
  <worldbody>
    <body name="hook" pos="0 0 2"><geom size="0.01" contype="0" conaffinity="0"/></body>
    <body name="ball" pos="0 0 1.7"><freejoint name="ball"/><geom size="0.05" mass="0.5"/></body>
    <body name="pin" pos="1 0 1"><joint name="pin" type="slide"/><geom size="0.01"/></body>
  </worldbody>
  <equality>
    <weld name="hook" body1="hook" body2="ball" active="false"/>
    <joint name="pin" joint1="pin"/>
  </equality>
</mujoco>`

func TestWeld(t *testing.T) {
	m, err := mujoco.Load([]byte(hook))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	d, err := m.NewData()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	weld, err := m.ID(mujoco.Equality, "hook")
	if err != nil {
		t.Fatal(err)
	}
	hang := robot.Pose{Position: robot.Vec3{0, 0, -0.3}, Orientation: robot.IdentityQuat}
	if err := d.SetWeld(m, weld, hang); err != nil {
		t.Fatal(err)
	}
	if err := d.Step(400); err != nil {
		t.Fatal(err)
	}
	if z := d.QPos()[2]; math.Abs(z-1.7) > 0.01 {
		t.Errorf("the ball hangs at %.3f m, want 1.7", z)
	}
	if force, err := d.WeldForce(weld); err != nil || math.Abs(force[2]+0.5*9.81) > 0.05 || math.Hypot(force[0], force[1]) > 0.05 {
		t.Errorf("the ball pulls by %v N (%v), want its weight", force, err)
	}
	if err := d.Release(weld); err != nil {
		t.Fatal(err)
	}
	if err := d.Step(40); err != nil {
		t.Fatal(err)
	}
	if z := d.QPos()[2]; z > 1.65 {
		t.Errorf("the ball was let go and is at %.3f m", z)
	}
	if force, err := d.WeldForce(weld); err != nil || force != (robot.Vec3{}) {
		t.Errorf("what is let go pulls by %v N (%v)", force, err)
	}
	pin, err := m.ID(mujoco.Equality, "pin")
	if err != nil {
		t.Fatal(err)
	}
	other, err := m.Copy()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if d.SetWeld(m, pin, hang) == nil || d.SetWeld(m, 2, hang) == nil || d.Release(-1) == nil || d.SetWeld(other, weld, hang) == nil {
		t.Error("a joint, an index out of range or another model is taken for a weld")
	}
}
