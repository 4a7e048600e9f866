package agent

import (
	"context"
	"errors"
	"time"

	"github.com/kuai-robot/kuai/policy/guard"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/policy/task"
	"github.com/kuai-robot/kuai/robot"
)

// Interpreter says what a text means and is told what becomes of it;
// task.Interpreter is one.
type Interpreter interface {
	Interpret(text string, scene *robot.Scene, at robot.Time) task.Meaning
	// Started tells that item is being carried out from scene, and why this one.
	Started(item *task.Item, why string, scene *robot.Scene)
	// Ended tells how the text ended; reason is empty when all is well.
	Ended(reason string)
}

// Critic narrows what the planner may choose to what leads to a goal; Means is
// one.
type Critic interface {
	// Useful gives those of options that bring goal nearer in scene, none when
	// nothing does.
	Useful(goal []robot.Predicate, options []skill.Option, scene *robot.Scene) []robot.Skill
}

// Verifier says whether what was asked is so; Facts is one.
type Verifier interface {
	// Done says whether goal holds in now, where before is how it was when the
	// request began.
	Done(goal []robot.Predicate, before, now *robot.Scene) bool
}

// Planner chooses the next skill; saycan.Planner is one.
type Planner interface {
	Decide(ctx context.Context, o *robot.Observation, r saycan.Request) (saycan.Decision, error)
}

// Runner carries out one skill at a time.
type Runner interface {
	// Begin readies s; an error says in words why it cannot be done from here.
	Begin(s robot.Skill, o *robot.Observation) error
	// Next gives the next stretch of motion while the outcome is Running.
	Next(o *robot.Observation) (robot.Chunk, robot.Outcome)
}

// Body is the robot as the agent needs it.
type Body interface {
	// Observe gives the newest of each sensor and the scene, at once.
	Observe() robot.Observation
	// Act hands a chunk to the control loop, which keeps it.
	Act(c robot.Chunk)
	// Hold drops what this source last asked for: the robot keeps still.
	Hold(s robot.Source)
}

// Brake says whether the robot may move.
type Brake interface {
	// Halted gives the reason why the robot is stopped or at fault; ok is false
	// when it may move.
	Halted() (reason string, ok bool)
}

// Config is what an Agent is made of. The first five and Clock are required;
// Planner is only needed for Run.
type Config struct {
	Catalogue *skill.Catalogue
	Planner   Planner
	Runner    Runner
	Body      Body
	Brake     Brake
	Clock     robot.Clock
	// Report is called, on the goroutine of Run, with each thing that happens;
	// it must not block. nil: nobody listens.
	Report func(Update)
	Bounds Bounds
	// Interpreter takes what is said apart; nil: the planner reads it as it is.
	Interpreter Interpreter
	// Critic and Verifier of requests whose goal is known; nil: Means and Facts.
	Critic   Critic
	Verifier Verifier
}

// Bounds keep a plan finite. A zero field takes the value of DefaultBounds.
type Bounds struct {
	// Steps and Time bound one request (of a text with several each has its own),
	// StepTime one skill.
	Steps          int
	Time, StepTime time.Duration
	// Failures in a row after which the agent gives up.
	Failures int
	// Period between two calls of Runner.Next.
	Period time.Duration
	// Settle is how long after a skill its success may take to show: a block
	// still falls, the newest scene is from before.
	Settle time.Duration
	// Stale is how old the scene may be that a decision or motion rests on.
	Stale time.Duration
}

// DefaultBounds suit an arm at a table.
func DefaultBounds() Bounds {
	return Bounds{
		Steps: 16, Time: 180 * time.Second, StepTime: 30 * time.Second, Failures: 3,
		Period: 100 * time.Millisecond, Settle: 1500 * time.Millisecond, Stale: 500 * time.Millisecond,
	}
}

func (b Bounds) withDefaults() Bounds {
	d := DefaultBounds()
	for _, f := range []struct{ field, or *time.Duration }{
		{&b.Time, &d.Time}, {&b.StepTime, &d.StepTime}, {&b.Period, &d.Period}, {&b.Settle, &d.Settle}, {&b.Stale, &d.Stale},
	} {
		if *f.field <= 0 {
			*f.field = *f.or
		}
	}
	if b.Steps <= 0 {
		b.Steps = d.Steps
	}
	if b.Failures <= 0 {
		b.Failures = d.Failures
	}
	return b
}

// Agent runs one instruction or skill at a time.
type Agent struct {
	config Config
	guard  *guard.Guard
	chunks [robot.Sources]uint64
}

// New checks c and gives an agent.
func New(c Config) (*Agent, error) {
	if c.Catalogue == nil || c.Runner == nil || c.Body == nil || c.Brake == nil || c.Clock == nil {
		return nil, errors.New("agent: needs a catalogue, a runner, a body, a brake and a clock")
	}
	if c.Report == nil {
		c.Report = func(Update) {}
	}
	if c.Critic == nil {
		c.Critic = Means{}
	}
	if c.Verifier == nil {
		c.Verifier = Facts{}
	}
	c.Bounds = c.Bounds.withDefaults()
	return &Agent{config: c, guard: guard.New(c.Catalogue)}, nil
}

// Run carries out an instruction and gives the plan as it ended; its Status,
// Cause and Reason are the only account of failure. id comes back in every
// Update.
func (a *Agent) Run(ctx context.Context, id, instruction string) Plan {
	r := a.newRun(ctx, id, instruction, robot.SourcePolicy)
	defer r.hold()
	o, failed := r.look()
	if failed != nil {
		return r.refuse(failed.cause, failed.reason)
	}
	if refusal := a.guard.Safe(instruction, o.Scene); refusal != nil {
		return r.refuse(CauseGuard, refusal.Reason)
	}
	tasks, answered := r.interpret(o.Scene)
	if answered != nil {
		return *answered
	}
	if a.config.Planner == nil {
		return r.refuse(CausePlan, "there is no language model: start with one, or ask for a skill by name")
	}
	if tasks == nil {
		if refusal := a.guard.Check(instruction, o.Scene); refusal != nil {
			return r.refuse(CauseGuard, refusal.Reason)
		}
		r.report(Accepted, 0, "")
		return r.finish(r.follow())
	}
	r.report(Accepted, 0, "")
	return r.finish(r.carry(tasks))
}

// RunSkill carries out one skill of the catalogue by name. It is not retried:
// who asked for it may ask again.
func (a *Agent) RunSkill(ctx context.Context, id string, s robot.Skill) Plan {
	r := a.newRun(ctx, id, s.String(), robot.SourceSkill)
	defer r.hold()
	o, failed := r.look()
	if failed != nil {
		return r.refuse(failed.cause, failed.reason)
	}
	option, err := a.config.Catalogue.Find(o.Scene, s)
	if err != nil {
		return r.refuse(CauseGuard, err.Error())
	}
	if why, ok := option.Obstacle(o.Scene); ok {
		return r.refuse(CauseGuard, why)
	}
	r.report(Accepted, 0, "")
	failed = r.step(&option, saycan.Decision{}, &o)
	if last := &r.plan.Steps[len(r.plan.Steps)-1]; failed == nil && last.Outcome.Status != robot.Succeeded {
		failed = &failure{CauseExecution, last.Outcome.Reason}
	}
	return r.finish(failed)
}
