package agent

import (
	"slices"
	"time"

	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/robot"
)

// Cause says where a plan failed.
type Cause string

// The causes of failure.
const (
	CauseNone      Cause = ""
	CauseGuard     Cause = "guard"     // the instruction was refused
	CausePlan      Cause = "plan"      // the planner gave no option, or the model failed
	CauseExecution Cause = "execution" // steps failed too often in a row
	CauseTimeout   Cause = "timeout"   // too many steps, or too long
	CauseStopped   Cause = "stopped"   // the robot is stopped or at fault
	CauseCancelled Cause = "cancelled" // ctx ended
	CauseBlind     Cause = "blind"     // no scene, or only an old one
)

// Kind says what an Update tells; the names are those of the event topic.
type Kind string

// The kinds of updates.
const (
	Accepted      Kind = "accepted"
	Refused       Kind = "refused"
	StepStarted   Kind = "step_started"
	StepSucceeded Kind = "step_succeeded"
	StepFailed    Kind = "step_failed"
	PlanSucceeded Kind = "succeeded"
	PlanFailed    Kind = "failed"
	Warning       Kind = "warning"
)

// Step is one step that was decided, running or over.
type Step struct {
	// Number counts from 1.
	Number int
	// Request is the singular request that the step belongs to, where the
	// instruction was taken apart.
	Request string
	// Decision is what the planner found; empty for a skill asked for by name.
	Decision saycan.Decision
	Skill    robot.Skill
	Phrase   string
	// Outcome is Running until the step is over.
	Outcome robot.Outcome
	// Started is when the skill began, Moved when its first chunk left (0: none
	// did), Ended when it was over.
	Started, Moved, Ended robot.Time
	// Surprise says what else changed in the scene meanwhile; empty: nothing.
	// Interrupted: the step was broken off for it, which is no failure of its own.
	Surprise    string
	Interrupted bool
}

// Seconds since the step started, or that it took.
func (s *Step) Seconds(now robot.Time) float64 {
	if s.Ended != 0 {
		now = s.Ended
	}
	return now.Sub(s.Started).Seconds()
}

// Plan is an instruction, or one skill asked for by name, and what has been
// done about it.
type Plan struct {
	ID          string
	Instruction string
	Status      robot.Status
	// Cause and Reason say why it failed.
	Cause  Cause
	Reason string
	Steps  []Step
	// Said is what the robot says to who asked: an answer, an account. With Asks it
	// is a question that waits.
	Said string
	Asks bool
	// Started is when it was accepted, At the time of this account.
	Started, At robot.Time
}

// Took is the time from Started to At.
func (p *Plan) Took() time.Duration { return p.At.Sub(p.Started) }

// Update is one thing that happened. Plan is a copy that the receiver may keep.
type Update struct {
	Kind Kind
	Plan Plan
	// Step is the number of the step it is about, 0 for the whole plan.
	Step   int
	Skill  string
	Reason string
}

// copy gives a Plan that later steps do not change.
func (p *Plan) copy(now robot.Time) Plan {
	q := *p
	q.At = now
	q.Steps = slices.Clone(p.Steps)
	return q
}
