package daemon

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/kuai-robot/kuai/fusion/vla"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/policy/learned"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
	"github.com/kuai-robot/kuai/sim/demos"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// pupil is the Actor of DAgger: the policy moves the hand, the frames keep what
// the teacher would have done.
type pupil struct {
	session *vla.Session
	arm     *hand.Arm
	phrase  func(robot.Skill) string
	execute int
	alone   bool

	random *rand.Rand
	words  string
	plan   []hand.Hand
	step   int
	// over is how often running the policy, left alone, said that the skill is over.
	over int
	// taught counts steps that the teacher takes over: some of the states after a
	// mistake are those from which somebody came back.
	taught int
}

// rescueOften is how often, a step, the teacher takes the hand, for rescueSteps at
// most.
const (
	rescueOften = 0.01
	rescueSteps = 15
	// giveUpSteps is when a skill is broken off: a policy that got stuck teaches no
	// more by staying there.
	giveUpSteps = 75
)

// PolicyDemos is Demos with the policy of a folder moving the hand: what a round
// of DAgger learns from.
func PolicyDemos(ctx context.Context, clock robot.Clock, o DemoOptions, dir string, execute int) (report DemoReport, err error) {
	d := so101.Description()
	backend := newBackend(&config.Planner{Backend: o.Backend, Threads: 1}, o.Tell)
	policy, err := vla.Open(dir, d, backend, kernels.Options{})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, policy.Close()) }()
	session, err := policy.NewSession(o.Seed)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	arm, err := hand.New(d)
	if err != nil {
		return report, err
	}
	return playDemos(ctx, clock, o, &pupil{session: session, arm: arm, phrase: phraseOf(skill.Workbench()), execute: max(execute, 1), alone: o.Alone})
}

// Begin implements demos.Actor.
func (p *pupil) Begin(s robot.Skill, random *rand.Rand) {
	p.random, p.words, p.plan, p.taught, p.over = random, p.phrase(s), nil, 0, 0
}

// Act implements demos.Actor.
func (p *pupil) Act(f *demos.Frame) (hand.Hand, bool, error) {
	over := f.Step >= giveUpSteps || !p.alone && f.Ahead.DoneAt == 0
	if rescue := p.random.Float64() < rescueOften; rescue && p.taught == 0 && !p.alone {
		p.taught = 1 + p.random.IntN(rescueSteps)
	}
	if p.taught > 0 {
		p.taught--
		p.plan = nil
		return f.Ahead.Hands[0], over, nil
	}
	if p.plan == nil || p.step >= p.execute {
		if err := p.ask(f); err != nil {
			return hand.Hand{}, false, err
		}
	}
	p.step++
	return p.plan[p.step-1], over || p.alone && p.over >= learned.OverAfter, nil
}

func (p *pupil) ask(f *demos.Frame) error {
	out, err := p.session.Predict(context.Background(), &vla.Input{
		Front:  &robot.Frame{Camera: "front", Width: demos.FrontWidth, Height: demos.FrontHeight, Pixels: f.Front},
		Wrist:  &robot.Frame{Camera: "wrist", Width: demos.WristWidth, Height: demos.WristHeight, Pixels: f.Wrist},
		Phrase: p.words, Features: p.arm.Feel(&f.State, &f.Stroke),
	})
	if err != nil {
		return err
	}
	p.plan, p.step = p.plan[:0], 0
	if p.over++; out.Done[0] <= learned.DefaultBounds().Done {
		p.over = 0
	}
	for _, m := range out.Moves {
		h := f.Hand
		h.X, h.Y, h.Z = h.X+m.X, h.Y+m.Y, max(h.Z+m.Z, lowestHand)
		h.Tilt, h.Roll, h.Grip = h.Tilt+m.Tilt, h.Roll+m.Roll, m.Grip
		p.plan = append(p.plan, h)
	}
	return nil
}

// lowestHand is as low as a policy may send the hand, m.
const lowestHand = 0.0185
