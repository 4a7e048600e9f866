package household

import (
	"fmt"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// How the cup comes down on something, m.
const (
	hoverM = 0.018 // above it, from where on it comes down slowly
	pressM = 0.012 // how far below its top it is sent
	// slowDown is how much slower it comes down then.
	slowDown = 6
	// sealTime is how long the cup is given to draw tight.
	sealTime = 120 * time.Millisecond
)

// stages of taking something, each naming the leg that is next.
const (
	pickRaise = iota
	pickOver
	pickDown
	pickMeet
	pickLift
	pickFold
	pickCheck
)

// picking takes a thing into the cup.
type picking struct {
	thing string
	stage int
	tries int
}

func newPicking(name string, scene *robot.Scene) (*picking, error) {
	if held, ok := scene.Held(); ok {
		return nil, fmt.Errorf("the hand is full: it holds the %s", held.Name)
	}
	if _, ok := layout.FindPlace(name); ok {
		return nil, fmt.Errorf("the %s cannot be carried", name)
	}
	for _, p := range []robot.Predicate{{Name: "reachable", Args: []string{name}}, {Name: "clear", Args: []string{name}}} {
		if !p.Holds(nil, scene) {
			return nil, fmt.Errorf("it needs %s", p)
		}
	}
	return &picking{thing: name}, nil
}

func (t *picking) held(o *robot.Observation) bool {
	x, ok := o.Scene.Find(t.thing)
	return ok && x.Held
}

// next goes up, over the thing, down on it, and up again with it.
func (t *picking) next(b *body, o *robot.Observation, from *robot.Joints) (leg, robot.Outcome) {
	if o.Scene == nil {
		return leg{}, failed("nobody looked at the scene")
	}
	x, ok := o.Scene.Find(t.thing)
	if !ok {
		return leg{}, failed(fmt.Sprintf("the %s is gone", t.thing))
	}
	if t.stage > pickMeet && !x.Held {
		t.stage = pickRaise // it was not taken, or was lost
	}
	stage := t.stage
	t.stage++
	at := x.Pose.Position
	switch stage {
	case pickRaise:
		if t.tries++; t.tries > maxTries {
			return leg{}, failed(fmt.Sprintf("the cup did not take the %s in %d tries", t.thing, maxTries))
		}
		return leg{knots: []robot.Joints{b.high(*from)}}, running
	case pickOver, pickDown, pickMeet:
		at[2] = topOf(x) + hoverM
		if stage == pickMeet {
			at[2] = topOf(x) - pressM
		}
		q, err := b.reach(from, at)
		if err != nil {
			return leg{}, failed(fmt.Sprintf("the %s: %v", t.thing, err))
		}
		switch q = valve(q, layout.ValveHold); stage {
		case pickOver:
			return leg{knots: []robot.Joints{b.high(q)}}, running
		case pickDown:
			return leg{knots: []robot.Joints{q}}, running
		}
		return leg{knots: []robot.Joints{q}, slowdown: slowDown, until: t.held, wait: sealTime}, running
	case pickLift:
		return leg{knots: []robot.Joints{b.high(*from)}, slowdown: 1.2}, running
	case pickFold:
		return leg{knots: []robot.Joints{b.folded(*from)}, slowdown: 1.2}, running
	}
	return leg{}, succeeded
}

// within says whether the arm gets there from where the base stands.
func (t *picking) within(*body, *robot.Joints) error { return nil }
