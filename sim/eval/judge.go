package eval

import (
	"slices"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/eval/symbolic"
)

// Place is where a failure lay.
type Place string

// The places, besides the causes that a robot gives.
const (
	Nowhere   Place = ""
	AtGuard   Place = "guard"     // it refused what could be done
	AtPlan    Place = "plan"      // it decided wrongly
	AtExecute Place = "execution" // it decided rightly, and the body failed
	AtAnswer  Place = "answer"    // all is well but for what it should have said
)

// Outcome is one episode as it went.
type Outcome struct {
	Number  int          `json:"number"`
	Seed    uint64       `json:"seed"`
	Episode *Episode     `json:"episode"`
	Start   *robot.Scene `json:"start"`
	Answers []Answer     `json:"answers"`

	// Reached: the whole goal holds; Missed is what of it does not.
	Reached bool              `json:"reached"`
	Missed  []robot.Predicate `json:"missed,omitempty"`
	// PlanRight is nil when the episode has no plans or ran one.
	PlanRight *bool `json:"plan_right,omitempty"`
	// FirstRight, whether the first decision is one of a shortest way to the goal,
	// and Untouched, whether all is as it was that the goal does not name, are
	// judged in the household alone.
	FirstRight *bool `json:"first_right,omitempty"`
	Untouched  *bool `json:"untouched,omitempty"`
	// Asked: it asked something back. Refused: it would not, and moved nothing.
	Asked   bool `json:"asked,omitempty"`
	Refused bool `json:"refused,omitempty"`
	// ExecutedRight is nil when nothing was to be moved.
	ExecutedRight *bool   `json:"executed_right,omitempty"`
	Seconds       float64 `json:"seconds"`
	// Place is where the failure lay, empty when the goal was reached.
	Place Place `json:"place,omitempty"`
}

func (out *Outcome) judge(given bool) {
	end := out.Start
	var texts []string
	for i := range out.Answers {
		a := &out.Answers[i]
		end, texts, out.Seconds = a.Scene, append(texts, a.Said...), out.Seconds+a.Seconds
	}
	out.Missed = newGoal(out.Episode, out.Start, end, texts).missed(given)
	out.Reached = len(out.Missed) == 0
	if len(out.Episode.Plans) > 0 && !given {
		right := out.planRight()
		out.PlanRight = &right
	}
	if symbolic.Household(out.Start) {
		out.judgeHousehold(end, texts, given)
	}
	if motions := out.motions(); len(motions) > 0 {
		right := executedRight(motions)
		out.ExecutedRight = &right
	}
	out.Place = out.place(given)
}

// motions gives the steps that were to move something.
func (out *Outcome) motions() []*Step {
	var steps []*Step
	for i := range out.Answers {
		for j := range out.Answers[i].Steps {
			if s := &out.Answers[i].Steps[j]; !s.Ends {
				steps = append(steps, s)
			}
		}
	}
	return steps
}

// worked is the step's success by the true scenes.
func (s *Step) worked() bool {
	_, ok := robot.HoldAll(s.Success, s.Before, s.After)
	return ok && s.Succeeded
}

// executedRight says that each step worked in the end: one that failed may be
// made good by the same skill later.
func executedRight(steps []*Step) bool {
	for i, s := range steps {
		again := slices.ContainsFunc(steps[i:], func(t *Step) bool { return t.Skill.Equal(s.Skill) && t.worked() })
		if !again {
			return false
		}
	}
	return true
}

// planRight says whether the decisions are those of one of the plans: all of
// them, and then the end by the robot's own choice; or as many as there were
// when the body let it down. Refusing what moves nothing is an end as well.
func (out *Outcome) planRight() bool {
	cause := out.cause()
	return slices.ContainsFunc(out.Episode.Plans, func(plan []Call) bool {
		follows, complete := out.follows(plan)
		ended := cause == Nowhere || cause == AtGuard && len(plan) == 0
		return follows && (complete && ended || cause == AtExecute)
	})
}

// follows says whether every decision belongs to plan, and whether plan is
// complete: the steps that worked are its steps in order, where repeating one
// because its effect was lost is no mistake; those that failed are among them.
func (out *Outcome) follows(plan []Call) (follows, complete bool) {
	at := 0
	for _, s := range out.motions() {
		fits := func(c Call) bool { return c.fits(s.Skill) }
		switch {
		case !slices.ContainsFunc(plan, fits):
			return false, false
		case !s.Succeeded:
		case at < len(plan) && fits(plan[at]):
			at++
		case at > 0 && fits(plan[at-1]):
		default:
			return false, false
		}
	}
	return true, at == len(plan)
}

// strayed says whether a decision belongs to none of the plans.
func (out *Outcome) strayed() bool {
	if len(out.Episode.Plans) == 0 && out.PlanRight != nil {
		return !*out.PlanRight
	}
	return len(out.Episode.Plans) > 0 && !slices.ContainsFunc(out.Episode.Plans, func(plan []Call) bool {
		follows, _ := out.follows(plan)
		return follows
	})
}

// cause is where the robot itself says that it failed, the last time it did.
func (out *Outcome) cause() Place {
	for i := len(out.Answers) - 1; i >= 0; i-- {
		if a := &out.Answers[i]; !a.Succeeded {
			if a.Cause == "" {
				return AtExecute
			}
			return Place(a.Cause)
		}
	}
	return Nowhere
}

func (out *Outcome) place(given bool) Place {
	cause := out.cause()
	switch {
	case out.Reached:
		return Nowhere
	case given:
		return AtExecute
	case cause == AtGuard:
		return AtGuard
	case !slices.ContainsFunc(out.Missed, func(p robot.Predicate) bool { return p.Name != said }):
		return AtAnswer
	case out.strayed():
		return AtPlan
	case cause != Nowhere:
		return cause
	case out.PlanRight != nil && *out.PlanRight, out.ExecutedRight != nil && !*out.ExecutedRight:
		return AtExecute
	}
	return AtPlan
}
