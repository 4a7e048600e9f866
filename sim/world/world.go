package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
	"github.com/kuai-robot/kuai/sim/world/machine"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// Options of a World. The zero value is the usual world.
type Options struct {
	// Start is the instant at which the world begins; 0: 10 ms.
	Start robot.Time
	// Shadows makes pictures prettier and slower.
	Shadows bool
	// Renderer is "osmesa" (the CPU), "egl" (a GPU) or empty: the GPU when there
	// is one.
	Renderer string
	// Workbench has more on the table: more colours, cylinders, a drawer and a
	// button, and looks that an episode may vary. Where it is not set the world is
	// the tabletop, to the bit.
	Workbench bool
}

// World is one simulated table.
type World struct {
	description *robot.Description
	shadows     bool
	backend     string
	parts       parts
	// things of the table of objects that this world has: a prefix of it.
	things []thing
	// looks is how the model looks by itself; nil where nothing varies.
	looks *looks
	// look is how the episode looks; Reset writes it under pictures.mu.
	look look

	// resetting serialises Reset, which prepares an episode in draft.
	resetting sync.Mutex
	draft     simulation
	pictures  pictures

	machine *machine.Machine // whose lock guards what follows
	live    simulation
	touches []mujoco.Contact
	// pressed says of each thing that its button was pressed.
	pressed []bool
}

// simulation is a model, its state, and which things are in the scene.
type simulation struct {
	model   *mujoco.Model
	data    *mujoco.Data
	present []bool
}

// parts are indices into the model.
type parts struct {
	joints          machine.Joints
	mirror          int   // of the right finger, in QPos
	finger          int   // body of the left finger
	body, qpos, dof []int // of things; of a fixture, of its sliding part
	mocap           []int // of fixtures, −1: the thing is free
	tableTop        int   // mocap, −1: the table stands fast
	owner           []int // of geoms: a thing, or one of the owners below
	cameras         map[string]int
}

// Owners of geoms that are not things.
const (
	ownerTable    = -1
	ownerLeftPad  = -2
	ownerRightPad = -3
	ownerOther    = -4
)

// New makes a world and resets it with seed 0.
func New(o Options) (*World, error) {
	if !slices.Contains([]string{"", "osmesa", "egl"}, o.Renderer) {
		return nil, fmt.Errorf("world: renderer %q is not osmesa or egl", o.Renderer)
	}
	d := so101.Description()
	text, err := modelText(d, o.Workbench)
	if err != nil {
		return nil, fmt.Errorf("world: model: %w", err)
	}
	w := &World{description: d, shadows: o.Shadows, backend: o.Renderer}
	w.machine = machine.New(machine.Options{Name: "world", Description: d, Servos: answers(), Period: PhysicsStep, Start: o.Start, Step: w.step})
	if w.things = things[:tabletopThings]; o.Workbench {
		w.things = things
	}
	w.pressed = make([]bool, len(w.things))
	if err := w.load(text); err != nil {
		return nil, errors.Join(fmt.Errorf("world: %w", err), w.Close())
	}
	if err := w.Reset(0, Spec{}); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) load(text []byte) error {
	model, err := mujoco.Load(text)
	if err != nil {
		return err
	}
	w.live.model = model
	if w.draft.model, err = model.Copy(); err != nil {
		return err
	}
	for _, s := range []*simulation{&w.live, &w.draft} {
		if s.data, err = s.model.NewData(); err != nil {
			return err
		}
		s.present = make([]bool, len(w.things))
	}
	if w.parts, err = findParts(model, w.description, w.things); err == nil && len(w.things) > tabletopThings {
		w.looks, err = newLooks(model)
	}
	return err
}

func findParts(m *mujoco.Model, d *robot.Description, things []thing) (parts, error) {
	var p parts
	var errs []error
	id := func(kind mujoco.Kind, name string) int {
		i, err := m.ID(kind, name)
		if err != nil {
			errs = append(errs, err)
		}
		return i
	}
	joints, err := machine.FindJoints(m, d)
	p.joints, errs = joints, append(errs, err)
	p.finger = id(mujoco.Body, d.Gripper)
	p.mirror, _ = m.JointAddress(id(mujoco.Joint, "right_finger"))
	bodies := map[int]int{}
	for i := range things {
		body := id(mujoco.Body, things[i].Name)
		bodies[body] = i
		p.mocap = append(p.mocap, m.Mocap(body))
		if things[i].fixed {
			bodies[id(mujoco.Body, things[i].Name+" part")] = i
		}
		qpos, dof := m.JointAddress(id(mujoco.Joint, things[i].Name))
		p.body, p.qpos, p.dof = append(p.body, body), append(p.qpos, qpos), append(p.dof, dof)
	}
	for g := range m.Count(mujoco.Geom) {
		owner, ok := bodies[m.GeomBody(g)]
		if !ok {
			owner = ownerOf(m.Name(mujoco.Geom, g))
		}
		p.owner = append(p.owner, owner)
	}
	p.tableTop = -1
	if len(things) > tabletopThings {
		p.tableTop = m.Mocap(id(mujoco.Body, "table top"))
	}
	p.cameras = map[string]int{}
	for _, name := range Cameras() {
		p.cameras[name] = id(mujoco.Camera, name)
	}
	return p, errors.Join(errs...)
}

func ownerOf(geom string) int {
	switch geom {
	case Table:
		return ownerTable
	case "left pad":
		return ownerLeftPad
	case "right pad":
		return ownerRightPad
	}
	return ownerOther
}

// Close frees the world and ends its rendering goroutine. Run returns.
func (w *World) Close() error {
	w.resetting.Lock()
	defer w.resetting.Unlock()
	w.pictures.close()
	w.machine.Lock()
	defer w.machine.Unlock()
	if !w.machine.End() {
		return nil
	}
	var errs []error
	for _, s := range []*simulation{&w.live, &w.draft} {
		if s.data != nil {
			errs = append(errs, s.data.Close())
		}
		if s.model != nil {
			errs = append(errs, s.model.Close())
		}
	}
	return errors.Join(errs...)
}

// Description gives the arm; callers share it and must not write it.
func (w *World) Description() *robot.Description { return w.description }

// Now gives the instant that the simulation has reached.
func (w *World) Now() robot.Time { return w.machine.Now() }

// Step moves physics on by d, rounded up to whole steps. What goes wrong shows
// at the next Read.
func (w *World) Step(d time.Duration) { w.machine.Step(d) }

// Run steps the physics along with clock until ctx ends or the world is closed,
// as machine.Machine does.
func (w *World) Run(ctx context.Context, clock robot.Clock) error { return w.machine.Run(ctx, clock) }

// Read gives what the joints report.
func (w *World) Read() (robot.State, error) { return w.machine.Read() }

// Write gives the servos their targets; they keep them until the next Write.
func (w *World) Write(c *robot.Command) error { return w.machine.Write(c) }

func (w *World) step() error {
	if err := w.live.step(1, &w.parts); err != nil {
		return err
	}
	w.notice()
	return nil
}

// notice keeps that a button is pressed down.
func (w *World) notice() {
	for i := tabletopThings; i < len(w.things); i++ {
		if w.things[i].Kind == kindButton && w.live.present[i] && w.live.data.QPos()[w.parts.qpos[i]] < -pressedAt {
			w.pressed[i] = true
		}
	}
}
