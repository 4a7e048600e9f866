package hand

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// Features is how many numbers Feel gives.
const Features = 20

// feltEffort is the gripper's effort that is felt as 1, N.
const feltEffort = 15

// Feel gives what a learned policy is told of the body, each number about 1 in
// size: the arm's joints, the gripper and what it exerts, where the hand is, and
// the stroke. A policy and the demonstrations that it learns from take it from
// here, so that both mean the same.
func (a *Arm) Feel(s *robot.State, stroke *Stroke) (f [Features]float32) {
	h := a.Hand(&s.Position)
	sinRoll, cosRoll := math.Sincos(h.Roll)
	sinTurn, cosTurn := math.Sincos(a.Azimuth(h.Position()))
	limits := &a.desc.Joints[a.gripper].Limits
	opening := (h.Grip - limits.MinPosition) / (limits.MaxPosition - limits.MinPosition)
	values := []float64{
		s.Position[a.chain[0]], s.Position[a.chain[1]], s.Position[a.chain[2]], s.Position[a.chain[3]], h.Roll,
		opening, min(max(s.Effort[a.gripper]/feltEffort, -1), 1),
		5 * h.X, 5 * h.Y, 10 * h.Z, h.Tilt, sinRoll, cosRoll, sinTurn, cosTurn,
		toNumber(stroke.Any), toNumber(stroke.Down), 15 * stroke.Way[0], 15 * stroke.Way[1], 1,
	}
	for i := range f {
		f[i] = float32(values[i])
	}
	return f
}

func toNumber(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
