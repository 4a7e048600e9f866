package learned

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kuai-robot/kuai/fusion/vla"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
)

// Name is how configurations and outputs call this way of acting.
const Name = "learned"

// Predictor is the network; *vla.Session is one.
type Predictor interface {
	Predict(ctx context.Context, in *vla.Input) (*vla.Output, error)
}

// Other runs the skills that were never taught.
type Other interface {
	Begin(s robot.Skill, o *robot.Observation) error
	Next(o *robot.Observation) (robot.Chunk, robot.Outcome)
}

// Config is what a Runner is made of; Description, Predictor, Knows and Phrase are
// required.
type Config struct {
	Description *robot.Description
	Predictor   Predictor
	// Knows says whether the policy was taught s.
	Knows func(s robot.Skill) bool
	// Phrase gives the words for s.
	Phrase func(s robot.Skill) string
	// Other runs what it was not taught; nil: nobody does.
	Other Other
	// Unlike says how unlike the pictures of training a picture is, above 1: too
	// much; nil: nobody knows.
	Unlike func(f *robot.Frame) float64
	Bounds Bounds
}

// Runner carries out one skill at a time.
type Runner struct {
	config  Config
	arm     *hand.Arm
	cameras []*watch
	stats   Stats

	skill  robot.Skill
	phrase string
	run    bool
	other  bool // Config.Other runs it
	began  robot.Time
	stroke hand.Stroke
	course *course
	before hand.Hand // where the hand was told to be a step before the course
	asked  robot.Time
	seen   robot.Time // the oldest sample of what the course rests on
	over   int        // how often running the network said that it is over
	holds  [2]float64 // that it worked, the last two times that the network was asked
	judged bool       // the policy has a judge
	sure   int        // how often running the judge was sure that it worked
	blind  robot.Time // since when the cameras show nothing; 0: they do
}

// New makes a runner.
func New(c Config) (*Runner, error) {
	if c.Description == nil || c.Predictor == nil || c.Knows == nil || c.Phrase == nil {
		return nil, errors.New("learned: needs a description, a policy and its skills")
	}
	arm, err := hand.New(c.Description)
	if err != nil {
		return nil, fmt.Errorf("learned: %w", err)
	}
	c.Bounds = c.Bounds.withDefaults()
	r := &Runner{config: c, arm: arm}
	for _, name := range []string{"front", "wrist"} {
		r.cameras = append(r.cameras, &watch{camera: name, maxAge: c.Bounds.MaxAge})
	}
	return r, nil
}

// Name says what kind of policy this is.
func (r *Runner) Name() string { return Name }

// Begin starts s in place of any skill under way. The error says in words why it
// cannot be done from here.
func (r *Runner) Begin(s robot.Skill, o *robot.Observation) error {
	*r = Runner{config: r.config, arm: r.arm, cameras: r.cameras, stats: r.stats}
	for _, w := range r.cameras {
		w.reset()
	}
	if !r.config.Knows(s) {
		if r.config.Other == nil {
			return fmt.Errorf("%s: the policy was never taught this", s)
		}
		if err := r.config.Other.Begin(s, o); err != nil {
			return err
		}
		r.other, r.run = true, true
		return nil
	}
	why := r.look(o)
	if why == "" {
		why = r.recognise(o)
	}
	if why != "" {
		return fmt.Errorf("%s: %s", s, why)
	}
	r.skill, r.phrase, r.run, r.began = s, r.config.Phrase(s), true, o.At
	return nil
}

// look says what is wrong with the pictures, empty when nothing is.
func (r *Runner) look(o *robot.Observation) string {
	for _, w := range r.cameras {
		if why := w.check(o, len(r.config.Description.Joints)-1); why != "" {
			return why
		}
	}
	return ""
}

// recognise says which camera's picture is not that camera's, empty when each is.
// A skill asks once, before the arm moves: cameras are not plugged in meanwhile,
// and a hand that a policy has led astray sees what no demonstration showed.
func (r *Runner) recognise(o *robot.Observation) string {
	for _, w := range r.cameras {
		if f, ok := o.Frame(w.camera); ok && r.config.Unlike != nil && r.config.Unlike(f) > 1 {
			return fmt.Sprintf("the picture of the %s camera is unlike any of the training (is it the right camera, and the right way up?)", w.camera)
		}
	}
	return ""
}

// Next gives the stretch of motion from o.At on, and how far the skill has come.
func (r *Runner) Next(o *robot.Observation) (robot.Chunk, robot.Outcome) {
	switch {
	case !r.run:
		return robot.Chunk{}, failed("no skill was begun")
	case r.other:
		return r.config.Other.Next(o)
	}
	now := r.arm.Hand(&o.State.Position)
	r.stroke.See(now)
	if why := r.look(o); why != "" {
		return r.hold(o, now, why)
	}
	r.blind = 0
	if r.course == nil || o.At.Sub(r.asked) >= time.Duration(r.config.Bounds.Execute)*Step-Step/4 {
		if err := r.ask(o, now); err != nil {
			r.run = false
			return robot.Chunk{}, failed(err.Error())
		}
	}
	switch {
	case r.over >= OverAfter && r.worked() < r.config.Bounds.Doubt && r.over < patience:
		return r.chunk(o), robot.Outcome{Status: robot.Running}
	case r.sure >= surely:
		r.run = false
		return r.chunk(o), robot.Outcome{Status: robot.Succeeded}
	case r.over >= OverAfter:
		r.run = false
		if p := r.worked(); p < r.config.Bounds.Doubt {
			return r.chunk(o), failed(fmt.Sprintf("the motion is over, but the pictures do not show that it worked (%.0f %% sure that it did)", 100*p))
		}
		return r.chunk(o), robot.Outcome{Status: robot.Succeeded}
	case o.At.Sub(r.began) > r.config.Bounds.Time:
		r.run = false
		if r.judged && r.worked() > believed {
			return r.chunk(o), robot.Outcome{Status: robot.Succeeded}
		}
		return r.chunk(o), failed(fmt.Sprintf("not over after %s", r.config.Bounds.Time))
	}
	return r.chunk(o), robot.Outcome{Status: robot.Running}
}

// worked is how likely what the skill is for is so, by the last two looks: one alone
// may mislead.
func (r *Runner) worked() float64 { return (r.holds[0] + r.holds[1]) / 2 }

// OverAfter is how often running the network must say that a skill is over.
const OverAfter = 2

// patience is how often the network is asked, once the motion is over, before what
// the pictures do not show has failed.
const patience = 4

// surely is how often running the judge must be sure that it worked.
const surely = 4

// believed is how likely it must be that a skill worked whose end the policy does
// not notice: more likely than not.
const believed = 0.5

func failed(reason string) robot.Outcome {
	return robot.Outcome{Status: robot.Failed, Reason: reason}
}

// ask has the network look at o.
func (r *Runner) ask(o *robot.Observation, now hand.Hand) error {
	in := vla.Input{Phrase: r.phrase, Features: r.arm.Feel(&o.State, &r.stroke)}
	in.Front, _ = o.Frame("front")
	in.Wrist, _ = o.Frame("wrist")
	out, err := r.config.Predictor.Predict(context.Background(), &in)
	if err != nil {
		return err
	}
	old := r.course
	r.before = now
	if old != nil {
		r.before = old.at(o.At.Add(-Step))
	}
	r.course = old.next(o.At, now, out.Moves, r.config.Bounds.Fixed)
	r.stats.count(r.arm, old, r.course, old.next(o.At, now, out.Moves, -1), o)
	r.asked, r.seen = o.At, o.Oldest()
	holds := 1.0
	if r.judged = out.Judged; r.judged {
		holds = out.Holds
	}
	r.holds = [2]float64{r.holds[1], holds}
	if out.Judged && out.Holds >= r.config.Bounds.Sure {
		r.sure++
	} else {
		r.sure = 0
	}
	if out.Done[0] > r.config.Bounds.Done {
		r.over++
	} else {
		r.over = 0
	}
	return nil
}

// hold keeps the arm where it is while a camera shows nothing.
func (r *Runner) hold(o *robot.Observation, now hand.Hand, why string) (robot.Chunk, robot.Outcome) {
	if r.blind == 0 {
		r.blind = o.At
		r.stats.Held++
		if r.course != nil {
			now = r.course.at(o.At)
		}
		r.course = &course{start: o.At, hands: []hand.Hand{now}}
		r.before, r.asked = now, 0
	}
	r.seen = o.State.At
	if o.At.Sub(r.blind) > r.config.Bounds.Patience {
		r.run = false
		return r.chunk(o), failed(why)
	}
	return r.chunk(o), robot.Outcome{Status: robot.Running}
}

// expires is how long after its observation a chunk may be followed.
const expires = 600 * time.Millisecond

// chunk gives the course in joints, from the step before o.At on, so that a
// consumer that blends in there finds the velocity of the motion.
func (r *Runner) chunk(o *robot.Observation) robot.Chunk {
	k, _ := r.course.find(o.At)
	first := min(max(k-1, 0), len(r.course.hands)-1)
	c := robot.Chunk{
		ObservedAt: r.seen, Start: r.course.start.Add(time.Duration(first) * Step), Step: Step, Expires: o.At.Add(expires),
	}
	q := o.State.Position
	add := func(h hand.Hand) {
		q, _ = r.arm.Joints(h, &q)
		c.Actions = append(c.Actions, q)
	}
	if k == 0 {
		c.Start = c.Start.Add(-Step)
		add(r.before)
	}
	for _, h := range r.course.hands[first:] {
		add(h)
	}
	return c
}
