package mujoco

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/kuai-robot/kuai/robot"
)

// maxContacts bounds what Contacts returns; a scene with more has gone wrong.
const maxContacts = 1024

// Data is one state of a model and all that follows from it.
type Data struct {
	h        *handle
	c        *C.mjData
	why      message
	contacts []C.kuai_contact
}

// Contact is one point where two geoms touch, or nearly do.
type Contact struct {
	Geom [2]int
	// Distance in m, negative when they overlap.
	Distance float64
	Position robot.Vec3
	// Normal points from Geom[0] to Geom[1], Force is what acts on Geom[1], N;
	// both in the world frame.
	Normal, Force robot.Vec3
}

// NewData gives a state of the model, at its initial configuration.
func (m *Model) NewData() (*Data, error) {
	if m.closed.Load() {
		return nil, ErrClosed
	}
	d := &Data{h: m.h}
	if C.kuai_make_data(m.h.c, &d.c, d.why.c()) != 0 {
		return nil, fmt.Errorf("mujoco: make data: %s", d.why.String())
	}
	m.h.refs.Add(1)
	return d, nil
}

// Close frees the state.
func (d *Data) Close() error {
	if d.c != nil {
		C.mj_deleteData(d.c)
		d.c = nil
		d.h.release()
	}
	return nil
}

// Step moves the simulation steps time steps on. An error means that the state
// is not to be trusted any more: MuJoCo's text says what diverged.
func (d *Data) Step(steps int) error {
	if d.c == nil {
		return ErrClosed
	}
	return d.error("step", C.kuai_step(d.h.c, d.c, C.int(steps), d.why.c()))
}

// Forward computes everything that follows from the state, without moving on.
func (d *Data) Forward() error {
	if d.c == nil {
		return ErrClosed
	}
	return d.error("forward", C.kuai_forward(d.h.c, d.c, d.why.c()))
}

// Kinematics computes the poses that follow from QPos and nothing else: enough
// to render.
func (d *Data) Kinematics() error {
	if d.c == nil {
		return ErrClosed
	}
	return d.error("kinematics", C.kuai_kinematics(d.h.c, d.c, d.why.c()))
}

func (d *Data) error(what string, failed C.int) error {
	if failed == 0 && d.why[0] == 0 {
		return nil
	}
	return fmt.Errorf("mujoco: %s at %.3f s: %s", what, d.Time(), d.why.String())
}

// Reset goes back to the model's initial configuration, at time 0.
func (d *Data) Reset() {
	if d.c != nil {
		C.mj_resetData(d.h.c, d.c)
	}
}

// CopyFrom makes d equal to from, which must be of the same model or a copy of
// it.
func (d *Data) CopyFrom(from *Data) error {
	if d.c == nil || from.c == nil {
		return ErrClosed
	}
	if d.h.c.signature != from.h.c.signature {
		return fmt.Errorf("mujoco: copy data: the two are of different models")
	}
	return d.error("copy", C.kuai_copy_data(d.c, d.h.c, from.c, d.why.c()))
}

// StateSize gives the length of what State writes.
func (d *Data) StateSize() int {
	if d.c == nil {
		return 0
	}
	return int(C.mj_stateSize(d.h.c, C.mjSTATE_INTEGRATION))
}

// State writes all that decides the future (time, positions, velocities,
// controls, warm start) into out, which holds StateSize numbers.
func (d *Data) State(out []float64) error {
	if d.c == nil {
		return ErrClosed
	}
	if n := d.StateSize(); len(out) != n {
		return fmt.Errorf("mujoco: state of %d numbers, want %d", len(out), n)
	}
	C.mj_getState(d.h.c, d.c, (*C.mjtNum)(unsafe.SliceData(out)), C.mjSTATE_INTEGRATION)
	return nil
}

// SetState brings back what State wrote and computes what follows from it.
func (d *Data) SetState(state []float64) error {
	if d.c == nil {
		return ErrClosed
	}
	if n := d.StateSize(); len(state) != n {
		return fmt.Errorf("mujoco: state of %d numbers, want %d", len(state), n)
	}
	C.mj_setState(d.h.c, d.c, (*C.mjtNum)(unsafe.SliceData(state)), C.mjSTATE_INTEGRATION)
	return nil
}

// Time gives the simulated time, s.
func (d *Data) Time() float64 {
	if d.c == nil {
		return 0
	}
	return float64(d.c.time)
}

// QPos is the position of every joint, writable.
func (d *Data) QPos() []float64 {
	return d.window(func() (*C.mjtNum, int) { return d.c.qpos, int(d.h.c.nq) })
}

// QVel is the velocity of every degree of freedom, writable.
func (d *Data) QVel() []float64 {
	return d.window(func() (*C.mjtNum, int) { return d.c.qvel, int(d.h.c.nv) })
}

// Ctrl is what the actuators are told, writable.
func (d *Data) Ctrl() []float64 {
	return d.window(func() (*C.mjtNum, int) { return d.c.ctrl, int(d.h.c.nu) })
}

// ActuatorForce is what each actuator exerted in the last step, N or N·m.
func (d *Data) ActuatorForce() []float64 {
	return d.window(func() (*C.mjtNum, int) { return d.c.actuator_force, int(d.h.c.nout) })
}

// SensorData is what the sensors read in the last step.
func (d *Data) SensorData() []float64 {
	return d.window(func() (*C.mjtNum, int) { return d.c.sensordata, int(d.h.c.nsensordata) })
}

func (d *Data) window(of func() (*C.mjtNum, int)) []float64 {
	if d.c == nil {
		return nil
	}
	p, n := of()
	return unsafe.Slice((*float64)(p), n)
}

// BodyPose gives the pose of a body in the world; the identity when there is
// no such body.
func (d *Data) BodyPose(body int) robot.Pose {
	if d.c == nil || body < 0 || body >= int(d.h.c.nbody) {
		return robot.IdentityPose
	}
	p, q := window(d.c.xpos, 3*body+3)[3*body:], window(d.c.xquat, 4*body+4)[4*body:]
	return robot.Pose{
		Position:    robot.Vec3{float64(p[0]), float64(p[1]), float64(p[2])},
		Orientation: robot.Quat{float64(q[0]), float64(q[1]), float64(q[2]), float64(q[3])},
	}
}

// SitePose gives the pose of a site in the world; the identity when there is no
// such site.
func (d *Data) SitePose(site int) robot.Pose {
	if d.c == nil || site < 0 || site >= int(d.h.c.nsite) {
		return robot.IdentityPose
	}
	p, r := window(d.c.site_xpos, 3*site+3)[3*site:], window(d.c.site_xmat, 9*site+9)[9*site:]
	var q [4]C.mjtNum
	C.mju_mat2Quat(&q[0], &r[0])
	return robot.Pose{
		Position:    robot.Vec3{float64(p[0]), float64(p[1]), float64(p[2])},
		Orientation: robot.Quat{float64(q[0]), float64(q[1]), float64(q[2]), float64(q[3])},
	}
}

// CameraView gives where a camera is in the world, which looks along its −z with
// y up, and the angle that its picture spans from top to bottom, rad; 0 when
// there is no such camera.
func (d *Data) CameraView(camera int) (pose robot.Pose, fovy float64) {
	if d.c == nil || camera < 0 || camera >= int(d.h.c.ncam) {
		return robot.IdentityPose, 0
	}
	p, r := window(d.c.cam_xpos, 3*camera+3)[3*camera:], window(d.c.cam_xmat, 9*camera+9)[9*camera:]
	var q [4]C.mjtNum
	C.mju_mat2Quat(&q[0], &r[0])
	return robot.Pose{
		Position:    robot.Vec3{float64(p[0]), float64(p[1]), float64(p[2])},
		Orientation: robot.Quat{float64(q[0]), float64(q[1]), float64(q[2]), float64(q[3])},
	}, float64(window(d.h.c.cam_fovy, camera+1)[camera]) * math.Pi / 180
}

// Contacts appends the contacts of the last step to out[:0] and returns it.
func (d *Data) Contacts(out []Contact) ([]Contact, error) {
	out = out[:0]
	if d.c == nil {
		return out, ErrClosed
	}
	n := min(int(d.c.ncon), maxContacts)
	if n == 0 {
		return out, nil
	}
	if cap(d.contacts) < n {
		d.contacts = make([]C.kuai_contact, n)
	}
	buffer := d.contacts[:n]
	if C.kuai_contacts(d.h.c, d.c, &buffer[0], C.int(n), d.why.c()) < 0 {
		return out, d.error("contacts", 1)
	}
	for i := range buffer {
		b := &buffer[i]
		out = append(out, Contact{
			Geom:     [2]int{int(b.geom[0]), int(b.geom[1])},
			Distance: float64(b.dist),
			Position: vec(b.pos),
			Normal:   vec(b.normal),
			Force:    vec(b.force),
		})
	}
	return out, nil
}

func vec(v [3]C.double) robot.Vec3 { return robot.Vec3{float64(v[0]), float64(v[1]), float64(v[2])} }
