package world

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// Spot is where something shows in a picture.
type Spot struct {
	// X and Y are shares of the picture's width and height, from its top left.
	X, Y float64
	// Scale is the share of the picture's height that 1 m spans there.
	Scale float64
}

// Project gives where a point of the base frame shows in the picture that the
// camera takes now, which is aspect times as wide as high; ok is false when it
// shows nowhere. Something may stand before it.
func (w *World) Project(camera string, aspect float64, point robot.Vec3) (s Spot, ok bool) {
	id, known := w.parts.cameras[camera]
	if !known || !(aspect > 0) {
		return Spot{}, false
	}
	w.machine.Lock()
	if w.machine.Usable() != nil {
		w.machine.Unlock()
		return Spot{}, false
	}
	eye, fovy := w.live.data.CameraView(id)
	w.machine.Unlock()
	return Show(eye, fovy, aspect, point)
}

// Show is Project for a camera at eye that sees fovy, rad, from top to bottom.
func Show(eye robot.Pose, fovy, aspect float64, point robot.Vec3) (s Spot, ok bool) {
	seen := eye.Orientation.Inverse().Rotate(point.Sub(eye.Position))
	depth := -seen[2]
	if depth <= 0 {
		return Spot{}, false
	}
	scale := 1 / (2 * math.Tan(fovy/2) * depth)
	s = Spot{X: 0.5 + seen[0]*scale/aspect, Y: 0.5 - seen[1]*scale, Scale: scale}
	return s, s.X >= 0 && s.X <= 1 && s.Y >= 0 && s.Y <= 1
}
