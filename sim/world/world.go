package world

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
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
}

const defaultStart = robot.Time(10 * time.Millisecond)

// World is one simulated table.
type World struct {
	description *robot.Description
	shadows     bool
	backend     string
	parts       parts

	// resetting serialises Reset, which prepares an episode in draft.
	resetting sync.Mutex
	draft     simulation
	pictures  pictures

	mu      sync.Mutex // guards what follows
	closed  bool
	running bool // Run is on
	live    simulation
	now     robot.Time
	fault   error
	heat    robot.Joints // °C
	touches []mujoco.Contact
}

// simulation is a model, its state, and which things are in the scene.
type simulation struct {
	model   *mujoco.Model
	data    *mujoco.Data
	present []bool
}

// parts are indices into the model.
type parts struct {
	position, velocity []int // of the arm's joints, in QPos and QVel
	mirror             int   // of the right finger, in QPos
	actuator           []int
	finger             int   // body of the left finger
	body, qpos, dof    []int // of things
	owner              []int // of geoms: a thing, or one of the owners below
	cameras            map[string]int
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
	text, err := modelText(d)
	if err != nil {
		return nil, fmt.Errorf("world: model: %w", err)
	}
	w := &World{description: d, shadows: o.Shadows, backend: o.Renderer, now: o.Start}
	if w.now == 0 {
		w.now = defaultStart
	}
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
		s.present = make([]bool, len(things))
	}
	w.parts, err = findParts(model, w.description)
	return err
}

func findParts(m *mujoco.Model, d *robot.Description) (parts, error) {
	var p parts
	var errs []error
	id := func(kind mujoco.Kind, name string) int {
		i, err := m.ID(kind, name)
		if err != nil {
			errs = append(errs, err)
		}
		return i
	}
	for i := range d.Joints {
		name := d.Joints[i].Name
		position, velocity := m.JointAddress(id(mujoco.Joint, name))
		p.position, p.velocity = append(p.position, position), append(p.velocity, velocity)
		p.actuator = append(p.actuator, id(mujoco.Actuator, name))
	}
	p.finger = id(mujoco.Body, d.Gripper)
	p.mirror, _ = m.JointAddress(id(mujoco.Joint, "right_finger"))
	bodies := map[int]int{}
	for i := range things {
		body := id(mujoco.Body, things[i].Name)
		bodies[body] = i
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
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
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
func (w *World) Now() robot.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Step moves physics on by d, rounded up to whole steps. What goes wrong shows
// at the next Read.
func (w *World) Step(d time.Duration) {
	for n := (d + PhysicsStep - 1) / PhysicsStep; n > 0; n-- {
		w.mu.Lock()
		w.step()
		w.mu.Unlock()
	}
}

// step moves one physics step on. A simulation that diverged stands still, but
// its time goes on, so that whoever waits for an instant is not left waiting.
func (w *World) step() {
	w.now = w.now.Add(PhysicsStep)
	if w.closed || w.fault != nil {
		return
	}
	if err := w.live.step(1, &w.parts); err != nil {
		w.fault = fmt.Errorf("world: %w (start a new episode with Reset)", err)
		return
	}
	w.warm()
}

// step moves n physics steps on and keeps what is not in the scene where it is
// parked.
func (s *simulation) step(n int, p *parts) error {
	for range n {
		if err := s.data.Step(1); err != nil {
			return err
		}
		s.park(p)
	}
	return nil
}

func (s *simulation) park(p *parts) {
	qpos, qvel := s.data.QPos(), s.data.QVel()
	for i, present := range s.present {
		if !present {
			setPose(qpos[p.qpos[i]:], robot.Pose{Position: things[i].parked, Orientation: robot.IdentityQuat})
			clear(qvel[p.dof[i] : p.dof[i]+6])
		}
	}
}

// setPose writes a pose where a free joint's position begins.
func setPose(qpos []float64, pose robot.Pose) {
	copy(qpos[:3], pose.Position[:])
	copy(qpos[3:7], pose.Orientation[:])
}

// poseAt reads a pose from where a free joint's position begins.
func poseAt(qpos []float64) robot.Pose {
	return robot.Pose{Position: robot.Vec3(qpos[:3]), Orientation: robot.Quat(qpos[3:7])}
}
