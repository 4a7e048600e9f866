package household

import (
	"cmp"
	"math"
	"slices"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// neighbour is what lies about at a place: its footprint in the place's frame.
type neighbour struct {
	at, half [2]float64
	top      float64
	name     string
}

// neighbours gives all things that are over the place, however they got there.
func neighbours(frame robot.Pose, p *layout.Place, scene *robot.Scene, self string) []neighbour {
	var found []neighbour
	back := frame.Orientation.Inverse()
	for i := range scene.Objects {
		o := &scene.Objects[i]
		if _, fixed := layout.FindPlace(o.Name); fixed || o.Name == self || o.Held {
			continue
		}
		at := back.Rotate(o.Pose.Position.Sub(frame.Position))
		turn := back.Mul(o.Pose.Orientation)
		n := neighbour{
			at:   [2]float64{at[0], at[1]},
			half: [2]float64{reachAlong(turn, o.Size, robot.Vec3{1, 0, 0}), reachAlong(turn, o.Size, robot.Vec3{0, 1, 0})},
			top:  topOf(o), name: o.Name,
		}
		if math.Abs(at[0])-n.half[0] < p.Depth/2 && math.Abs(at[1])-n.half[1] < p.Width/2 && at[2] > -0.05 {
			found = append(found, n)
		}
	}
	return found
}

// gap is the distance to something of these half extents there, below 0 when
// they overlap.
func (n *neighbour) gap(at, half [2]float64) float64 {
	x := math.Abs(at[0]-n.at[0]) - half[0] - n.half[0]
	y := math.Abs(at[1]-n.at[1]) - half[1] - n.half[1]
	return max(x, y)
}

func sortSpots(spots []spot) {
	slices.SortStableFunc(spots, func(a, b spot) int { return cmp.Compare(b.worth, a.worth) })
}
