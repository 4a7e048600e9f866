package kitchen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
	"github.com/kuai-robot/kuai/sim/world/machine"
)

// Options of a World. The zero value is the usual household.
type Options struct {
	// Start is the instant at which the world begins; 0: 10 ms.
	Start robot.Time
	// Shadows makes pictures prettier and slower.
	Shadows bool
	// Renderer is "osmesa" (the CPU), "egl" (a GPU) or empty: the GPU when there
	// is one.
	Renderer string
	// All has the 49 things of layout.AllThings in a scene that names none, for
	// scaling, not the usual 29.
	All bool
}

// World is one simulated household.
type World struct {
	description *robot.Description
	options     Options

	resetting sync.Mutex // serialises Reset
	pictures  pictures

	machine *machine.Machine // whose lock guards what follows
	live    *simulation
}

// New makes a world and resets it with seed 0.
func New(o Options) (*World, error) {
	if !slices.Contains([]string{"", "osmesa", "egl"}, o.Renderer) {
		return nil, fmt.Errorf("kitchen: renderer %q is not osmesa or egl", o.Renderer)
	}
	w := &World{description: layout.Description(), options: o}
	w.machine = machine.New(machine.Options{Name: "kitchen", Description: w.description, Servos: answers(), Period: PhysicsStep, Start: o.Start,
		Step: func() error { return w.live.step() }})
	if err := w.Reset(0, world.Spec{}); err != nil {
		return nil, err
	}
	return w, nil
}

// Close frees the world and ends its rendering goroutine. Run returns.
func (w *World) Close() error {
	w.resetting.Lock()
	defer w.resetting.Unlock()
	w.pictures.mu.Lock()
	defer w.pictures.mu.Unlock()
	w.pictures.close(true)
	w.machine.Lock()
	defer w.machine.Unlock()
	if !w.machine.End() {
		return nil
	}
	return w.live.close()
}

// Description gives the robot; callers share it and must not write it.
func (w *World) Description() *robot.Description { return w.description }

// Now gives the instant that the simulation has reached.
func (w *World) Now() robot.Time { return w.machine.Now() }

// Step moves physics on by d, rounded up to whole steps. What goes wrong shows
// at the next Read.
func (w *World) Step(d time.Duration) { w.machine.Step(d) }

// Run steps the physics along with clock until ctx ends or the world is closed,
// as machine.Machine does.
func (w *World) Run(ctx context.Context, clock robot.Clock) error { return w.machine.Run(ctx, clock) }

// Read gives what the joints report. The base's are its odometry.
func (w *World) Read() (robot.State, error) { return w.machine.Read() }

// Write gives the servos their targets; they keep them until the next Write.
func (w *World) Write(c *robot.Command) error { return w.machine.Write(c) }

// simulation is the model of one episode and its state.
type simulation struct {
	model  *mujoco.Model
	data   *mujoco.Data
	things []*layout.Thing
	parts  parts
	hold   hold
	dirt   dirt
	// touches is kept to be filled again.
	touches []mujoco.Contact
}

// parts are indices into the model.
type parts struct {
	joints          machine.Joints
	wrist, tool     int // the body that the cup is part of; the site at its rim
	cup             int // geom
	body, qpos, dof []int
	drawers         []drawer
	// owner of each geom: a thing, or one of the owners below less a drawer.
	owner   []int
	weld    map[string]int
	cameras map[string]int
}

// drawer is one that slides.
type drawer struct {
	place *layout.Place
	body  int
	qpos  int
}

// Owners of geoms that are not things; the drawers follow below.
const (
	ownerOther   = -1
	ownerDrawers = -2
)

func newSimulation(things []*layout.Thing) (*simulation, error) {
	model, err := mujoco.Load(modelText(things))
	if err != nil {
		return nil, err
	}
	s := &simulation{model: model, things: things, hold: hold{what: nothing}}
	if s.data, err = model.NewData(); err == nil {
		s.parts, err = findParts(model, things)
	}
	if err == nil {
		s.dirt, err = newDirt(model)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *simulation) close() error {
	var errs []error
	if s.data != nil {
		errs = append(errs, s.data.Close())
	}
	return errors.Join(append(errs, s.model.Close())...)
}

func findParts(m *mujoco.Model, things []*layout.Thing) (parts, error) {
	var errs []error
	id := func(kind mujoco.Kind, name string) int {
		i, err := m.ID(kind, name)
		if err != nil {
			errs = append(errs, err)
		}
		return i
	}
	p := parts{weld: map[string]int{}, cameras: map[string]int{}}
	d := layout.Description()
	joints, err := machine.FindJoints(m, d)
	p.joints, errs = joints, append(errs, err)
	p.wrist, p.tool, p.cup = id(mujoco.Body, d.ToolLink), id(mujoco.Site, "tool"), id(mujoco.Geom, "cup")
	owners := map[int]int{}
	places := layout.Places()
	for i := range places {
		if places[i].Kind != layout.Drawer {
			continue
		}
		body := id(mujoco.Body, places[i].Name)
		owners[body] = ownerDrawers - len(p.drawers)
		qpos, _ := m.JointAddress(id(mujoco.Joint, places[i].Name))
		p.drawers = append(p.drawers, drawer{&places[i], body, qpos})
		p.weld[places[i].Name] = id(mujoco.Equality, places[i].Name)
	}
	for i, t := range things {
		body := id(mujoco.Body, t.Name)
		owners[body] = i
		qpos, dof := m.JointAddress(id(mujoco.Joint, t.Name))
		p.body, p.qpos, p.dof = append(p.body, body), append(p.qpos, qpos), append(p.dof, dof)
		p.weld[t.Name] = id(mujoco.Equality, t.Name)
	}
	for g := range m.Count(mujoco.Geom) {
		owner, ok := owners[m.GeomBody(g)]
		if !ok {
			owner = ownerOther
		}
		p.owner = append(p.owner, owner)
	}
	for _, name := range Cameras() {
		p.cameras[name] = id(mujoco.Camera, name)
	}
	return p, errors.Join(errs...)
}

// step moves one physics step on, and then what the cup holds and the sponge
// wipes.
func (s *simulation) step() error {
	if err := s.data.Step(1); err != nil {
		return err
	}
	if err := s.suck(); err != nil {
		return err
	}
	s.wipe()
	return nil
}

// pose of thing i.
func (s *simulation) pose(i int) robot.Pose {
	qpos := s.data.QPos()[s.parts.qpos[i]:]
	return robot.Pose{Position: robot.Vec3(qpos[:3]), Orientation: robot.Quat(qpos[3:7])}
}

// put places thing i, at rest.
func (s *simulation) put(i int, pose robot.Pose) {
	qpos := s.data.QPos()[s.parts.qpos[i]:]
	copy(qpos[:3], pose.Position[:])
	copy(qpos[3:7], pose.Orientation[:])
	clear(s.data.QVel()[s.parts.dof[i] : s.parts.dof[i]+6])
}

// open is how far the drawer of place p stands open, 0 to 1; 0 for other places.
func (s *simulation) open(p *layout.Place) float64 {
	for i := range s.parts.drawers {
		if s.parts.drawers[i].place == p {
			return min(max(s.data.QPos()[s.parts.drawers[i].qpos]/layout.DrawerStroke, 0), 1)
		}
	}
	return 0
}
