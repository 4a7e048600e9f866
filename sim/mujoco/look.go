package mujoco

/*
#include "shim.h"
*/
import "C"

import "unsafe"

// More kinds that ID and Name know, of what is only seen.
const (
	Light    Kind = C.mjOBJ_LIGHT
	Material Kind = C.mjOBJ_MATERIAL
)

// What follows are windows onto how a model looks, writable. They are for the
// owner of a Model that nobody steps or renders meanwhile, and nil where there
// is no such thing.

// GeomColour is red, green, blue and opacity of a geom without a material.
func (m *Model) GeomColour(geom int) []float32 {
	return part(m, geom, int(m.h.c.ngeom), 4, (*float32)(m.h.c.geom_rgba))
}

// GeomSize is the size of a geom as its type means it. It changes what is seen
// and what touches, but no mass and no bounding volume: for geoms that are only
// seen.
func (m *Model) GeomSize(geom int) []float64 {
	return part(m, geom, int(m.h.c.ngeom), 3, (*float64)(m.h.c.geom_size))
}

// MaterialColour is red, green, blue and opacity of a material; they multiply
// its texture.
func (m *Model) MaterialColour(material int) []float32 {
	return part(m, material, int(m.h.c.nmat), 4, (*float32)(m.h.c.mat_rgba))
}

// SetGeomMaterial dresses a geom in another material.
func (m *Model) SetGeomMaterial(geom, material int) {
	if m.closed.Load() || geom < 0 || geom >= int(m.h.c.ngeom) || material < 0 || material >= int(m.h.c.nmat) {
		return
	}
	window(m.h.c.geom_matid, geom+1)[geom] = C.int(material)
}

// CameraFrame is the position, m, and the orientation, w x y z, of a fixed
// camera in its body's frame.
func (m *Model) CameraFrame(camera int) (position, orientation []float64) {
	n := int(m.h.c.ncam)
	return part(m, camera, n, 3, (*float64)(m.h.c.cam_pos)), part(m, camera, n, 4, (*float64)(m.h.c.cam_quat))
}

// CameraAngle is the angle that a camera's picture spans from top to bottom,
// degrees, one number.
func (m *Model) CameraAngle(camera int) []float64 {
	return part(m, camera, int(m.h.c.ncam), 1, (*float64)(m.h.c.cam_fovy))
}

// LightColour is the diffuse colour of a light, LightDirection where it shines.
func (m *Model) LightColour(light int) []float32 {
	return part(m, light, int(m.h.c.nlight), 3, (*float32)(m.h.c.light_diffuse))
}

// LightDirection is the direction in which a light shines, of length 1.
func (m *Model) LightDirection(light int) []float64 {
	return part(m, light, int(m.h.c.nlight), 3, (*float64)(m.h.c.light_dir))
}

// Headlight is the ambient and the diffuse colour of the light that moves with
// the camera.
func (m *Model) Headlight() (ambient, diffuse []float32) {
	if m.closed.Load() {
		return nil, nil
	}
	h := &m.h.c.vis.headlight
	return unsafe.Slice((*float32)(&h.ambient[0]), 3), unsafe.Slice((*float32)(&h.diffuse[0]), 3)
}

// Mocap gives the index of the body among those that are placed from outside,
// or -1.
func (m *Model) Mocap(body int) int {
	if m.closed.Load() || body < 0 || body >= int(m.h.c.nbody) {
		return -1
	}
	return int(window(m.h.c.body_mocapid, body+1)[body])
}

// part sees the entries of the i-th of n things, each of width numbers.
func part[T any](m *Model, i, n, width int, first *T) []T {
	if m.closed.Load() || i < 0 || i >= n {
		return nil
	}
	return unsafe.Slice(first, n*width)[i*width : (i+1)*width : (i+1)*width]
}

// MocapPose is the position and the orientation, w x y z, of a body that is
// placed from outside, writable; mocap is the index that Model.Mocap gives.
func (d *Data) MocapPose(mocap int) (position, orientation []float64) {
	if d.c == nil || mocap < 0 || mocap >= int(d.h.c.nmocap) {
		return nil, nil
	}
	p := unsafe.Slice((*float64)(d.c.mocap_pos), 3*mocap+3)[3*mocap:]
	q := unsafe.Slice((*float64)(d.c.mocap_quat), 4*mocap+4)[4*mocap:]
	return p, q
}
