package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/policy/learned"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/eval"
	"github.com/kuai-robot/kuai/sim/world"
)

// Lab is the robot without goroutines: the planner, agent, control loop and
// safety core of the daemon in lockstep with the simulator, as fast as the
// machine allows. It implements eval.Robot. One goroutine at a time.
type Lab struct {
	config *config.Config
	mind   *mind
	world  simulated
	limits *safety.Limits
	// planner serves all episodes: each begins with the examples alone in the
	// model's cache, as they were read once, so none depends on the one before.
	planner      *saycan.Planner
	closePlanner func() error
	// policy is what the learned runner has; nil where skills are scripted.
	policy *policy
	// runner is this episode's learned one, seams what those of the episodes before it
	// counted.
	runner *learned.Runner
	seams  learned.Stats
	// disturbance is what somebody does in this episode.
	disturbance *eval.Disturbance
	began       robot.Time

	// what each episode has anew
	clock   *world.Clock
	loop    *control.Loop
	agent   *agent.Agent
	updates []agent.Update
	scenes  []*robot.Scene // the true scene at each update
}

var _ eval.Robot = (*Lab)(nil)

// NewLab loads the model that c names and makes a world.
func NewLab(c *config.Config) (*Lab, error) {
	limits, err := compileSafety(c)
	if err != nil {
		return nil, err
	}
	l := &Lab{config: c, limits: limits}
	if l.world, err = newWorld(&c.Sim); err != nil {
		return nil, err
	}
	if l.policy, err = newPolicy(c, l.world.Description()); err != nil {
		return nil, errors.Join(err, l.world.Close())
	}
	if l.mind, err = newMind(c); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	affordance, err := l.policy.affordance(c, l.mind.catalogue, newScripted(l.world.Description()))
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	l.planner, l.closePlanner, err = l.mind.planner(robot.NewSystemClock(), affordance)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// listen gives tell the reasons why a GPU is not used.
func (l *Lab) listen(tell func(error)) {
	l.mind.compute.listen(tell)
	if l.policy != nil {
		l.policy.compute.listen(tell)
	}
}

// Close frees the model and the world.
func (l *Lab) Close() error {
	var errs []error
	if l.closePlanner != nil {
		errs = append(errs, l.closePlanner())
	}
	if l.mind != nil {
		errs = append(errs, l.mind.Close())
	}
	return errors.Join(append(errs, l.policy.close(), l.world.Close())...)
}

// Begin implements eval.Robot.
func (l *Lab) Begin(ctx context.Context, seed uint64, spec world.Spec) (*robot.Scene, error) {
	if err := l.world.Reset(seed, spec); err != nil {
		return nil, err
	}
	if err := l.wire(); err != nil {
		return nil, err
	}
	if err := l.planner.Warm(ctx, l.world.Scene()); err != nil {
		return nil, err
	}
	l.disturbance = nil
	// The loop engages the joints before anybody asks for a motion.
	if err := l.clock.Wait(ctx, l.clock.Now().Add(engage)); err != nil {
		return nil, err
	}
	return l.world.Scene(), nil
}

const engage = 10 * world.TickPeriod

// wire makes the episode's clock, loop and agent.
func (l *Lab) wire() (err error) {
	l.clock, err = world.NewClock(l.world, 0, l.tick)
	if err != nil {
		return err
	}
	l.loop, err = control.New(l.limits, l.world, l.clock, control.Config{RateHz: l.config.Control.RateHz})
	if err != nil {
		return err
	}
	var body body = &realBody{loop: l.loop, clock: l.clock, scene: l.world.Scene}
	scripted := newScripted(l.world.Description())
	if l.policy == nil {
		l.agent, err = l.mind.newAgent(l.planner, scripted, body, l.clock, l.report)
		return err
	}
	l.seams = l.counted()
	runner, err := l.policy.runner(l.mind.catalogue, scripted)
	if err != nil {
		return err
	}
	l.runner = runner
	l.agent, err = l.mind.newAgent(l.planner, runner, &seeing{body: body, world: l.world, size: l.policy.pictures()}, l.clock, l.report)
	return err
}

// tick is the control loop's, and when its time has come what somebody does.
func (l *Lab) tick() {
	l.loop.Tick()
	d := l.disturbance
	if d == nil || l.began == 0 || l.clock.Now().Sub(l.began).Seconds() < d.After {
		return
	}
	// What is in the hand or in the way stays where it is, this tick and later.
	if moved, err := l.world.Move(d.Object, d.To); err != nil || moved {
		l.disturbance = nil
	}
}

// Disturb implements eval.Disturber.
func (l *Lab) Disturb(d *eval.Disturbance) { l.disturbance, l.began = d, 0 }

func (l *Lab) report(u agent.Update) {
	l.updates = append(l.updates, u)
	l.scenes = append(l.scenes, l.world.Scene())
}

// Say implements eval.Robot.
func (l *Lab) Say(ctx context.Context, text string) (eval.Answer, error) {
	return l.answer(ctx, func() agent.Plan { return l.agent.Run(ctx, "eval", text) })
}

// Do implements eval.Robot.
func (l *Lab) Do(ctx context.Context, s robot.Skill) (eval.Answer, error) {
	return l.answer(ctx, func() agent.Plan { return l.agent.RunSkill(ctx, "eval", s) })
}

func (l *Lab) answer(ctx context.Context, run func() agent.Plan) (eval.Answer, error) {
	if l.agent == nil {
		return eval.Answer{}, errors.New("lab: no episode has begun")
	}
	l.updates, l.scenes = nil, nil
	if l.began == 0 {
		l.began = l.clock.Now()
	}
	plan := run()
	if err := ctx.Err(); err != nil {
		return eval.Answer{}, err
	}
	if _, err := l.world.Read(); err != nil {
		return eval.Answer{}, fmt.Errorf("lab: %w", err)
	}
	a := eval.Answer{
		Succeeded: plan.Status == robot.Succeeded, Cause: string(plan.Cause), Reason: plan.Reason,
		Seconds: plan.Took().Seconds(), Scene: l.world.Scene(),
	}
	for _, text := range []string{plan.Said, plan.Reason} {
		if text != "" {
			a.Said = append(a.Said, text)
		}
	}
	for i := range plan.Steps {
		a.Steps = append(a.Steps, l.step(&plan, i))
	}
	return a, nil
}

func (l *Lab) step(plan *agent.Plan, i int) eval.Step {
	s := &plan.Steps[i]
	d := &s.Decision
	out := eval.Step{
		Skill: s.Skill, Phrase: s.Phrase, Ends: d.Chosen.Ends,
		Succeeded: s.Outcome.Status == robot.Succeeded, Reason: s.Outcome.Reason, Seconds: s.Seconds(plan.At),
		ScoreMS: float64(d.Took) / 1e6, Visited: d.Visited, Nodes: d.Total, Success: l.success(s),
	}
	for _, c := range d.Candidates {
		out.Candidates = append(out.Candidates, eval.Candidate{Skill: c.Skill.String(), Say: c.Say, Can: c.Can, Product: c.Product})
	}
	for k := range l.updates {
		switch u := &l.updates[k]; {
		case u.Step != s.Number:
		case u.Kind == agent.StepStarted:
			out.Before = l.scenes[k]
		case u.Kind == agent.StepSucceeded, u.Kind == agent.StepFailed:
			out.After = l.scenes[k]
		}
	}
	return out
}

// success gives what the skill of s promises; a skill asked for by name has no
// decision that would tell.
func (l *Lab) success(s *agent.Step) []robot.Predicate {
	if len(s.Decision.Chosen.Success) > 0 || s.Decision.Chosen.Ends {
		return s.Decision.Chosen.Success
	}
	for k := range l.updates {
		if u := &l.updates[k]; u.Step == s.Number && u.Kind == agent.StepStarted {
			if option, err := l.mind.catalogue.Find(l.scenes[k], s.Skill); err == nil {
				return option.Success
			}
		}
	}
	return nil
}
