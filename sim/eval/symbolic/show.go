package symbolic

import (
	"slices"

	"github.com/kuai-robot/kuai/robot"
)

// Show gives scene as it would look in s, for those who go by facts alone: what
// is on, in, held, open and clean, and where the robot stands. Poses stay as they
// are.
func (s *State) Show(scene *robot.Scene) *robot.Scene {
	shown := *scene
	shown.Station = s.station
	shown.Objects = slices.Clone(scene.Objects)
	for i := range shown.Objects {
		o := &shown.Objects[i]
		switch o.Kind {
		case kindDrawer:
			o.Open = 0
			if s.open[o.Name] {
				o.Open = 1
			}
		case kindSurface:
			if s.clean[o.Name] {
				o.Dirt = 0
			}
		}
		at := s.where[o.Name]
		o.On, o.In, o.Held = "", "", s.held == o.Name
		if at.in {
			o.In = at.what
		} else {
			o.On = at.what
		}
	}
	return &shown
}
