package agent

import (
	"fmt"
	"strings"

	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/policy/task"
	"github.com/kuai-robot/kuai/robot"
)

// interpret takes the instruction apart. It gives its tasks, nil where there is no
// interpreter or the planner is to read the text as it is; or the plan as it ends
// already, by an answer, a question or a refusal.
func (r *run) interpret(scene *robot.Scene) ([]*task.Task, *Plan) {
	if r.config.Interpreter == nil {
		return nil, nil
	}
	m := r.config.Interpreter.Interpret(r.plan.Instruction, scene, r.config.Clock.Now())
	switch {
	case m.Refuse != "":
		p := r.refuse(CauseGuard, m.Refuse)
		r.config.Interpreter.Ended(m.Refuse)
		return nil, &p
	case m.Say != "":
		r.plan.Said, r.plan.Asks = m.Say, m.Asks
		r.report(Accepted, 0, "")
		p := r.finish(nil)
		return nil, &p
	case len(m.Tasks) == 1 && m.Tasks[0].Whole() && m.Tasks[0].Text == r.plan.Instruction:
		return nil, nil
	}
	return m.Tasks, nil
}

// carry carries out tasks in their order, each as a loop over the scene. What
// fails does not keep the others from being done; the failure is the first.
func (r *run) carry(tasks []*task.Task) (first *failure) {
	nothing := true
	for _, t := range tasks {
		for {
			o, failed := r.look()
			if failed != nil {
				return failed
			}
			item, why, ok := t.Next(o.Scene)
			if !ok {
				break
			}
			nothing = false
			failed = r.carryItem(&item, why, o.Scene)
			if failed != nil && failed.final() {
				return failed
			}
			if failed != nil && first == nil {
				first = failed
			}
			if o, failed = r.look(); failed != nil {
				return failed
			}
		}
	}
	if nothing {
		r.plan.Said = "That is so already: there is nothing to do."
	}
	return first
}

// final says whether nothing else can be done after it.
func (f *failure) final() bool {
	switch f.cause {
	case CauseStopped, CauseCancelled, CauseBlind:
		return true
	}
	return false
}

func (r *run) carryItem(item *task.Item, why string, scene *robot.Scene) *failure {
	r.config.Interpreter.Started(item, why, scene)
	r.item, r.began, r.first, r.past = item, scene, len(r.plan.Steps), nil
	r.deadline = r.config.Clock.Now().Add(r.config.Bounds.Time)
	failed := r.follow()
	r.config.Interpreter.Ended(reasonOf(failed))
	return failed
}

func reasonOf(f *failure) string {
	if f == nil {
		return ""
	}
	return f.reason
}

func (r *run) requested() string {
	if r.item == nil {
		return ""
	}
	return r.item.Instruction
}

// narrow leaves the planner only what leads to the goal of the request; over says
// that the goal is reached.
func (r *run) narrow(q *saycan.Request, scene *robot.Scene) (over bool, failed *failure) {
	goal := r.item.Goal
	if len(goal) == 0 {
		return false, nil
	}
	fresh := goal[0].Name == "near" && len(r.plan.Steps) == r.first
	if !fresh && r.config.Verifier.Done(goal, r.began, scene) {
		return true, nil
	}
	if _, there := scene.Find(r.item.Thing); !there {
		return false, &failure{CausePlan, fmt.Sprintf("the %s is no longer here", r.item.Thing)}
	}
	options, err := r.config.Catalogue.Options(scene)
	if err != nil {
		return false, &failure{CausePlan, err.Error()}
	}
	q.Only = r.config.Critic.Useful(goal, options, scene)
	if len(q.Only) == 0 {
		var want []string
		for _, p := range goal {
			want = append(want, p.String())
		}
		return false, &failure{CausePlan, fmt.Sprintf("nothing that I can do leads to %s from here", strings.Join(want, " and "))}
	}
	return false, nil
}
