package demos

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
	"github.com/kuai-robot/kuai/sim/expert"
	"github.com/kuai-robot/kuai/sim/world"
)

// What a frame holds.
const (
	// Horizon is how many steps of Period each frame's advice reaches ahead.
	Horizon = 12
	Period  = 100 * time.Millisecond

	FrontWidth, FrontHeight = 128, 96
	WristWidth, WristHeight = 64, 64
)

// How long a skill may take, and how many frames of its end are kept.
const (
	maxSkillSteps = 110
	restSteps     = 3
)

// Frame is one instant of an episode. Its pictures are valid until the next.
type Frame struct {
	At           robot.Time
	State        robot.State
	Scene        *robot.Scene
	Hand         hand.Hand
	Stroke       hand.Stroke
	Front, Wrist []byte
	Skill        robot.Skill
	// Ahead is the teacher's advice; Command are the joints of its first step.
	Ahead   expert.Ahead
	Command robot.Joints
	// Step counts from the beginning of the skill.
	Step int
}

// Actor moves the hand.
type Actor interface {
	// Begin is told of each skill.
	Begin(s robot.Skill, random *rand.Rand)
	// Act gives where the hand should be a Period after f; over says that the
	// actor thinks the skill is over.
	Act(f *Frame) (to hand.Hand, over bool, err error)
}

// Sink keeps frames.
type Sink interface {
	Begin(e *Episode) error
	Add(f *Frame) error
	// End closes the episode; success says for each of its skills that was begun
	// whether it did what it is for.
	End(success []bool) error
}

// Studio is where episodes are played. One goroutine at a time.
type Studio struct {
	world  *world.World
	arm    *hand.Arm
	reflex *expert.Reflex
	front  []byte
	wrist  []byte
}

// NewStudio makes a workbench.
func NewStudio(o world.Options) (*Studio, error) {
	o.Workbench = true
	w, err := world.New(o)
	if err != nil {
		return nil, err
	}
	s := &Studio{world: w, front: make([]byte, 3*FrontWidth*FrontHeight), wrist: make([]byte, 3*WristWidth*WristHeight)}
	if s.arm, err = hand.New(w.Description()); err == nil {
		s.reflex, err = expert.NewReflex(w.Description())
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return s, nil
}

// Close frees the workbench.
func (s *Studio) Close() error { return s.world.Close() }

// Draw makes the episode of a seed.
func (s *Studio) Draw(seed uint64, mix Mix, vary world.Vary) Episode {
	return Draw(seed, mix, vary, s.world.Description(), s.arm)
}

// take is an episode being played.
type take struct {
	*Studio
	episode *Episode
	sink    Sink
	random  *rand.Rand
	command robot.Joints // what the servos are told
	stroke  hand.Stroke
	step    int // from the beginning of the episode
}

// Run plays e with the actor. An episode whose layout the simulator cannot bring
// to rest, or one that the teacher cannot answer, is an error of ErrSkip.
func (s *Studio) Run(e *Episode, actor Actor, sink Sink) (success []bool, err error) {
	t, err := s.begin(e, sink)
	if err != nil {
		return nil, err
	}
	for _, skill := range e.Skills {
		ok, err := t.skill(skill, actor)
		if err != nil {
			return nil, err
		}
		success = append(success, ok)
		if !ok {
			break
		}
	}
	return success, sink.End(success)
}

// begin lays out an episode.
func (s *Studio) begin(e *Episode, sink Sink) (*take, error) {
	if err := s.world.Reset(e.Seed, e.Spec); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSkip, err)
	}
	state, err := s.world.Read()
	if err != nil {
		return nil, err
	}
	t := &take{Studio: s, episode: e, sink: sink, random: rand.New(rand.NewPCG(e.Seed, 0x6e6f6973)), command: state.Position}
	return t, sink.Begin(e)
}

// skill plays one skill to its end.
func (t *take) skill(skill robot.Skill, actor Actor) (bool, error) {
	actor.Begin(skill, t.random)
	t.stroke = hand.Stroke{}
	before := t.world.Scene()
	rest := 0
	for step := range maxSkillSteps {
		f, err := t.look(skill, step)
		if err != nil {
			return false, err
		}
		if err := t.sink.Add(f); err != nil {
			return false, err
		}
		to, over, err := actor.Act(f)
		if err != nil {
			return false, err
		}
		if over {
			if rest++; rest >= restSteps {
				break
			}
		} else {
			rest = 0
		}
		if err := t.move(to); err != nil {
			return false, err
		}
	}
	_, ok := robot.HoldAll(Promise(skill), before, t.world.Scene())
	return ok, nil
}

// look takes both pictures and asks the teacher.
func (t *take) look(skill robot.Skill, step int) (*Frame, error) {
	f, err := t.advise(skill, step)
	if err != nil {
		return nil, err
	}
	return f, t.render()
}

func (t *take) render() error {
	if err := t.world.Render("front", FrontWidth, FrontHeight, t.front); err != nil {
		return err
	}
	return t.world.Render("wrist", WristWidth, WristHeight, t.wrist)
}

// advise asks the teacher.
func (t *take) advise(skill robot.Skill, step int) (*Frame, error) {
	if t.episode.Moved != "" && t.step == t.episode.AtStep {
		if _, err := t.world.Move(t.episode.Moved, t.episode.To); err != nil {
			return nil, err
		}
	}
	t.step++
	state, err := t.world.Read()
	if err != nil {
		return nil, err
	}
	f := &Frame{At: state.At, State: state, Scene: t.world.Scene(), Skill: skill, Step: step, Front: t.front, Wrist: t.wrist}
	f.Hand = t.arm.Hand(&state.Position)
	t.stroke.See(f.Hand)
	f.Stroke = t.stroke
	f.Ahead, err = t.reflex.Ahead(skill, &expert.Sight{Scene: f.Scene, Hand: f.Hand, Stroke: f.Stroke}, Horizon)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSkip, err)
	}
	f.Command, _ = t.arm.Joints(f.Ahead.Hands[0], &t.command)
	return f, nil
}

// move brings the hand to where it should be a period from now, in a straight
// line of the joints, none of them faster than it may be.
func (t *take) move(to hand.Hand) error {
	d := t.world.Description()
	q, _ := t.arm.Joints(to, &t.command)
	var c robot.Command
	c.Enable = true
	seconds := Period.Seconds()
	for i := range d.Joints {
		fastest := d.Joints[i].Limits.MaxVelocity
		c.Velocity[i] = min(max((q[i]-t.command[i])/seconds, -fastest), fastest)
	}
	from := t.command
	ticks := int(Period / world.TickPeriod)
	for tick := 1; tick <= ticks; tick++ {
		for i := range d.Joints {
			c.Position[i] = from[i] + c.Velocity[i]*seconds*float64(tick)/float64(ticks)
		}
		if err := t.world.Write(&c); err != nil {
			return err
		}
		t.world.Step(world.TickPeriod)
	}
	t.command = c.Position
	return nil
}

// Promise gives what a skill is for.
func Promise(s robot.Skill) []robot.Predicate {
	say := func(name string, args ...string) []robot.Predicate {
		return []robot.Predicate{{Name: name, Args: args}}
	}
	switch s.Name {
	case "pick":
		return say("held", s.Args...)
	case "place_in":
		return say("in", s.Args...)
	case "place_on":
		return say("on", s.Args...)
	case "push":
		return say("moved", s.Args...)
	case "press":
		return say("pressed", s.Args...)
	case "open":
		return say("open", s.Args...)
	case "close":
		return say("closed", s.Args...)
	}
	return nil
}
