package agent

import (
	"context"
	"fmt"

	"github.com/kuai-robot/kuai/policy/guard"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/policy/task"
	"github.com/kuai-robot/kuai/robot"
)

// run is one plan under way.
type run struct {
	agent    *Agent
	config   *Config
	ctx      context.Context
	source   robot.Source
	plan     Plan
	deadline robot.Time
	// past are the skills that succeeded and the scene that each began from.
	past []passed
	// item is the request that is being carried out, from the scene began; its
	// first step is number first+1. Without an interpreter there is none.
	item  *task.Item
	began *robot.Scene
	first int
}

type passed struct {
	from   *robot.Scene
	skill  robot.Skill
	phrase string
}

// failure ends a plan.
type failure struct {
	cause  Cause
	reason string
}

func (a *Agent) newRun(ctx context.Context, id, instruction string, source robot.Source) *run {
	now := a.config.Clock.Now()
	return &run{
		agent: a, config: &a.config, ctx: ctx, source: source,
		plan:     Plan{ID: id, Instruction: instruction, Started: now},
		deadline: now.Add(a.config.Bounds.Time),
	}
}

// follow takes step after step until the planner chooses the end.
func (r *run) follow() *failure {
	failures := 0
	for {
		if n := len(r.plan.Steps) - r.first; n == r.config.Bounds.Steps {
			return &failure{CauseTimeout, fmt.Sprintf("gave up after %d steps without coming to an end", n)}
		}
		o, failed := r.look()
		if failed != nil {
			return failed
		}
		request, over, failed := r.request(o.Scene)
		if over || failed != nil {
			return failed
		}
		d, err := r.config.Planner.Decide(r.ctx, &o, request)
		if failed := r.free(); failed != nil {
			return failed
		}
		if err != nil {
			return &failure{CausePlan, err.Error()}
		}
		if last := r.lastFailed(); d.Chosen.Ends && last != nil {
			return &failure{CauseExecution, fmt.Sprintf("nothing better than to stop after %s failed: %s", last.Skill, last.Outcome.Reason)}
		}
		if failed := r.step(&d.Chosen, d, &o); failed != nil || d.Chosen.Ends {
			return failed
		}
		last := r.lastFailed()
		if last == nil {
			failures = 0
			continue
		}
		if last.Interrupted {
			continue
		}
		if failures++; failures == r.config.Bounds.Failures {
			return &failure{CauseExecution, fmt.Sprintf("gave up after %d failed steps in a row, the last %s: %s", failures, last.Skill, last.Outcome.Reason)}
		}
	}
}

// lastFailed gives the last step when it failed, or nil.
func (r *run) lastFailed() *Step {
	if n := len(r.plan.Steps); n > r.first && r.plan.Steps[n-1].Outcome.Status == robot.Failed {
		return &r.plan.Steps[n-1]
	}
	return nil
}

// request gives what to ask the planner; over says that nothing is left to do.
func (r *run) request(scene *robot.Scene) (q saycan.Request, over bool, failed *failure) {
	q = saycan.Request{Instruction: r.plan.Instruction}
	if r.item != nil {
		q.Instruction = r.item.Instruction
		if over, failed = r.narrow(&q, scene); over || failed != nil {
			return q, over, failed
		}
	}
	if len(r.past) > 0 {
		q.Start = r.past[0].from
	}
	for _, p := range r.past {
		q.Done, q.Before = append(q.Done, p.phrase), p.from
		if same(p.from, scene) {
			q.Barred = append(q.Barred, p.skill)
		}
	}
	return q, false, nil
}

// step runs option, which was chosen from o, and adds it to the plan. The
// failure is nil when the plan may go on, whether or not the step succeeded.
func (r *run) step(option *skill.Option, d saycan.Decision, o *robot.Observation) *failure {
	r.plan.Steps = append(r.plan.Steps, Step{
		Number: len(r.plan.Steps) + 1, Decision: d, Skill: option.Skill, Phrase: option.Phrase, Started: r.config.Clock.Now(), Request: r.requested(),
	})
	s := &r.plan.Steps[len(r.plan.Steps)-1]
	before, after := o.Scene, o.Scene
	var failed *failure
	r.report(StepStarted, s.Number, "")
	if option.Ends {
		s.Outcome.Status = robot.Succeeded
	} else {
		s.Outcome, failed = r.drive(s, o)
		r.hold()
		if failed == nil && s.Outcome.Status == robot.Succeeded {
			s.Outcome, after, failed = r.settle(option, before)
		}
	}
	s.Ended = r.config.Clock.Now()
	if failed != nil {
		s.Outcome = robot.Outcome{Status: robot.Failed, Reason: failed.reason}
	}
	if s.Outcome.Status == robot.Failed {
		r.report(StepFailed, s.Number, s.Outcome.Reason)
		return failed
	}
	r.past = append(r.past, passed{before, option.Skill, option.Phrase})
	r.report(StepSucceeded, s.Number, "")
	if s.Surprise = changed(before, after, option.Skill, false); s.Surprise != "" {
		r.report(Warning, s.Number, s.Surprise)
	}
	return nil
}

// drive runs the skill of s from o until its runner says that it is over.
func (r *run) drive(s *Step, o *robot.Observation) (robot.Outcome, *failure) {
	if err := r.config.Runner.Begin(s.Skill, o); err != nil {
		return robot.Outcome{Status: robot.Failed, Reason: err.Error()}, nil
	}
	before, bounds := o.Scene, r.config.Bounds
	until := s.Started.Add(bounds.StepTime)
	for {
		chunk, outcome := r.config.Runner.Next(o)
		if outcome.Status != robot.Running {
			return outcome, nil
		}
		r.act(s, chunk)
		now := r.config.Clock.Now()
		if now >= until {
			return robot.Outcome{Status: robot.Failed, Reason: fmt.Sprintf("not over after %s", bounds.StepTime)}, nil
		}
		if failed := r.wait(now.Add(bounds.Period)); failed != nil {
			return robot.Outcome{}, failed
		}
		next, failed := r.look()
		if failed != nil {
			return robot.Outcome{}, failed
		}
		if what := changed(before, next.Scene, s.Skill, true); what != "" {
			s.Interrupted, s.Surprise = true, what
			return robot.Outcome{Status: robot.Failed, Reason: "broken off, the world changed: " + what}, nil
		}
		o = &next
	}
}

func (r *run) act(s *Step, chunk robot.Chunk) {
	if len(chunk.Actions) == 0 {
		return
	}
	r.agent.chunks[r.source]++
	chunk.ID, chunk.Source = r.agent.chunks[r.source], r.source
	if s.Moved == 0 {
		s.Moved = r.config.Clock.Now()
	}
	r.config.Body.Act(chunk)
}

// settle waits until what option promises is so, in a scene that was seen after
// the motion, and gives that scene.
func (r *run) settle(option *skill.Option, before *robot.Scene) (robot.Outcome, *robot.Scene, *failure) {
	over := r.config.Clock.Now()
	for {
		o, failed := r.look()
		if failed != nil {
			return robot.Outcome{}, nil, failed
		}
		fails, ok := robot.HoldAll(option.Success, before, o.Scene)
		newer := o.Scene.At >= over
		if ok && newer {
			return robot.Outcome{Status: robot.Succeeded}, o.Scene, nil
		}
		if now := r.config.Clock.Now(); now >= over.Add(r.config.Bounds.Settle) {
			reason := fmt.Sprintf("%s is not so afterwards", fails)
			if !newer {
				reason = "no newer scene came afterwards, so nobody knows whether it worked"
			}
			return robot.Outcome{Status: robot.Failed, Reason: reason}, o.Scene, nil
		} else if failed := r.wait(now.Add(r.config.Bounds.Period)); failed != nil {
			return robot.Outcome{}, nil, failed
		}
	}
}

// look gives an observation whose scene and joints are fresh enough to act on.
func (r *run) look() (robot.Observation, *failure) {
	stale := r.config.Bounds.Stale
	until := r.config.Clock.Now().Add(2 * stale)
	for {
		if failed := r.free(); failed != nil {
			return robot.Observation{}, failed
		}
		o, now := r.config.Body.Observe(), r.config.Clock.Now()
		var reason string
		switch {
		case o.Scene == nil:
			reason = "no scene: nothing perceives the objects"
		case now.Sub(o.Scene.At) > stale:
			reason = fmt.Sprintf("the newest scene is %.1f s old (has its camera stopped?)", now.Sub(o.Scene.At).Seconds())
		case now.Sub(o.State.At) > stale:
			reason = fmt.Sprintf("the joints were last read %.1f s ago (is the driver alive?)", now.Sub(o.State.At).Seconds())
		default:
			return o, nil
		}
		if now >= until {
			return robot.Observation{}, &failure{CauseBlind, reason}
		}
		if failed := r.wait(now.Add(r.config.Bounds.Period)); failed != nil {
			return robot.Observation{}, failed
		}
	}
}

// free says why the plan must not go on, or nil.
func (r *run) free() *failure {
	if r.ctx.Err() != nil {
		return &failure{CauseCancelled, context.Cause(r.ctx).Error()}
	}
	if reason, halted := r.config.Brake.Halted(); halted {
		return &failure{CauseStopped, reason}
	}
	if r.config.Clock.Now() >= r.deadline {
		return &failure{CauseTimeout, fmt.Sprintf("not done after %s", r.config.Bounds.Time)}
	}
	return nil
}

func (r *run) wait(t robot.Time) *failure {
	if err := r.config.Clock.Wait(r.ctx, t); err != nil {
		return &failure{CauseCancelled, context.Cause(r.ctx).Error()}
	}
	return r.free()
}

func (r *run) hold() { r.config.Body.Hold(r.source) }

func (r *run) report(k Kind, step int, reason string) {
	r.plan.Said, _ = guard.Decent(r.plan.Said)
	r.plan.Reason, _ = guard.Decent(r.plan.Reason)
	reason, _ = guard.Decent(reason)
	u := Update{Kind: k, Plan: r.plan.copy(r.config.Clock.Now()), Step: step, Reason: reason}
	if step > 0 {
		u.Skill = r.plan.Steps[step-1].Skill.String()
	}
	r.config.Report(u)
}

func (r *run) refuse(c Cause, reason string) Plan {
	r.plan.Status, r.plan.Cause, r.plan.Reason = robot.Failed, c, reason
	r.report(Refused, 0, reason)
	return r.plan.copy(r.config.Clock.Now())
}

func (r *run) finish(failed *failure) Plan {
	if failed == nil {
		r.plan.Status = robot.Succeeded
		r.report(PlanSucceeded, 0, "")
	} else {
		r.plan.Status, r.plan.Cause, r.plan.Reason = robot.Failed, failed.cause, failed.reason
		r.report(PlanFailed, 0, failed.reason)
	}
	return r.plan.copy(r.config.Clock.Now())
}
