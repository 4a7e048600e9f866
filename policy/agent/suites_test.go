package agent_test

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/policy/task"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/eval"
	"github.com/kuai-robot/kuai/sim/eval/symbolic"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

var missed = flag.Bool("agent.missed", false, "tell each episode of the suites that went wrong")

var needs task.Needs

// house is a robot in a household by facts alone: a skill that is possible works, at
// once. What the words of a suite come to is judged without a model and without a
// body: the planner takes the first skill that leads to a goal that is known, and
// ends where none is.
type house struct {
	now    robot.Time
	state  symbolic.State
	scene  *robot.Scene
	outset *robot.Scene
	agent  *agent.Agent
	// free is how often the planner had to choose among everything.
	free int
}

func (h *house) Now() robot.Time  { return h.now }
func (h *house) Epoch() time.Time { return time.Unix(0, 0) }
func (h *house) Wait(ctx context.Context, t robot.Time) error {
	h.now = max(h.now, t)
	return ctx.Err()
}

func (h *house) Observe() robot.Observation {
	scene := *h.scene
	scene.At = h.now
	return robot.Observation{At: h.now, State: robot.State{At: h.now}, Scene: &scene}
}
func (h *house) Act(robot.Chunk)        {}
func (h *house) Hold(robot.Source)      {}
func (h *house) Halted() (string, bool) { return "", false }

func (h *house) Begin(s robot.Skill, _ *robot.Observation) error {
	h.now = h.now.Add(time.Second)
	next, err := h.state.Apply(s)
	if err == nil {
		h.state = next
		h.show()
	}
	return err
}

func (h *house) Next(*robot.Observation) (robot.Chunk, robot.Outcome) {
	return robot.Chunk{}, robot.Outcome{Status: robot.Succeeded}
}

// show makes the scene that of the state; a drawer that opens stands elsewhere.
func (h *house) show() {
	h.scene = h.state.Show(h.outset)
	for i := range h.scene.Objects {
		if p, ok := layout.FindPlace(h.scene.Objects[i].Name); ok {
			h.scene.Objects[i].Pose = p.Frame(h.scene.Objects[i].Open)
		}
	}
}

func (h *house) Decide(_ context.Context, o *robot.Observation, r saycan.Request) (saycan.Decision, error) {
	options, err := skill.Kitchen().Options(o.Scene)
	if err != nil {
		return saycan.Decision{}, err
	}
	if r.Only == nil {
		h.free++
	}
	for _, option := range options {
		for _, s := range r.Only {
			if option.Skill.Equal(s) {
				return saycan.Decision{Chosen: option}, nil
			}
		}
		if r.Only == nil && option.Ends {
			return saycan.Decision{Chosen: option}, nil
		}
	}
	return saycan.Decision{}, saycan.ErrNoOption
}

// suiteBody is a house as a suite needs it.
type suiteBody struct{ *house }

func (b suiteBody) Begin(_ context.Context, _ uint64, spec world.Spec) (*robot.Scene, error) {
	h := b.house
	h.free = 0
	h.outset = laidOut(&spec)
	h.state = symbolic.Read(h.outset)
	h.show()
	in, err := task.New(task.Config{Catalogue: skill.Kitchen(), Needs: needs})
	if err != nil {
		return nil, err
	}
	h.agent, err = agent.New(agent.Config{Catalogue: skill.Kitchen(), Planner: h, Runner: h, Body: h, Brake: h, Clock: h, Interpreter: in})
	return h.scene, err
}

func (b suiteBody) Say(ctx context.Context, text string) (eval.Answer, error) {
	plan := b.agent.Run(ctx, "", text)
	a := eval.Answer{Succeeded: plan.Status == robot.Succeeded, Cause: string(plan.Cause), Reason: plan.Reason, Scene: b.scene}
	for _, said := range []string{plan.Said, plan.Reason} {
		if said != "" {
			a.Said = append(a.Said, said)
		}
	}
	for i := range plan.Steps {
		s := &plan.Steps[i]
		a.Steps = append(a.Steps, eval.Step{
			Skill: s.Skill, Ends: s.Decision.Chosen.Ends, Succeeded: s.Outcome.Status == robot.Succeeded, Before: b.outset, After: b.scene,
		})
	}
	return a, nil
}

func (b suiteBody) Do(context.Context, robot.Skill) (eval.Answer, error) {
	return eval.Answer{Scene: b.scene}, nil
}

// laidOut is the scene that a spec lists, without physics.
func laidOut(spec *world.Spec) *robot.Scene {
	scene := &robot.Scene{Station: layout.Floor}
	for _, p := range layout.Places() {
		o := robot.Object{Name: p.Name, Kind: p.Kind, Pose: p.Frame(0), Confidence: 1}
		switch p.Kind {
		case layout.Surface:
			o.Dirt = 0.6
		case layout.Bin, layout.Basket, layout.Sink:
			o.Open = 1
		}
		scene.Objects = append(scene.Objects, o)
	}
	for i := range spec.Objects {
		p := &spec.Objects[i]
		if thing, ok := layout.FindThing(p.Name); ok {
			scene.Objects = append(scene.Objects, robot.Object{Name: p.Name, Kind: thing.Kind, On: p.On, In: p.In, Pose: robot.IdentityPose, Confidence: 1})
		}
	}
	return scene
}

// What is said in the household's suites comes to its goal by words and facts
// alone in most episodes.
func TestSuitesByWords(t *testing.T) {
	for _, c := range []struct {
		suite *eval.Suite
		least float64
	}{{eval.Kitchen(), 0.96}, {eval.KitchenFresh(), 0.85}, {eval.KitchenLater(), 0.73}} {
		if reached := byWords(t, c.suite); reached < c.least {
			t.Errorf("%s: goals reached by words alone: %.3f, want %.3f", c.suite.Name, reached, c.least)
		}
	}
}

// byWords gives the part of suite's goals that are reached.
func byWords(t *testing.T, suite *eval.Suite) float64 {
	t.Helper()
	families, free, body := map[string]*[2]int{}, 0, &house{}
	report, err := eval.Run(context.Background(), suite, suiteBody{body}, eval.Options{Seed: 1, Done: func(out *eval.Outcome) error {
		f := families[out.Episode.Family]
		if f == nil {
			f = &[2]int{}
			families[out.Episode.Family] = f
		}
		f[1]++
		if body.free > 0 {
			free++
		}
		if out.Reached {
			f[0]++
		} else if *missed {
			tellMissed(t, suite, out, body.free > 0)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range families {
		t.Logf("%s %s %d/%d", suite.Name, name, f[0], f[1])
	}
	t.Logf("%s: %d of %d, in %d the model would choose among everything", suite.Name, report.All.Success.Hits, report.All.Success.Of, free)
	return float64(report.All.Success.Hits) / float64(report.All.Success.Of)
}

func tellMissed(t *testing.T, suite *eval.Suite, out *eval.Outcome, free bool) {
	t.Helper()
	var said, steps []string
	for i := range out.Answers {
		said = append(said, out.Answers[i].Said...)
		for j := range out.Answers[i].Steps {
			steps = append(steps, out.Answers[i].Steps[j].Skill.String())
		}
	}
	t.Logf("%s %d %s %q, the model alone: %v\n   missed %v\n   steps %v\n   said %q", suite.Name, out.Episode.Line, out.Episode.Family, out.Episode.Instruction, free, out.Missed, steps, said)
}
