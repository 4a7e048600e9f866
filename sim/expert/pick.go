package expert

import (
	"errors"
	"fmt"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

const (
	// squeezeM is how far inside of a block the fingers are sent: with the
	// servo's stiffness this is the force that holds it.
	squeezeM = 0.008
	// missedM is how much thinner than the block what is between the fingers
	// may be.
	missedM = 0.004
	// liftM is how far a block is lifted to show that it is held.
	liftM = 0.05
	// movedM is how far a block may move under a motion that was planned for it.
	movedM = 0.006
	// thereRad is how near to where a motion should have ended the arm must be.
	thereRad = 0.05
	// closeTime is how long the fingers get to close, gripTime how long they
	// press before the arm moves.
	closeTime = 800 * time.Millisecond
	gripTime  = 60 * time.Millisecond
)

// pickStage is how far a pick has come; each names the motion that is next.
type pickStage uint8

const (
	pickReach pickStage = iota
	pickClose
	pickPress
	pickLift
	pickCheck
	pickOpen
)

// picking takes a block into the hand.
type picking struct {
	block string
	stage pickStage
	tries int
	grasp grasp
	// at is where the block was when the grasp was planned.
	at robot.Vec3
}

func newPicking(block *robot.Object, scene *robot.Scene) (*picking, error) {
	if held, ok := scene.Held(); ok {
		return nil, fmt.Errorf("the hand is full: it holds the %s", held.Name)
	}
	for i := range scene.Objects {
		if o := &scene.Objects[i]; o.On == block.Name || o.In == block.Name {
			return nil, fmt.Errorf("the %s is on the %s", o.Name, block.Name)
		}
	}
	return &picking{block: block.Name}, nil
}

func (t *picking) find(o *robot.Observation) (*robot.Object, error) {
	if o.Scene == nil {
		return nil, errors.New("nobody looked at the scene")
	}
	block, ok := o.Scene.Find(t.block)
	if !ok {
		return nil, fmt.Errorf("the %s is gone", t.block)
	}
	return block, nil
}

// plan implements task.
func (t *picking) plan(a *arm, o *robot.Observation, from *robot.Joints) (plan, error) {
	block, err := t.find(o)
	if err != nil {
		return plan{}, err
	}
	g, _, err := t.way(a, o, block, from)
	if err != nil {
		return plan{}, err
	}
	p := plan{gap: g.gap, tilt: g.tilt, doubt: 0.2 * lean(block)}
	if block.In != "" {
		p.doubt += 0.03
	}
	return p, nil
}

// way gives the grasp and the path to it.
func (t *picking) way(a *arm, o *robot.Observation, block *robot.Object, from *robot.Joints) (grasp, []robot.Joints, error) {
	g, err := a.graspOf(block, o.Scene, from)
	if err != nil {
		return g, nil, err
	}
	knots, ok := a.travel(from, &g.q, layoutOf(o.Scene), a.shape.tip, a.shape.palmClosing)
	if !ok {
		return g, nil, fmt.Errorf("the arm finds no way to the %s", t.block)
	}
	return g, knots, nil
}

// next implements task.
func (t *picking) next(a *arm, o *robot.Observation, from *robot.Joints) (motion, robot.Outcome) {
	block, err := t.find(o)
	if err != nil {
		return motion{}, failed(err.Error())
	}
	t.look(a, o, block, from)
	switch t.stage {
	case pickReach:
		return t.reach(a, o, block, from)
	case pickClose:
		t.stage = pickPress
		closed := *from
		closed[a.gripper] = max(t.grasp.width/2-squeezeM, a.desc.Joints[a.gripper].Limits.MinPosition)
		return motion{knots: []robot.Joints{closed}, wait: closeTime, until: t.held}, running
	case pickPress:
		t.stage = pickLift
		return motion{wait: gripTime}, running
	case pickLift:
		t.stage = pickCheck
		return t.lift(a, from)
	case pickOpen:
		return t.again(a, from)
	}
	return motion{}, succeeded
}

// look moves the stage on or back by what the scene says.
func (t *picking) look(a *arm, o *robot.Observation, block *robot.Object, from *robot.Joints) {
	thin := o.State.Position[a.gripper] < t.grasp.width/2-missedM
	switch t.stage {
	case pickReach:
		if block.Held {
			t.stage = pickLift
		}
	case pickClose:
		if block.Pose.Position.Sub(t.at).Norm() > movedM || a.lags(&t.grasp.q, from, thereRad) {
			t.stage = pickReach
		}
	case pickPress, pickLift, pickCheck:
		if !block.Held || thin {
			t.stage = pickOpen
		}
	}
}

func (t *picking) held(o *robot.Observation) bool {
	block, err := t.find(o)
	return err == nil && block.Held
}

// reach goes to where the fingers stand around the block.
func (t *picking) reach(a *arm, o *robot.Observation, block *robot.Object, from *robot.Joints) (motion, robot.Outcome) {
	if t.tries++; t.tries > maxTries {
		return motion{}, failed(fmt.Sprintf("the %s slipped from the fingers %d times", t.block, maxTries))
	}
	g, knots, err := t.way(a, o, block, from)
	if err != nil {
		return motion{}, failed(err.Error())
	}
	t.grasp, t.at, t.stage = g, block.Pose.Position, pickClose
	return motion{knots: knots}, running
}

// lift raises the hand straight up.
func (t *picking) lift(a *arm, from *robot.Joints) (motion, robot.Outcome) {
	knots, ok := a.rise(from, liftM)
	if !ok {
		return motion{}, failed(fmt.Sprintf("the arm cannot lift the %s any higher", t.block))
	}
	return motion{knots: knots, slowdown: carrySlowdown, wait: gripTime}, running
}

// again opens the hand, and leaves the block to the next try.
func (t *picking) again(a *arm, from *robot.Joints) (motion, robot.Outcome) {
	t.stage = pickReach
	open := *from
	open[a.gripper] = max(t.grasp.q[a.gripper], from[a.gripper])
	knots := []robot.Joints{open}
	if up, ok := a.rise(&open, liftM); ok {
		knots = append(knots, up...)
	}
	return motion{knots: knots, wait: gripTime}, running
}

// outdated implements task: the block moved away, or fell out of the hand.
func (t *picking) outdated(o *robot.Observation) bool {
	block, err := t.find(o)
	if err != nil {
		return true
	}
	switch t.stage {
	case pickClose: // on the way to it
		return !block.Held && block.Pose.Position.Sub(t.at).Norm() > movedM
	case pickCheck: // on the way up
		return !block.Held
	}
	return false
}

// carrySlowdown keeps what is in the hand from slipping.
const carrySlowdown = 1.3

// rise goes straight up by height, or as far of that as the arm can.
func (a *arm) rise(from *robot.Joints, height float64) ([]robot.Joints, bool) {
	start := a.viaAt(from)
	for _, share := range [...]float64{1, 0.6, 0.3} {
		up, ok := a.above(from, start.z+share*height)
		if !ok {
			continue
		}
		if knots, ok := a.follow(*from, []via{start, up}); ok {
			return knots, true
		}
	}
	return nil, false
}
