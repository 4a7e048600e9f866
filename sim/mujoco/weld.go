package mujoco

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"

	"github.com/kuai-robot/kuai/robot"
)

// Equality is the kind of constraints between bodies that ID and Name know.
const Equality Kind = C.mjOBJ_EQUALITY

// Where a weld's numbers lie in a model's eq_data (mjmodel.h): the anchor in the
// second body, then the pose of the second body in the first.
const (
	weldAnchor = 0
	weldPose   = 3
	weldTorque = 10
)

// SetWeld makes the weld called for by index hold its second body at pose in the
// first one's frame, from the next step on. The model is that of d and of no
// other state: the pose is kept in it.
func (d *Data) SetWeld(m *Model, weld int, pose robot.Pose) error {
	if err := d.weld(weld); err != nil {
		return err
	}
	if m.closed.Load() || m.h != d.h {
		return fmt.Errorf("mujoco: weld %d: the model is not that of the data", weld)
	}
	numbers := window(d.h.c.eq_data, (weld+1)*C.mjNEQDATA)[weld*C.mjNEQDATA:]
	clear(numbers[weldAnchor:weldPose])
	for i, v := range pose.Position {
		numbers[weldPose+i] = C.mjtNum(v)
	}
	for i, v := range pose.Orientation {
		numbers[weldPose+3+i] = C.mjtNum(v)
	}
	numbers[weldTorque] = 1
	C.kuai_set_equality(d.c, C.int(weld), 1)
	return nil
}

// Release lets go what the weld holds.
func (d *Data) Release(weld int) error {
	if err := d.weld(weld); err != nil {
		return err
	}
	C.kuai_set_equality(d.c, C.int(weld), 0)
	return nil
}

// WeldForce gives the force that the weld exerted on its first body in the last
// step, in the world's frame, N; 0 when it holds nothing.
func (d *Data) WeldForce(weld int) (robot.Vec3, error) {
	if err := d.weld(weld); err != nil {
		return robot.Vec3{}, err
	}
	var force [3]C.double
	C.kuai_weld_force(d.c, C.int(weld), &force[0])
	return vec(force), nil
}

func (d *Data) weld(weld int) error {
	if d.c == nil {
		return ErrClosed
	}
	if n := int(d.h.c.neq); weld < 0 || weld >= n {
		return fmt.Errorf("mujoco: there is no weld %d among %d equalities", weld, n)
	}
	if window(d.h.c.eq_type, weld+1)[weld] != C.mjEQ_WELD {
		return fmt.Errorf("mujoco: equality %d is not a weld", weld)
	}
	return nil
}
