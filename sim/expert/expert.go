package expert

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// Name is how configurations and outputs call this way of acting: it knows
// the scene, it did not learn.
const Name = "scripted"

// How chunks are cut from a motion, and when a skill gives up.
const (
	chunkStep    = 25 * time.Millisecond
	chunkSteps   = 31 // 0.75 s
	chunkExpires = 600 * time.Millisecond
	// maxTries is how often one skill begins its motion anew.
	maxTries = 4
	// maxTime is the longest that a skill may take.
	maxTime = 40 * time.Second
	// A joint that lags its motion by more is taken to be held up.
	maxLagRad = 0.35
	// restLagRad is how near to the end of a motion the joints come before the
	// next begins, if they do within settleTime.
	restLagRad = 0.02
	settleTime = 250 * time.Millisecond
)

// Expert carries out one skill at a time. Its methods are called from one
// goroutine.
type Expert struct {
	arm *arm
	// run is the skill under way, nil when none is.
	run *run
	// last is the motion that the joints follow or have followed; nil before
	// the first.
	last *trajectory
	// reacting is a reflexive skill under way, nil when none is.
	reacting *reacting
}

// New makes an expert for the robot d, which must have passed Validate. It
// serves arms of revolute joints whose last joint rolls the wrist, with a
// gripper of two fingers that slide apart by twice its position; any other is
// refused at Begin, with the reason.
func New(d *robot.Description) *Expert {
	a, err := newArm(d)
	if err != nil {
		a = &arm{unfit: err}
	}
	return &Expert{arm: a}
}

// Name says what kind of policy this is.
func (e *Expert) Name() string { return Name }

// Begin starts s in place of any skill under way. The error says in words
// why s cannot be done from here.
func (e *Expert) Begin(s robot.Skill, o *robot.Observation) error {
	e.run, e.reacting = nil, nil
	if err := e.arm.unfit; err != nil {
		return err
	}
	if reflexive[s.Name] {
		e.last = nil
		return e.react(s, o)
	}
	t, err := e.task(s, o)
	if err != nil {
		return fmt.Errorf("%s: %w", s, err)
	}
	from := e.standing(o)
	if _, err := t.plan(e.arm, o, &from); err != nil {
		return fmt.Errorf("%s: %w", s, err)
	}
	e.run = &run{task: t, began: o.At, slowdown: 1}
	if e.last == nil || o.At >= e.last.end() {
		return nil
	}
	// A skill was cut short. Its motion is braked where the joints still follow
	// it; where somebody stopped them they begin from where they are.
	e.run.braking = true
	if e.follows(o) {
		e.last = e.last.brake(o.At)
	} else {
		e.rest(o)
	}
	return nil
}

// foresee is Can of a reflexive skill.
func (e *Expert) foresee(s robot.Skill, o *robot.Observation) float64 {
	reflex, err := NewReflex(e.arm.desc)
	if err != nil {
		return 0
	}
	chance, err := (&reacting{reflex: reflex, skill: s}).foresee(o)
	if err != nil {
		return 0
	}
	return chance
}

// task checks that s can begin and gives what carries it out.
func (e *Expert) task(s robot.Skill, o *robot.Observation) (task, error) {
	if s.Name == "home" || s.Name == "done" {
		if len(s.Args) != 0 {
			return nil, fmt.Errorf("takes no arguments, not %d", len(s.Args))
		}
		if s.Name == "done" {
			return &nothing{}, nil
		}
		return &homing{}, nil
	}
	if o.Scene == nil {
		return nil, errors.New("nobody looked at the scene")
	}
	want := map[string]int{"pick": 1, "place_in": 2, "place_on": 2, "place_beside": 2, "push": 2}
	n, known := want[s.Name]
	if !known {
		return nil, errors.New("the scripted executor has no such skill")
	}
	if len(s.Args) != n {
		return nil, fmt.Errorf("takes %d arguments, not %d", n, len(s.Args))
	}
	block, ok := o.Scene.Find(s.Args[0])
	if !ok {
		return nil, fmt.Errorf("there is no %s in the scene", s.Args[0])
	}
	switch s.Name {
	case "pick":
		return newPicking(block, o.Scene)
	case "push":
		return newPushing(block, s.Args[1], o.Scene)
	}
	return newPlacing(s, block, o.Scene)
}

// standing gives where the joints are told to be, or where they are when they
// do not follow: a motion that starts from there has no jump.
func (e *Expert) standing(o *robot.Observation) robot.Joints {
	if e.last != nil && o.At >= e.last.start {
		allowed := maxLagRad
		if o.At.Sub(e.last.end()) > settleTime {
			allowed = thereRad
		}
		if q, _ := e.last.at(o.At); !e.arm.lags(&q, &o.State.Position, allowed) {
			return q
		}
	}
	q := o.State.Position
	if o.Scene != nil {
		if _, holds := o.Scene.Held(); holds {
			q[e.arm.gripper] -= squeezeM
		}
	}
	for i := range e.arm.desc.Joints {
		l := &e.arm.desc.Joints[i].Limits
		q[i] = clamp(q[i], l.MinPosition, l.MaxPosition)
	}
	return q
}

// follows says whether the joints are where the motion under way has them,
// servos being late a little, and go at least half as fast.
func (e *Expert) follows(o *robot.Observation) bool {
	const late = 0.06 // s
	q, v := e.last.at(o.At)
	planned, really := 0.0, 0.0
	for _, i := range e.arm.chain {
		if math.Abs(q[i]-o.State.Position[i]) > thereRad+late*math.Abs(v[i]) {
			return false
		}
		planned, really = max(planned, math.Abs(v[i])), max(really, math.Abs(o.State.Velocity[i]))
	}
	return really >= planned/2
}

// lags says whether an arm joint is farther than rad from where it should be.
// The gripper is left out: it stops at what it holds.
func (a *arm) lags(q, is *robot.Joints, rad float64) bool {
	for _, i := range a.chain {
		if d := q[i] - is[i]; d > rad || d < -rad {
			return true
		}
	}
	return false
}

// Next gives the stretch of motion from o.At on, and how far the skill has
// come. After Succeeded or Failed the chunk holds the last position; Begin
// comes next.
func (e *Expert) Next(o *robot.Observation) (robot.Chunk, robot.Outcome) {
	if e.reacting != nil {
		c, outcome := e.reacting.next(o)
		if outcome.Status != robot.Running {
			e.reacting = nil
		}
		return c, outcome
	}
	if e.arm.unfit != nil || e.run == nil {
		return robot.Chunk{}, robot.Outcome{Status: robot.Failed, Reason: "no skill was begun"}
	}
	outcome := e.advance(o)
	if outcome.Status != robot.Running {
		e.run = nil
	}
	return e.chunk(o), outcome
}

// chunk samples the motion under way. It begins two steps before o.At, so that
// at o.At the curve through its actions has the velocity of the motion and a
// consumer that blends in there finds no seam.
func (e *Expert) chunk(o *robot.Observation) robot.Chunk {
	c := robot.Chunk{
		ObservedAt: o.Oldest(), Start: o.At.Add(-2 * chunkStep), Step: chunkStep, Expires: o.At.Add(chunkExpires),
		Actions: make([]robot.Joints, chunkSteps),
	}
	for k := range c.Actions {
		c.Actions[k], _ = e.last.at(c.Start.Add(time.Duration(k) * chunkStep))
	}
	return c
}

// Can gives the probability that s succeeds from here, by planning it: 0 when
// it cannot begin or the arm cannot get there, about 0.97 when nothing is in
// the way, less where the fingers have little room.
func (e *Expert) Can(o *robot.Observation, s robot.Skill) float64 {
	if e.arm.unfit != nil {
		return 0
	}
	if reflexive[s.Name] {
		return e.foresee(s, o)
	}
	t, err := e.task(s, o)
	if err != nil {
		return 0
	}
	from := e.standing(o)
	p, err := t.plan(e.arm, o, &from)
	if err != nil {
		return 0
	}
	return p.chance()
}
