package kitchen

import (
	"math"
	"strings"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// What counts as a relation.
const (
	restM     = 0.015 // between the bottom of a thing and what it rests on
	heapM     = 0.05  // that the middle of what is in a vessel may be above its rim
	fallSpeed = 0.15  // m/s
)

// Scene gives what is where: the places, then the things in the order that the
// seed gave. What the cup holds is held; what has its middle between the walls of
// a drawer, bin, basket or sink, and not far above the rim, is in it; what rests
// with its bottom on a surface, on the person's tray or on another thing is on
// that, and on the floor where it fell. Nothing is said of what is falling. A
// simulation that diverged, or was closed, has an empty scene.
func (w *World) Scene() *robot.Scene {
	w.machine.Lock()
	defer w.machine.Unlock()
	scene := &robot.Scene{At: w.machine.At(), By: world.By, Objects: []robot.Object{}}
	if w.machine.Usable() != nil {
		return scene
	}
	w.live.fill(scene)
	return scene
}

func (s *simulation) fill(scene *robot.Scene) {
	qpos, qvel := s.data.QPos(), s.data.QVel()
	base := func(joint int) float64 { return qpos[s.parts.joints.Position[joint]] }
	scene.Station = layout.StationOf(base(layout.BaseX), base(layout.BaseY), base(layout.BaseYaw))
	places := layout.Places()
	frames := make([]robot.Pose, len(places))
	for i := range places {
		p := &places[i]
		o := robot.Object{Name: p.Name, Kind: p.Kind, Confidence: 1, Dirt: s.dirt.of(p.Name), Open: s.open(p)}
		frames[i] = p.Frame(o.Open)
		o.Pose, o.Size = frames[i], robot.Vec3{p.Depth, p.Width, slabM}
		if p.Holds() {
			o.Size[2] = p.Rim - p.Floor
			if p.Kind != layout.Drawer {
				o.Open = 1
			}
		}
		o.Pose.Position[2] += o.Size[2] / 2
		if !p.Holds() {
			o.Pose.Position[2] -= slabM
		}
		scene.Objects = append(scene.Objects, o)
	}
	for i, t := range s.things {
		o := robot.Object{Name: t.Name, Kind: t.Kind, Colour: colourOf(t.Name), Pose: s.pose(i), Size: t.Size, Confidence: 1}
		speed := robot.Vec3(qvel[s.parts.dof[i]:][:3]).Norm()
		if o.Held = s.hold.what == i; !o.Held {
			o.On, o.In = s.where(i, speed, frames)
		}
		scene.Objects = append(scene.Objects, o)
	}
}

// where says what thing i is on or in.
func (s *simulation) where(i int, speed float64, frames []robot.Pose) (on, in string) {
	pose := s.pose(i)
	bottom := pose.Position[2] - reachUp(pose.Orientation, s.things[i].Size)
	places := layout.Places()
	for k := range places {
		p := &places[k]
		at := frames[k].Orientation.Inverse().Rotate(pose.Position.Sub(frames[k].Position))
		if math.Abs(at[0]) > p.Depth/2 || math.Abs(at[1]) > p.Width/2 {
			continue
		}
		switch {
		case p.Holds() && at[2] > 0 && pose.Position[2] < p.Rim+heapM:
			return "", p.Name
		case !p.Holds() && speed < fallSpeed && math.Abs(bottom-p.Floor) <= restM:
			return p.Name, ""
		}
	}
	if speed >= fallSpeed {
		return "", ""
	}
	for j, t := range s.things {
		under := s.pose(j)
		at := under.Orientation.Inverse().Rotate(pose.Position.Sub(under.Position))
		top := under.Position[2] + reachUp(under.Orientation, t.Size)
		if j != i && s.hold.what != j && math.Abs(bottom-top) <= restM && math.Abs(at[0]) <= t.Size[0]/2 && math.Abs(at[1]) <= t.Size[1]/2 {
			return t.Name, ""
		}
	}
	if bottom <= restM {
		return layout.Floor, ""
	}
	return "", ""
}

// colourOf gives the colour that a name begins with.
func colourOf(name string) string {
	if first, _, ok := strings.Cut(name, " "); ok {
		switch first {
		case "red", "green", "blue", "white", "yellow":
			return first
		}
	}
	return ""
}
