package eval_test

import (
	"context"
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/eval"
	"github.com/kuai-robot/kuai/sim/eval/symbolic"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// listed gives the scene that a spec lists, without physics.
func listed(spec *world.Spec) *robot.Scene {
	scene := &robot.Scene{Station: layout.Floor}
	for _, p := range layout.Places() {
		o := robot.Object{Name: p.Name, Kind: p.Kind, Pose: p.Frame(0)}
		if p.Kind == layout.Surface {
			o.Dirt = 0.6
		}
		scene.Objects = append(scene.Objects, o)
	}
	for i := range spec.Objects {
		p := &spec.Objects[i]
		thing, _ := layout.FindThing(p.Name)
		scene.Objects = append(scene.Objects, robot.Object{Name: p.Name, Kind: thing.Kind, On: p.On, In: p.In, Pose: robot.IdentityPose})
	}
	return scene
}

// Every goal of the suite can be reached from its scene, touches nothing that it
// does not name, and its plan is right by its own measure.
func TestKitchenSuiteHasPlans(t *testing.T) {
	s := eval.Kitchen()
	if len(s.Episodes) != 304 {
		t.Errorf("%d episodes, want 304", len(s.Episodes))
	}
	body := &obedient{}
	report, err := eval.Run(context.Background(), s, body, eval.Options{Given: true, Done: func(out *eval.Outcome) error {
		if !out.Reached {
			t.Errorf("line %d %q: missed %v", out.Episode.Line, out.Episode.Instruction, out.Missed)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d episodes by %d steps", report.All.Success.Of, body.steps)
}

// obedient does what it is told, by facts alone.
type obedient struct {
	state symbolic.State
	scene *robot.Scene
	steps int
}

func (o *obedient) Begin(_ context.Context, _ uint64, spec world.Spec) (*robot.Scene, error) {
	o.scene = listed(&spec)
	o.state = symbolic.Read(o.scene)
	return o.scene, nil
}

func (o *obedient) Say(context.Context, string) (eval.Answer, error) {
	return eval.Answer{Succeeded: true, Scene: o.scene}, nil
}

func (o *obedient) Do(_ context.Context, s robot.Skill) (eval.Answer, error) {
	next, err := o.state.Apply(s)
	if err != nil {
		return eval.Answer{Scene: o.scene, Cause: "execution", Reason: err.Error()}, nil
	}
	o.state = next
	o.steps++
	before := o.scene
	o.scene = o.show(before)
	return eval.Answer{Succeeded: true, Scene: o.scene, Steps: []eval.Step{{Skill: s, Succeeded: true, Before: before, After: o.scene}}}, nil
}

// show gives the scene of the state.
func (o *obedient) show(before *robot.Scene) *robot.Scene {
	scene := *before
	scene.Objects = append([]robot.Object(nil), before.Objects...)
	holds := func(name string, args ...string) bool { return o.state.Holds(robot.Predicate{Name: name, Args: args}) }
	for i := range scene.Objects {
		x := &scene.Objects[i]
		x.On, x.In, x.Held, x.Open = "", "", holds("held", x.Name), 0
		if x.Kind == layout.Drawer && holds("open", x.Name) {
			x.Open = 1
		}
		// What is open stands elsewhere than when it was closed.
		if p, ok := layout.FindPlace(x.Name); ok {
			x.Pose = p.Frame(x.Open)
		}
		if x.Dirt > 0 && holds("clean", x.Name) {
			x.Dirt = 0
		}
		for _, p := range layout.Places() {
			if holds("on", x.Name, p.Name) {
				x.On = p.Name
			}
			if holds("in", x.Name, p.Name) {
				x.In = p.Name
			}
		}
	}
	return &scene
}
