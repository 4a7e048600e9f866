package household

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// Name is how configurations and outputs call this way of acting: it knows the
// scene, it did not learn.
const Name = "scripted"

// How chunks are cut from a motion, and when a skill gives up.
const (
	chunkStep    = 25 * time.Millisecond
	chunkSteps   = 31 // 0.75 s
	chunkExpires = 600 * time.Millisecond
	maxTries     = 4
	maxTime      = 60 * time.Second
	// A joint that lags its motion by more, m or rad, is taken to be held up.
	maxLag = 0.12
	// restLag is how near to the end of a motion the joints come before the next
	// begins, if they do within settleTime.
	restLag    = 0.006
	settleTime = 300 * time.Millisecond
)

// leg is one motion and what to wait for.
type leg struct {
	knots    []robot.Joints
	slowdown float64
	// until ends the leg early; wait is how long to stay at its end otherwise.
	until func(o *robot.Observation) bool
	wait  time.Duration
}

// task is what differs between skills: next gives the leg that follows, or how
// the skill ended.
type task interface {
	next(b *body, o *robot.Observation, from *robot.Joints) (leg, robot.Outcome)
}

// Expert carries out one skill at a time. Its methods are called from one
// goroutine.
type Expert struct {
	body  *body
	unfit error

	task   task
	leg    leg
	motion *motion
	began  robot.Time
	halts  int
}

// New makes an expert for the robot of package layout; any other is refused at
// Begin, with the reason.
func New(d *robot.Description) *Expert {
	b, err := newBody(d)
	return &Expert{body: b, unfit: err}
}

// Name says what kind of policy this is.
func (e *Expert) Name() string { return Name }

// Begin starts s in place of any skill under way. The error says in words why s
// cannot be done from here.
func (e *Expert) Begin(s robot.Skill, o *robot.Observation) error {
	e.task = nil
	if e.unfit != nil {
		return e.unfit
	}
	t, err := e.newTask(s, o)
	if err != nil {
		return fmt.Errorf("%s: %w", s, err)
	}
	from := e.standing(o)
	e.task, e.began, e.halts = t, o.At, 0
	e.leg, e.motion = leg{}, newMotion(e.body.desc, []robot.Joints{from}, o.At, 1)
	return nil
}

// arguments is how many each skill takes.
var arguments = map[string]int{
	"go_to": 1, "pick": 1, "place_on": 2, "place_in": 2, "hand_over": 2, "open": 1, "close": 1, "wipe": 2, "home": 0, "done": 0,
}

func (e *Expert) newTask(s robot.Skill, o *robot.Observation) (task, error) {
	n, known := arguments[s.Name]
	if !known {
		return nil, errors.New("the scripted executor has no such skill")
	}
	if len(s.Args) != n {
		return nil, fmt.Errorf("takes %d arguments, not %d", n, len(s.Args))
	}
	switch s.Name {
	case "done":
		return &nothing{}, nil
	case "home":
		return &folding{}, nil
	}
	if o.Scene == nil {
		return nil, errors.New("nobody looked at the scene")
	}
	for _, name := range s.Args {
		if _, ok := o.Scene.Find(name); !ok {
			return nil, fmt.Errorf("there is no %s in the scene", name)
		}
	}
	switch s.Name {
	case "go_to":
		return newDriving(s.Args[0])
	case "pick":
		return newPicking(s.Args[0], o.Scene)
	case "open", "close":
		return newSliding(s.Args[0], s.Name == "open", o.Scene)
	case "wipe":
		return newWiping(s.Args[0], s.Args[1], o.Scene)
	}
	return e.newPutting(s, o)
}

// Next gives the stretch of motion from o.At on, and how far the skill has come.
// After Succeeded or Failed the chunk holds the last position; Begin comes next.
func (e *Expert) Next(o *robot.Observation) (robot.Chunk, robot.Outcome) {
	if e.unfit != nil || e.task == nil {
		return robot.Chunk{}, failed("no skill was begun")
	}
	outcome := e.advance(o)
	if outcome.Status != robot.Running {
		e.task = nil
	}
	return e.chunk(o), outcome
}

func (e *Expert) advance(o *robot.Observation) robot.Outcome {
	if o.At.Sub(e.began) > maxTime {
		e.rest(o)
		return failed("it took too long")
	}
	if planned := e.motion.position(o.At); e.lags(&planned, &o.State.Position, maxLag) {
		e.rest(o)
		if e.halts++; e.halts > 2 {
			return failed("the joints do not follow: something is in the way")
		}
		return running
	}
	if e.leg.until != nil && e.leg.until(o) {
		e.motion = newMotion(e.body.desc, []robot.Joints{e.motion.position(o.At)}, o.At, 1)
	} else if since := o.At.Sub(e.motion.end()); since < 0 || since < e.leg.wait || since < settleTime && e.stirs(o) {
		return running
	}
	from := e.motion.position(o.At)
	l, outcome := e.task.next(e.body, o, &from)
	if outcome.Status != robot.Running {
		return outcome
	}
	e.leg = l
	e.motion = newMotion(e.body.desc, append([]robot.Joints{from}, l.knots...), o.At, max(l.slowdown, 1))
	return running
}

// stirs says that the joints have not come to rest at the end of a motion.
func (e *Expert) stirs(o *robot.Observation) bool {
	end := e.motion.position(o.At)
	return e.lags(&end, &o.State.Position, restLag)
}

// rest begins anew from where the joints are.
func (e *Expert) rest(o *robot.Observation) {
	e.leg = leg{}
	e.motion = newMotion(e.body.desc, []robot.Joints{e.within(o.State.Position)}, o.At, 1)
}

// standing gives where the joints are told to be, or where they are when they do
// not follow: a motion that starts from there has no jump.
func (e *Expert) standing(o *robot.Observation) robot.Joints {
	if e.motion != nil && o.At >= e.motion.start {
		if q := e.motion.position(o.At); !e.lags(&q, &o.State.Position, maxLag/4) {
			return q
		}
	}
	return e.within(o.State.Position)
}

func (e *Expert) within(q robot.Joints) robot.Joints {
	for i := range e.body.desc.Joints {
		l := &e.body.desc.Joints[i].Limits
		q[i] = min(max(q[i], l.MinPosition), l.MaxPosition)
	}
	return q
}

func (e *Expert) lags(q, is *robot.Joints, most float64) bool {
	for i := range e.body.desc.Joints {
		if i != layout.Valve && math.Abs(q[i]-is[i]) > most {
			return true
		}
	}
	return false
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
		c.Actions[k] = e.motion.position(c.Start.Add(time.Duration(k) * chunkStep))
	}
	return c
}

// Can gives the probability that s succeeds from here: 0 when it cannot begin or
// the arm cannot get there.
func (e *Expert) Can(o *robot.Observation, s robot.Skill) float64 {
	const easy = 0.97
	if e.unfit != nil {
		return 0
	}
	t, err := e.newTask(s, o)
	if err != nil {
		return 0
	}
	if r, ok := t.(interface {
		within(*body, *robot.Joints) error
	}); ok && r.within(e.body, &o.State.Position) != nil {
		return 0
	}
	return easy
}

var (
	running   = robot.Outcome{Status: robot.Running}
	succeeded = robot.Outcome{Status: robot.Succeeded}
)

func failed(reason string) robot.Outcome { return robot.Outcome{Status: robot.Failed, Reason: reason} }
