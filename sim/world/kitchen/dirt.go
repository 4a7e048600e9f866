package kitchen

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// How soiled a surface is.
const (
	dirtCells  = 8
	dirtStart  = 0.6
	dirtColour = "0.35 0.25 0.12 1"
	pressedM   = 0.006 // that the sponge may be above the surface
	spongeName = "sponge"
)

// dirt says of each surface which of its cells are clean.
type dirt struct {
	clean map[string]*[dirtCells]bool
	geoms map[string]*[dirtCells]int
}

func dirtName(p *layout.Place, cell int) string { return fmt.Sprintf("%s dirt %d", p.Name, cell) }

// cellAt gives the middle of a cell in the frame of the surface.
func cellAt(p *layout.Place, cell int) [2]float64 {
	const wide = layout.StripWidth / dirtCells
	return [2]float64{-p.Depth/2 + layout.StripM/2, wide * (float64(cell) + 0.5 - dirtCells/2.0)}
}

func newDirt(m *mujoco.Model) (dirt, error) {
	d := dirt{clean: map[string]*[dirtCells]bool{}, geoms: map[string]*[dirtCells]int{}}
	places := layout.Places()
	for i := range places {
		p := &places[i]
		if p.Kind != layout.Surface {
			continue
		}
		d.clean[p.Name], d.geoms[p.Name] = &[dirtCells]bool{}, &[dirtCells]int{}
		for cell := range dirtCells {
			var err error
			if d.geoms[p.Name][cell], err = m.ID(mujoco.Geom, dirtName(p, cell)); err != nil {
				return d, err
			}
		}
	}
	return d, nil
}

// of gives how soiled a surface is, 0 to 1.
func (d *dirt) of(name string) float64 {
	cells, ok := d.clean[name]
	if !ok {
		return 0
	}
	left := 0
	for _, clean := range cells {
		if !clean {
			left++
		}
	}
	return dirtStart * float64(left) / dirtCells
}

// wipe cleans the cells that the held sponge is pressed on.
func (s *simulation) wipe() {
	if s.hold.what < 0 || s.things[s.hold.what].Kind != spongeName {
		return
	}
	sponge := s.pose(s.hold.what)
	size := s.things[s.hold.what].Size
	bottom := sponge.Position[2] - reachUp(sponge.Orientation, size)
	places := layout.Places()
	for i := range places {
		p := &places[i]
		if p.Kind != layout.Surface || math.Abs(bottom-p.Floor) > pressedM {
			continue
		}
		frame := p.Frame(0)
		at := frame.Orientation.Inverse().Rotate(sponge.Position.Sub(frame.Position))
		for cell := range dirtCells {
			c := cellAt(p, cell)
			if !s.dirt.clean[p.Name][cell] && math.Abs(at[0]-c[0]) <= size[1]/2 && math.Abs(at[1]-c[1]) <= size[1]/2 {
				s.dirt.clean[p.Name][cell] = true
				s.model.GeomColour(s.dirt.geoms[p.Name][cell])[3] = 0
			}
		}
	}
}

// reachUp is how far a box reaches above its middle when it is turned.
func reachUp(turn robot.Quat, size robot.Vec3) float64 {
	up := turn.Inverse().Rotate(robot.Vec3{0, 0, 1})
	return (math.Abs(up[0])*size[0] + math.Abs(up[1])*size[1] + math.Abs(up[2])*size[2]) / 2
}
