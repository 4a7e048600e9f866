package world

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// By is what Scene.By says: the truth of the simulator, not perception.
const By = "scripted"

// What counts as a relation.
const (
	gripForce    = 0.3  // N, with which each finger must press towards the other
	supportShare = 0.2  // of its weight that a thing must carry to support another
	heapShare    = 0.75 // of its height that the centre of what is in a bowl may be above the rim
	gravity      = 9.81
)

// Scene gives what is where: poses now, and relations from the contacts of the
// last physics step. An object is held when the fingers squeeze it; it is in a
// bowl when it rests on something and its centre is over the bowl's inside and
// less than 3/4 of its height above the rim, so a second layer is in the bowl
// and a tower's top is not; else it is on what carries most of it. A simulation that diverged, or was closed, has an empty scene.
func (w *World) Scene() *robot.Scene {
	w.machine.Lock()
	defer w.machine.Unlock()
	scene := &robot.Scene{At: w.machine.At(), By: By, Objects: []robot.Object{}}
	if w.machine.Usable() != nil {
		return scene
	}
	var err error
	if w.touches, err = w.live.data.Contacts(w.touches); err != nil {
		return scene
	}
	loads := w.loads()
	poses := make([]robot.Pose, len(w.things))
	slid := make([]float64, len(w.things))
	for i := range w.things {
		poses[i], slid[i] = w.live.pose(&w.parts, i)
	}
	for i := range w.things {
		if !w.live.present[i] {
			continue
		}
		o := robot.Object{
			Name: things[i].Name, Kind: things[i].Kind, Colour: things[i].Colour,
			Pose: poses[i], Size: things[i].Size, Confidence: 1,
		}
		l := &loads[i]
		switch under, bowl := l.carrier(i), w.inside(i, poses); {
		case l.left > gripForce && l.right > gripForce:
			o.Held = true
		case things[i].fixed:
		case under == nobody:
		case bowl >= 0:
			o.In = things[bowl].Name
		case under == ownerTable:
			o.On = Table
		default:
			o.On = things[under].Name
		}
		if things[i].fixed {
			things[i].object(&o, poses[i], slid[i], w.pressed[i])
			if o.Held {
				o.On = ""
			}
		}
		scene.Objects = append(scene.Objects, o)
	}
	return scene
}

// load is what presses on one thing.
type load struct {
	left, right float64   // squeeze of the fingers' pads towards each other, N
	up          []float64 // upward force from each other thing, N
	table       float64   // upward force from the table, N
}

// nobody carries a thing that falls.
const nobody = ownerOther

// carrier gives the thing, or ownerTable, that carries most of thing i.
func (l *load) carrier(i int) int {
	weight := gravity * things[i].mass()
	most, under := supportShare*weight, nobody
	if l.table > most {
		most, under = l.table, ownerTable
	}
	for j, up := range l.up {
		if up > most {
			most, under = up, j
		}
	}
	return under
}

func (t *thing) mass() float64 {
	if t.Kind == kindBowl {
		return bowlFloorMass + bowlWalls*bowlWallMass
	}
	return blockMassKg
}

func (w *World) loads() []load {
	loads := make([]load, len(w.things))
	for i := range loads {
		loads[i].up = make([]float64, len(w.things))
	}
	// The left finger is on the side to which the axis points.
	axis := w.live.data.BodyPose(w.parts.finger).Orientation.Rotate(robot.Vec3{0, 1, 0})
	for i := range w.touches {
		c := &w.touches[i]
		a, b := w.parts.owner[c.Geom[0]], w.parts.owner[c.Geom[1]]
		press(loads, b, a, c.Force, axis)
		press(loads, a, b, c.Force.Scale(-1), axis)
	}
	return loads
}

// press adds the force that by exerts on thing.
func press(loads []load, thing, by int, force, axis robot.Vec3) {
	if thing < 0 {
		return
	}
	l := &loads[thing]
	switch {
	case by == ownerLeftPad:
		l.left -= force.Dot(axis)
	case by == ownerRightPad:
		l.right += force.Dot(axis)
	case by == ownerTable:
		l.table += force[2]
	case by >= 0:
		l.up[by] += force[2]
	}
}

// inside gives the bowl that thing i is in, or -1.
func (w *World) inside(i int, poses []robot.Pose) int {
	if things[i].Kind == kindBowl || things[i].fixed {
		return -1
	}
	for j := range w.things {
		if things[j].Kind != kindBowl || !w.live.present[j] {
			continue
		}
		p := poses[j].Orientation.Inverse().Rotate(poses[i].Position.Sub(poses[j].Position))
		// The bowl's frame is its middle, so its rim is half of its height up.
		if math.Hypot(p[0], p[1]) < bowlRim && p[2] > -bowlHeight/2 && p[2] < bowlHeight/2+heapShare*things[i].Size[2] {
			return j
		}
	}
	return -1
}
