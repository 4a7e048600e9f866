package kitchen

import (
	"fmt"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// Move puts a thing onto a surface nearest to a point of the floor, as a person's
// hand would: what is held stays where it is. It says whether it moved.
func (w *World) Move(name string, at [2]float64) (bool, error) {
	w.machine.Lock()
	defer w.machine.Unlock()
	if err := w.machine.Usable(); err != nil {
		return false, err
	}
	for i, t := range w.live.things {
		if t.Name != name {
			continue
		}
		if w.live.hold.what == i {
			return false, nil
		}
		pose := w.live.pose(i)
		pose.Position = robot.Vec3{at[0], at[1], heightAt(at) + t.Size[2]/2 + 0.002}
		w.live.put(i, pose)
		// Moving wakes it up.
		w.live.data.QVel()[w.live.parts.dof[i]+2] = -0.01
		return true, nil
	}
	return false, fmt.Errorf("kitchen: move: there is no %q here", name)
}

// heightAt is the height on which things rest there.
func heightAt(at [2]float64) float64 {
	places := layout.Places()
	for i := range places {
		frame := places[i].Frame(0)
		p := frame.Orientation.Inverse().Rotate(robot.Vec3{at[0], at[1], 0}.Sub(frame.Position))
		if max(p[0], -p[0]) <= places[i].Depth/2 && max(p[1], -p[1]) <= places[i].Width/2 {
			return places[i].Floor
		}
	}
	return 0
}
