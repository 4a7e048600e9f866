package world

import (
	"math"
	"math/rand/v2"

	"github.com/kuai-robot/kuai/robot"
)

// stand gives the pose of each slot's object: on the table, on what supports
// it, or beside the others in a bowl.
// tableM is the table's height.
func stand(random *rand.Rand, slots []slot, tableM float64) []robot.Pose {
	poses := make([]robot.Pose, len(slots))
	inside := make([]int, len(slots))
	total := make([]int, len(slots))
	for i := range slots {
		if slots[i].in {
			total[slots[i].support]++
		}
	}
	for i := range slots {
		s, o := &slots[i], &things[slots[i].thing]
		yaw := math.Pi / 4 * (2*random.Float64() - 1)
		at := robot.Vec3{s.at[0], s.at[1], tableM + o.Size[2]/2}
		switch {
		case o.fixed:
			poses[i] = o.face(s.at, fixtureTurn*yaw/(math.Pi/4), tableM)
			continue
		case o.Kind == kindBowl:
			yaw = 0
		case s.in:
			var offset robot.Vec3
			offset, yaw = beside(inside[s.support], total[s.support], yaw)
			inside[s.support]++
			bottom := poses[s.support].Position.Sub(robot.Vec3{0, 0, bowlHeight / 2})
			at = bottom.Add(offset).Add(robot.Vec3{0, 0, bowlFloor + o.Size[2]/2})
		case s.support >= 0:
			under := &things[slots[s.support].thing]
			at = poses[s.support].Position.Add(robot.Vec3{0, 0, (under.Size[2] + o.Size[2]) / 2})
		}
		poses[i] = robot.Pose{Position: at, Orientation: robot.AxisAngle(robot.Vec3{0, 0, 1}, yaw)}
	}
	return poses
}

// beside spreads n blocks in a bowl: the offset of the i-th from the middle,
// and its yaw.
func beside(i, n int, yaw float64) (robot.Vec3, float64) {
	if n == 1 {
		return robot.Vec3{}, yaw
	}
	radius := []float64{0, 0, 0.018, 0.021, 0.0275}[min(n, 4)]
	angle := 2 * math.Pi * float64(i) / float64(n)
	sin, cos := math.Sincos(angle)
	return robot.Vec3{radius * cos, radius * sin, 0.002}, angle
}

// hide parks the fixtures that are not in the scene, and puts the table and what
// stands about where the episode has them.
func (w *World) hide(s *simulation) {
	if w.looks == nil {
		return
	}
	w.looks.arrange(s.data, w.parts.tableTop, &w.look)
	for i := range w.things {
		if things[i].fixed && !s.present[i] {
			s.put(&w.parts, i, robot.Pose{Position: things[i].parked, Orientation: robot.IdentityQuat})
		}
	}
}
