package world

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
)

// Where objects are drawn: a ring sector around the arm within which it can
// grasp from above and lift (a test checks that with inverse kinematics).
const (
	ringMin     = 0.13
	ringMax     = 0.245
	bowlRingMin = 0.15
	bowlRingMax = 0.24
	sectorRad   = 1.55 // to either side
)

// How far apart centres are drawn, m, so that the gripper fits between.
const (
	bowlToBowl   = 0.14
	blockToBowl  = 0.10
	blockToBlock = 0.07
	clearance    = 0.002 // between objects that the Spec places
)

// How an episode settles.
const (
	drawsEach   = 60    // tries for one object
	layoutTries = 400   // tries for all of them
	settleTries = 20    // episodes drawn until one comes to rest
	settleSteps = 150   // of PhysicsStep
	settleDrift = 0.006 // m that an object may move meanwhile
	restSpeed   = 0.02  // m/s at most, at the end
)

// errDrawn marks an episode that did not come to rest, where another draw may.
var errDrawn = errors.New("give it another place, or the arm another pose")

// Reset starts a new episode. It fails, and leaves the one before, when the
// Spec names something that does not exist or asks for something impossible.
func (w *World) Reset(seed uint64, spec Spec) error {
	slots, err := spec.slots()
	if err != nil {
		return fmt.Errorf("world: reset: %w", err)
	}
	arm, err := spec.arm(w.description)
	if err != nil {
		return fmt.Errorf("world: reset: %w", err)
	}
	if err := w.suits(&spec, slots); err != nil {
		return fmt.Errorf("world: reset: %w", err)
	}
	w.resetting.Lock()
	defer w.resetting.Unlock()
	w.pictures.mu.Lock() // which draw from the model that is dressed anew
	defer w.pictures.mu.Unlock()
	look := spec.Vary.draw(rand.New(rand.NewPCG(seed, 0x6c6f6f6b)))
	if w.looks != nil {
		w.look = look
	}
	random := rand.New(rand.NewPCG(seed, 0x6b756169))
	if err := w.prepare(random, slots, arm); err != nil {
		return fmt.Errorf("world: reset: %w", err)
	}
	w.machine.Lock()
	defer w.machine.Unlock()
	if w.machine.Closed() {
		return mujoco.ErrClosed
	}
	if err := w.live.data.CopyFrom(w.draft.data); err != nil {
		return fmt.Errorf("world: reset: %w", err)
	}
	copy(w.live.present, w.draft.present)
	clear(w.pressed)
	if w.looks != nil {
		w.looks.dress(w.live.model, &w.look)
	}
	w.live.model.SetActuation(true)
	w.machine.Begin(w.live.model, w.live.data, w.parts.joints)
	return nil
}

// suits says whether this world has what the episode asks for.
func (w *World) suits(spec *Spec, slots []slot) error {
	if err := spec.Vary.validate(); err != nil {
		return err
	}
	if w.looks == nil && spec.Vary != (Vary{}) {
		return errors.New("vary: only a workbench can look other than usual")
	}
	for i := range slots {
		if slots[i].thing >= len(w.things) {
			return fmt.Errorf("object %q: only a workbench has it", things[slots[i].thing].Name)
		}
	}
	return nil
}

// prepare fills the draft with an episode that has come to rest.
func (w *World) prepare(random *rand.Rand, slots []slot, arm robot.Joints) error {
	var err error
	for range settleTries {
		if err = place(random, slots); err != nil {
			return err
		}
		if err = w.settle(random, slots, &arm); !errors.Is(err, errDrawn) {
			return err
		}
	}
	return err
}

// place draws what is not given, all anew when the last object finds no room.
func place(random *rand.Rand, slots []slot) error {
	if err := checkGiven(slots); err != nil {
		return err
	}
	for range layoutTries {
		if placeOnce(random, slots) {
			return nil
		}
	}
	return errors.New("there is no room on the table within the arm's reach for all objects: give positions, or fewer objects")
}

func checkGiven(slots []slot) error {
	for i := range slots {
		for j := range i {
			a, b := &slots[i], &slots[j]
			if !a.given || !b.given {
				continue
			}
			if math.Hypot(a.at[0]-b.at[0], a.at[1]-b.at[1]) < things[a.thing].radius()+things[b.thing].radius()+clearance {
				return fmt.Errorf("the %s at %v and the %s at %v overlap",
					things[a.thing].Name, a.at, things[b.thing].Name, b.at)
			}
		}
	}
	return nil
}

// radius is that of the circle around a thing's footprint.
func (t *thing) radius() float64 {
	if t.fixed {
		return t.fixtureRadius()
	}
	if t.Kind == kindBowl {
		return t.Size[0] / 2
	}
	return math.Hypot(t.Size[0], t.Size[1]) / 2
}

func placeOnce(random *rand.Rand, slots []slot) bool {
	for i := range slots {
		if slots[i].given || slots[i].support >= 0 {
			continue
		}
		fits := false
		for range drawsEach {
			slots[i].at = draw(random, things[slots[i].thing].Kind)
			if fits = apart(slots, i); fits {
				break
			}
		}
		if !fits {
			return false
		}
	}
	return true
}

// draw picks a point of the ring sector, uniform in area.
func draw(random *rand.Rand, kind string) [2]float64 {
	near, far, sector := ringMin, ringMax, sectorRad
	switch kind {
	case kindBowl:
		near, far = bowlRingMin, bowlRingMax
	case kindDrawer:
		near, far, sector = handleRingMin, handleRingMax, fixtureSector
	case kindButton:
		near, far, sector = buttonRingMin, buttonRingMax, fixtureSector
	}
	r := math.Sqrt(near*near + (far*far-near*near)*random.Float64())
	sin, cos := math.Sincos(sector * (2*random.Float64() - 1))
	return [2]float64{r * cos, r * sin}
}

// apart says that slot i keeps its distance from those before it and from what
// is given.
func apart(slots []slot, i int) bool {
	for j := range slots {
		s := &slots[j]
		if j == i || s.support >= 0 || j > i && !s.given {
			continue
		}
		if math.Hypot(slots[i].at[0]-s.at[0], slots[i].at[1]-s.at[1]) < distance(slots[i].thing, s.thing) {
			return false
		}
	}
	return true
}

func distance(a, b int) float64 {
	switch bowls := things[a].Kind == kindBowl; {
	case things[a].fixed || things[b].fixed:
		return fixtureToAny
	case bowls && things[b].Kind == kindBowl:
		return bowlToBowl
	case bowls || things[b].Kind == kindBowl:
		return blockToBowl
	}
	return blockToBlock
}

// settle puts the arm and the objects into the draft and lets physics come to
// rest. Objects that slip from where they were put make it fail.
func (w *World) settle(random *rand.Rand, slots []slot, arm *robot.Joints) error {
	s := &w.draft
	s.data.Reset()
	qpos, ctrl := s.data.QPos(), s.data.Ctrl()
	if qpos == nil {
		return mujoco.ErrClosed
	}
	for i := range w.description.Joints {
		qpos[w.parts.joints.Position[i]], ctrl[w.parts.joints.Actuator[i]] = arm[i], arm[i]
	}
	qpos[w.parts.mirror] = arm[w.description.Index(w.description.Gripper)]
	clear(s.present)
	poses := stand(random, slots, w.look.tableM)
	for i := range slots {
		s.present[slots[i].thing] = true
		s.put(&w.parts, slots[i].thing, poses[i])
		if things[slots[i].thing].Kind == kindDrawer {
			qpos[w.parts.qpos[slots[i].thing]] = slots[i].open * drawerStroke
		}
	}
	w.hide(s)
	s.park(&w.parts)
	if err := s.step(settleSteps, &w.parts); err != nil {
		return err
	}
	qpos, qvel := s.data.QPos(), s.data.QVel()
	for i := range slots {
		o := &things[slots[i].thing]
		if o.fixed {
			continue
		}
		moved := poseAt(qpos[w.parts.qpos[slots[i].thing]:]).Position.Sub(poses[i].Position).Norm()
		speed := robot.Vec3(qvel[w.parts.dof[slots[i].thing]:][:3]).Norm()
		if moved > settleDrift || speed > restSpeed {
			return fmt.Errorf("the %s does not stay where it is put: it moved %.3f m (is something in its way?): %w", o.Name, moved, errDrawn)
		}
	}
	return nil
}
