package household

import (
	"fmt"
	"math"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// nothing is what done does.
type nothing struct{}

func (*nothing) next(*body, *robot.Observation, *robot.Joints) (leg, robot.Outcome) {
	return leg{}, succeeded
}

// folding draws the arm in, straight up first.
type folding struct{ stage int }

func (t *folding) next(b *body, _ *robot.Observation, from *robot.Joints) (leg, robot.Outcome) {
	t.stage++
	switch t.stage {
	case 1:
		return leg{knots: []robot.Joints{b.high(*from)}}, running
	case 2:
		return leg{knots: []robot.Joints{b.folded(*from)}}, running
	}
	return leg{}, succeeded
}

// driving takes the robot to a place's station.
type driving struct {
	place *layout.Place
	fold  folding
	tries int
}

func newDriving(name string) (*driving, error) {
	place, ok := layout.FindPlace(name)
	if !ok {
		return nil, fmt.Errorf("the %s is no place to go to", name)
	}
	return &driving{place: place}, nil
}

// thereM is how near to its station the robot comes.
const thereM = 0.02

func (t *driving) next(b *body, o *robot.Observation, from *robot.Joints) (leg, robot.Outcome) {
	if l, outcome := t.fold.next(b, o, from); outcome.Status == robot.Running {
		return l, outcome
	}
	s := &t.place.Station
	is := &o.State.Position
	turn := math.Remainder(s[2]-from[layout.BaseYaw], 2*math.Pi)
	if math.Hypot(is[layout.BaseX]-s[0], is[layout.BaseY]-s[1]) <= thereM && math.Abs(math.Remainder(s[2]-is[layout.BaseYaw], 2*math.Pi)) <= thereM {
		return leg{}, succeeded
	}
	if t.tries++; t.tries > maxTries {
		return leg{}, failed(fmt.Sprintf("the robot does not get to the %s", t.place.Name))
	}
	to := *from
	to[layout.BaseX], to[layout.BaseY], to[layout.BaseYaw] = s[0], s[1], from[layout.BaseYaw]+turn
	// What would wind the base up past its limit goes the other way round.
	if l := &b.desc.Joints[layout.BaseYaw].Limits; to[layout.BaseYaw] > l.MaxPosition-0.1 {
		to[layout.BaseYaw] -= 2 * math.Pi
	} else if to[layout.BaseYaw] < l.MinPosition+0.1 {
		to[layout.BaseYaw] += 2 * math.Pi
	}
	return leg{knots: []robot.Joints{to}, wait: 50 * time.Millisecond}, running
}
