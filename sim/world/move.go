package world

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// Move puts a thing somewhere else on the table, as a person's hand would: what
// is held stays where it is, and so does what stands where the thing should go.
// It says whether it moved.
func (w *World) Move(name string, at [2]float64) (bool, error) {
	i := thingNamed(name)
	if i < 0 || i >= len(w.things) {
		return false, fmt.Errorf("world: move: there is no %q here", name)
	}
	if scene := w.Scene(); blocks(scene, i, at) {
		return false, nil
	}
	w.machine.Lock()
	defer w.machine.Unlock()
	if err := w.machine.Usable(); err != nil {
		return false, err
	}
	if !w.live.present[i] {
		return false, nil
	}
	pose, _ := w.live.pose(&w.parts, i)
	if things[i].fixed {
		pose = things[i].face(at, 0, w.look.tableM)
	} else {
		pose.Position = robot.Vec3{at[0], at[1], w.look.tableM + things[i].Size[2]/2 + clearance}
		clear(w.live.data.QVel()[w.parts.dof[i] : w.parts.dof[i]+6])
	}
	w.live.put(&w.parts, i, pose)
	return true, nil
}

// blocks says whether thing i is in a hand, in something, or would not fit at
// the place.
func blocks(scene *robot.Scene, i int, at [2]float64) bool {
	for k := range scene.Objects {
		o := &scene.Objects[k]
		if o.Name == things[i].Name {
			if o.Held {
				return true
			}
			continue
		}
		if o.On == things[i].Name || o.In == things[i].Name {
			return true
		}
		j := thingNamed(o.Name)
		if math.Hypot(o.Pose.Position[0]-at[0], o.Pose.Position[1]-at[1]) < max(things[i].radius()+things[j].radius(), distance(i, j)-0.02) {
			return true
		}
	}
	return false
}
