package mujoco

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"
)

// ErrClosed is returned by methods of what was closed.
var ErrClosed = errors.New("mujoco: closed")

// maxModelBytes bounds the text that Load parses.
const maxModelBytes = 16 << 20

// Kind is what a name in a model belongs to.
type Kind int

// The kinds that ID and Name know.
const (
	Body     Kind = C.mjOBJ_BODY
	Joint    Kind = C.mjOBJ_JOINT
	Geom     Kind = C.mjOBJ_GEOM
	Site     Kind = C.mjOBJ_SITE
	Camera   Kind = C.mjOBJ_CAMERA
	Actuator Kind = C.mjOBJ_ACTUATOR
	Sensor   Kind = C.mjOBJ_SENSOR
)

var kindNames = map[Kind]string{
	Body: "body", Joint: "joint", Geom: "geom", Site: "site", Camera: "camera", Actuator: "actuator", Sensor: "sensor",
	Equality: "equality",
}

// String names the kind as MJCF does.
func (k Kind) String() string { return kindNames[k] }

// message is where the shim writes an error or warning.
type message [C.KUAI_MESSAGE]C.char

func (m *message) c() *C.char { return &m[0] }

func (m *message) String() string { return C.GoString(m.c()) }

var install = sync.OnceFunc(func() { C.kuai_install() })

// Version gives the version of the library, "3.17.0".
func Version() string { return C.GoString(C.mj_versionString()) }

// handle counts those who use a C model, so that closing in any order is safe.
type handle struct {
	c    *C.mjModel
	refs atomic.Int32
}

func (h *handle) release() {
	if h.refs.Add(-1) == 0 {
		C.mj_deleteModel(h.c)
	}
}

// Model is a compiled MJCF model.
type Model struct {
	h      *handle
	closed atomic.Bool
}

// Load compiles MJCF text. The error says what MuJoCo found wrong and where.
func Load(xml []byte) (*Model, error) {
	install()
	if len(xml) > maxModelBytes {
		return nil, fmt.Errorf("mujoco: model of %d bytes, at most %d", len(xml), maxModelBytes)
	}
	if bytes.IndexByte(xml, 0) >= 0 {
		return nil, errors.New("mujoco: the model contains a zero byte: this is not XML text")
	}
	text := C.CString(string(xml))
	defer C.free(unsafe.Pointer(text))
	var c *C.mjModel
	var why message
	if C.kuai_load(text, &c, why.c()) != 0 {
		return nil, fmt.Errorf("mujoco: load model: %s", why.String())
	}
	return newModel(c), nil
}

func newModel(c *C.mjModel) *Model {
	m := &Model{h: &handle{c: c}}
	m.h.refs.Store(1)
	return m
}

// Copy gives a model of its own, with switches of its own.
func (m *Model) Copy() (*Model, error) {
	if m.closed.Load() {
		return nil, ErrClosed
	}
	var c *C.mjModel
	var why message
	if C.kuai_copy_model(m.h.c, &c, why.c()) != 0 {
		return nil, fmt.Errorf("mujoco: copy model: %s", why.String())
	}
	return newModel(c), nil
}

// Close lets go of the model; Data made from it stay usable.
func (m *Model) Close() error {
	if m.closed.CompareAndSwap(false, true) {
		m.h.release()
	}
	return nil
}

// ID gives the index of what is called name, or an error.
func (m *Model) ID(kind Kind, name string) (int, error) {
	if m.closed.Load() {
		return -1, ErrClosed
	}
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	id := int(C.mj_name2id(m.h.c, C.int(kind), text))
	if id < 0 {
		return -1, fmt.Errorf("mujoco: the model has no %s called %q", kind, name)
	}
	return id, nil
}

// Name gives the name of the id-th of kind; empty when it has none or there is
// no such thing.
func (m *Model) Name(kind Kind, id int) string {
	if m.closed.Load() || id < 0 {
		return ""
	}
	name := C.mj_id2name(m.h.c, C.int(kind), C.int(id))
	if name == nil {
		return ""
	}
	return C.GoString(name)
}

// Count gives how many of kind there are.
func (m *Model) Count(kind Kind) int {
	if m.closed.Load() {
		return 0
	}
	c := m.h.c
	switch kind {
	case Body:
		return int(c.nbody)
	case Joint:
		return int(c.njnt)
	case Geom:
		return int(c.ngeom)
	case Site:
		return int(c.nsite)
	case Camera:
		return int(c.ncam)
	case Actuator:
		return int(c.nu)
	case Sensor:
		return int(c.nsensor)
	}
	return 0
}

// JointAddress gives where the joint's numbers begin in QPos and in QVel; -1
// when there is no such joint.
func (m *Model) JointAddress(joint int) (qpos, dof int) {
	if joint < 0 || joint >= m.Count(Joint) {
		return -1, -1
	}
	return int(window(m.h.c.jnt_qposadr, joint+1)[joint]), int(window(m.h.c.jnt_dofadr, joint+1)[joint])
}

// GeomBody gives the body that the geom is part of, or -1.
func (m *Model) GeomBody(geom int) int {
	if geom < 0 || geom >= m.Count(Geom) {
		return -1
	}
	return int(window(m.h.c.geom_bodyid, geom+1)[geom])
}

// Timestep gives the length of a step, s; 0 when closed.
func (m *Model) Timestep() float64 {
	if m.closed.Load() {
		return 0
	}
	return float64(m.h.c.opt.timestep)
}

// SetActuation turns every actuator on or off; off, joints are limp.
func (m *Model) SetActuation(on bool) {
	if m.closed.Load() {
		return
	}
	if on {
		m.h.c.opt.disableflags &^= C.mjDSBL_ACTUATION
	} else {
		m.h.c.opt.disableflags |= C.mjDSBL_ACTUATION
	}
}

// window sees n elements of C memory as a slice.
func window[T any](p *T, n int) []T { return unsafe.Slice(p, n) }
