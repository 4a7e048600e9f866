package expert

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// handShape is what the description's capsules say of the hand, measured from
// the tool point along the directions it closes, lies across and approaches in, m.
type handShape struct {
	// thick is how far a finger reaches outward from its pad, wide how far to
	// either side, tip how far beyond the tool point.
	thick, wide, tip float64
	// The palm reaches palmClosing and palmWide to either side, and begins
	// palmBack behind the tool point.
	palmClosing, palmWide, palmBack float64
}

// Used where a description has no capsules for the fingers or the palm.
const (
	guessFinger = 0.01
	guessPalm   = 0.03
)

// findShape reads the hand off the capsules of the tool link and the gripper.
func (a *arm) findShape() {
	s := handShape{palmBack: math.Inf(1)}
	across := a.approach.Cross(a.closing)
	mount := a.desc.Joints[a.gripper].Origin
	for _, c := range a.desc.Capsules {
		for _, end := range []robot.Vec3{c.A, c.B} {
			switch c.Link {
			case a.desc.Gripper:
				p := mount.Orientation.Rotate(end)
				s.thick = max(s.thick, math.Abs(p.Dot(a.closing))+c.Radius)
				s.wide = max(s.wide, math.Abs(p.Dot(across))+c.Radius)
				s.tip = max(s.tip, mount.Transform(end).Sub(a.desc.Tool.Position).Dot(a.approach)+c.Radius)
			case a.desc.ToolLink:
				p := end.Sub(a.desc.Tool.Position)
				s.palmClosing = max(s.palmClosing, math.Abs(p.Dot(a.closing))+c.Radius)
				s.palmWide = max(s.palmWide, math.Abs(p.Dot(across))+c.Radius)
				s.palmBack = min(s.palmBack, -p.Dot(a.approach)-c.Radius)
			}
		}
	}
	if s.thick == 0 {
		s.thick, s.wide, s.tip = guessFinger, guessFinger, guessFinger
	}
	if math.IsInf(s.palmBack, 1) {
		s.palmClosing, s.palmWide, s.palmBack = guessPalm, guessPalm, guessPalm
	}
	a.shape = s
}

// parts gives what the fingers, apart by twice the gripper's position, and the
// palm cover when the hand is at r. They stand upright: the lean of a hand
// counts only in how far back its palm is.
func (a *arm) parts(r reach, gripper float64) [3]footprint {
	s := &a.shape
	sy, cy := math.Sincos(r.yaw)
	out := gripper + s.thick/2
	low, high := r.position[2]-s.tip, r.position[2]+s.palmBack
	finger := func(side float64) footprint {
		return footprint{
			x: r.position[0] + side*out*cy, y: r.position[1] + side*out*sy,
			halfX: s.thick / 2, halfY: s.wide, yaw: r.yaw, bottom: low, top: high,
		}
	}
	radius, azimuth := a.polar(r.position)
	back := a.fromPolar(radius-s.palmBack*math.Sin(r.tilt), azimuth, 0)
	const tall = 0.1 // the palm and the wrist behind it
	palm := footprint{
		x: back[0], y: back[1], halfX: s.palmClosing, halfY: s.palmWide, yaw: r.yaw,
		bottom: r.position[2] + s.palmBack*math.Cos(r.tilt), top: high + tall,
	}
	return [3]footprint{finger(1), finger(-1), palm}
}

// lowest gives how far the hand at r reaches below the tool point with its
// fingers apart by twice gripper.
func (a *arm) lowest(r reach, gripper float64) float64 {
	h, _ := a.handFor(r)
	return a.shape.tip + math.Abs(h.closing[2])*(gripper+a.shape.thick)
}
