package household

import (
	"fmt"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// stages of sliding a drawer, each naming the leg that is next.
const (
	slideRaise = iota
	slideOver
	slideDown
	slideMeet
	slidePull
	slideLet
	slideUp
	slideFold
	slideCheck
)

// handlePressM is how far below the top of the handle the cup is sent, and
// slideSlow how much slower the arm pulls than it could.
const (
	handlePressM = 0.006
	slideSlow    = 2
)

// sliding opens or closes a drawer by its handle.
type sliding struct {
	place *layout.Place
	open  bool
	stage int
	tries int
}

func newSliding(name string, open bool, scene *robot.Scene) (*sliding, error) {
	place, ok := layout.FindPlace(name)
	if !ok || place.Kind != layout.Drawer {
		return nil, fmt.Errorf("the %s does not slide", name)
	}
	need := []robot.Predicate{{Name: "empty_hand"}, {Name: "here", Args: []string{name}}}
	if p, ok := robot.HoldAll(need, nil, scene); !ok {
		return nil, fmt.Errorf("it needs %s", p)
	}
	return &sliding{place: place, open: open}, nil
}

func (t *sliding) next(b *body, o *robot.Observation, from *robot.Joints) (leg, robot.Outcome) {
	if o.Scene == nil {
		return leg{}, failed("nobody looked at the scene")
	}
	x, ok := o.Scene.Find(t.place.Name)
	if !ok {
		return leg{}, failed(fmt.Sprintf("the %s is gone", t.place.Name))
	}
	stage := t.stage
	t.stage++
	handle := t.place.Handle(x.Open)
	switch stage {
	case slideRaise:
		if t.tries++; t.tries > maxTries {
			return leg{}, failed(fmt.Sprintf("the %s does not move, in %d tries", t.place.Name, maxTries))
		}
		return leg{knots: []robot.Joints{b.high(*from)}}, running
	case slideOver, slideDown, slideMeet:
		return t.approach(b, from, handle, stage)
	case slidePull:
		return t.pull(b, from, x.Open)
	case slideLet:
		return leg{knots: []robot.Joints{valve(*from, layout.ValveOpen)}, wait: letTime}, running
	case slideUp:
		return leg{knots: []robot.Joints{b.high(*from)}}, running
	case slideFold:
		return leg{knots: []robot.Joints{b.folded(*from)}}, running
	}
	if t.open && x.Open >= robot.OpenAtLeast || !t.open && x.Open <= robot.ClosedAtMost {
		return leg{}, succeeded
	}
	t.stage = slideRaise
	return leg{}, running
}

// approach comes down on the handle.
func (t *sliding) approach(b *body, from *robot.Joints, handle robot.Vec3, stage int) (leg, robot.Outcome) {
	handle[2] += hoverM
	if stage == slideMeet {
		handle[2] -= hoverM + handlePressM
	}
	q, err := b.reach(from, handle)
	if err != nil {
		return leg{}, failed(fmt.Sprintf("the handle of the %s: %v", t.place.Name, err))
	}
	q = valve(q, layout.ValveHold)
	switch stage {
	case slideOver:
		return leg{knots: []robot.Joints{b.high(q)}}, running
	case slideDown:
		return leg{knots: []robot.Joints{q}}, running
	}
	return leg{knots: []robot.Joints{q}, slowdown: slowDown, wait: 2 * sealTime}, running
}

// pull draws the handle along to where it belongs.
func (t *sliding) pull(b *body, from *robot.Joints, is float64) (leg, robot.Outcome) {
	want := 0.0
	if t.open {
		want = 1
	}
	way := t.place.Handle(want).Sub(t.place.Handle(is))
	knots, err := b.line(from, b.tool(from).Add(way))
	if err != nil {
		return leg{}, failed(fmt.Sprintf("the %s: %v", t.place.Name, err))
	}
	return leg{knots: knots, slowdown: slideSlow, wait: 100 * time.Millisecond}, running
}
