package expert

import (
	"fmt"
	"slices"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

const (
	table = "table"
	// retreatM is how far straight up the open hand goes.
	retreatM = 0.05
	// letGoTime is how long the fingers get to open, landTime how long a block
	// gets to come to rest.
	letGoTime = 300 * time.Millisecond
	landTime  = 800 * time.Millisecond
	// triesPlaces bounds the places that are looked into.
	triesPlaces = 24
)

type placeStage uint8

const (
	placeCarry placeStage = iota
	placeOpen
	placeRetreat
	placeCheck
	placePick
)

// placing puts the block in the hand in, on or beside something. A block that
// is dropped on the way is picked up again.
type placing struct {
	skill  robot.Skill
	block  string
	target string
	stage  placeStage
	tries  int
	hand   placement
	// at is where the target was when the place was chosen.
	at   robot.Vec3
	pick *picking
	// before is the scene at the beginning, goal what must hold at the end.
	goal []robot.Predicate
}

func newPlacing(s robot.Skill, block *robot.Object, scene *robot.Scene) (*placing, error) {
	t := &placing{skill: s, block: s.Args[0], target: s.Args[1]}
	if !block.Held {
		return nil, fmt.Errorf("the %s is not in the hand", t.block)
	}
	if t.block == t.target {
		return nil, fmt.Errorf("the %s cannot be put on itself", t.block)
	}
	target, ok := scene.Find(t.target)
	if !ok && t.target != table {
		return nil, fmt.Errorf("there is no %s in the scene", t.target)
	}
	say := func(name string, args ...string) { t.goal = append(t.goal, robot.Predicate{Name: name, Args: args}) }
	switch {
	case s.Name == "place_in" && (target == nil || target.Kind != bowl):
		return nil, fmt.Errorf("the %s holds nothing in it", t.target)
	case s.Name == "place_in":
		say("in", t.block, t.target)
	case s.Name == "place_on" && target != nil && target.Kind == bowl:
		return nil, fmt.Errorf("nothing rests on the %s: place it in it", t.target)
	case s.Name == "place_on" && target != nil && slices.ContainsFunc(scene.Objects, func(o robot.Object) bool { return o.On == t.target }):
		return nil, fmt.Errorf("something is on the %s already", t.target)
	case s.Name == "place_on":
		say("on", t.block, t.target)
	case target == nil:
		return nil, fmt.Errorf("nothing is beside the table")
	default:
		say("on", t.block, table)
		say("near", t.block, t.target)
	}
	return t, nil
}

// choose looks for the place.
func (t *placing) choose(a *arm, o *robot.Observation, from *robot.Joints) (placement, error) {
	block, ok := o.Scene.Find(t.block)
	if !ok {
		return placement{}, fmt.Errorf("the %s is gone", t.block)
	}
	target, ok := o.Scene.Find(t.target)
	if !ok && t.target != table {
		return placement{}, fmt.Errorf("the %s is gone", t.target)
	}
	c := a.carriedAt(block, from)
	all := layoutOf(o.Scene, t.block)
	search := search{c: &c, around: all, over: all, tries: triesPlaces}
	switch {
	case t.skill.Name == "place_in":
		search.around = layoutOf(o.Scene, t.block, t.target)
		search.spots = a.inBowl(&c, target, o.Scene)
	case t.skill.Name == "place_beside":
		search.spots = a.beside(&c, target, all)
	case target != nil:
		search.around = layoutOf(o.Scene, t.block, t.target)
		search.spots = []spot{a.onBlock(target)}
	default:
		search.spots = a.onTable(&c, all, easyM)
	}
	return a.search(&search)
}

// plan implements task.
func (t *placing) plan(a *arm, o *robot.Observation, from *robot.Joints) (plan, error) {
	p, err := t.choose(a, o, from)
	if err != nil {
		return plan{}, err
	}
	return plan{gap: p.gap, doubt: p.spot.doubt}, nil
}

// next implements task.
func (t *placing) next(a *arm, o *robot.Observation, from *robot.Joints) (motion, robot.Outcome) {
	if o.Scene == nil {
		return motion{}, failed("nobody looked at the scene")
	}
	block, ok := o.Scene.Find(t.block)
	if !ok {
		return motion{}, failed(fmt.Sprintf("the %s is gone", t.block))
	}
	t.look(a, o, block, from)
	switch t.stage {
	case placeCarry:
		return t.carry(a, o, from)
	case placeOpen:
		t.stage = placeRetreat
		open := *from
		open[a.gripper] = t.hand.open
		return motion{knots: []robot.Joints{open}, wait: letGoTime, until: t.free}, running
	case placeRetreat:
		t.stage = placeCheck
		knots, ok := a.rise(from, retreatM)
		if !ok {
			return motion{}, failed("the arm cannot lift its hand off")
		}
		return motion{knots: knots, wait: landTime, until: t.landed}, running
	case placePick:
		m, outcome := t.pick.next(a, o, from)
		if outcome.Status != robot.Succeeded {
			return m, outcome
		}
		t.stage = placeCarry
		return t.carry(a, o, from)
	}
	if fails, ok := robot.HoldAll(t.goal, nil, o.Scene); !ok {
		return motion{}, failed(fmt.Sprintf("the block was let go, but %s does not hold", fails))
	}
	return motion{}, succeeded
}

// look moves the stage back when the block is not where the stage needs it.
func (t *placing) look(a *arm, o *robot.Observation, block *robot.Object, from *robot.Joints) {
	switch t.stage {
	case placeCarry, placeOpen:
		switch {
		case !block.Held:
			t.stage, t.pick = placePick, &picking{block: t.block}
		case t.stage == placeOpen && (t.moved(o) || a.lags(&t.hand.q, from, thereRad)):
			t.stage = placeCarry
		}
	case placeCheck:
		if _, ok := robot.HoldAll(t.goal, nil, o.Scene); !ok && t.tries < maxTries {
			t.stage, t.pick = placePick, &picking{block: t.block}
		}
	}
}

// carry brings the block to its place.
func (t *placing) carry(a *arm, o *robot.Observation, from *robot.Joints) (motion, robot.Outcome) {
	if t.tries++; t.tries > maxTries {
		return motion{}, failed(fmt.Sprintf("the %s did not stay where it was put, %d times", t.block, maxTries))
	}
	p, err := t.choose(a, o, from)
	if err != nil {
		return motion{}, failed(err.Error())
	}
	t.hand, t.stage, t.at = p, placeOpen, t.targetAt(o)
	return motion{knots: p.knots, slowdown: carrySlowdown, wait: gripTime}, running
}

func (t *placing) targetAt(o *robot.Observation) robot.Vec3 {
	if target, ok := o.Scene.Find(t.target); ok {
		return target.Pose.Position
	}
	return robot.Vec3{}
}

func (t *placing) moved(o *robot.Observation) bool {
	return t.targetAt(o).Sub(t.at).Norm() > movedM
}

func (t *placing) free(o *robot.Observation) bool {
	block, ok := o.Scene.Find(t.block)
	return ok && !block.Held && block.On+block.In != ""
}

func (t *placing) landed(o *robot.Observation) bool {
	_, ok := robot.HoldAll(t.goal, nil, o.Scene)
	return ok
}

// outdated implements task: the block fell on the way, or its place moved.
func (t *placing) outdated(o *robot.Observation) bool {
	if o.Scene == nil {
		return true
	}
	switch t.stage {
	case placeOpen:
		block, ok := o.Scene.Find(t.block)
		return !ok || !block.Held || t.moved(o)
	case placePick:
		return t.pick.outdated(o)
	}
	return false
}
