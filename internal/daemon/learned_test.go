package daemon

import (
	"context"
	"testing"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/fusion/vla"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/policy/learned"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
	"github.com/kuai-robot/kuai/sim/demos"
	"github.com/kuai-robot/kuai/sim/expert"
	"github.com/kuai-robot/kuai/sim/world"
)

// oracle is a network that knows what the teacher would do.
type oracle struct {
	t      *testing.T
	world  *world.World
	arm    *hand.Arm
	reflex *expert.Reflex
	skill  robot.Skill
	stroke hand.Stroke
}

// Predict implements learned.Predictor.
func (o *oracle) Predict(context.Context, *vla.Input) (*vla.Output, error) {
	state, err := o.world.Read()
	if err != nil {
		return nil, err
	}
	now := o.arm.Hand(&state.Position)
	o.stroke.See(now)
	ahead, err := o.reflex.Ahead(o.skill, &expert.Sight{Scene: o.world.Scene(), Hand: now, Stroke: o.stroke}, demos.Horizon)
	if err != nil {
		return nil, err
	}
	out := &vla.Output{}
	for k, h := range ahead.Hands {
		h.X, h.Y, h.Z, h.Tilt, h.Roll = h.X-now.X, h.Y-now.Y, h.Z-now.Z, h.Tilt-now.Tilt, h.Roll-now.Roll
		out.Moves = append(out.Moves, h)
		done := 0.0
		if k >= ahead.DoneAt {
			done = 1
		}
		out.Done = append(out.Done, done)
	}
	return out, nil
}

// With a network that is never wrong the learned runner, the control loop and the
// safety core do every skill that is taught: what a policy fails at is its own.
func TestLearnedRunnerWithAnOracle(t *testing.T) {
	c := config.Default()
	w, err := world.New(world.Options{Workbench: true, Renderer: "osmesa"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	arm, err := hand.New(w.Description())
	if err != nil {
		t.Fatal(err)
	}
	reflex, err := expert.NewReflex(w.Description())
	if err != nil {
		t.Fatal(err)
	}
	limits, err := compileSafety(&c)
	if err != nil {
		t.Fatal(err)
	}
	worked, of := 0, 0
	for seed := range uint64(2) {
		for _, family := range demos.Families() {
			e := demos.Draw(seed, demos.Mix{family: 1}, world.Training(), w.Description(), arm)
			e.Spec.Arm = nil
			if err := w.Reset(seed, e.Spec); err != nil {
				continue // there was no room for all of it
			}
			of++
			if oracleDoes(t, w, &oracle{t: t, world: w, arm: arm, reflex: reflex}, e.Skills, func(clock robot.Clock) (*control.Loop, error) {
				return control.New(limits, w, clock, control.Config{RateHz: c.Control.RateHz})
			}) {
				worked++
			}
		}
	}
	if of < 8 || worked < of {
		t.Errorf("%d of %d episodes worked", worked, of)
	}
}

func oracleDoes(t *testing.T, w *world.World, o *oracle, skills []robot.Skill, newLoop func(robot.Clock) (*control.Loop, error)) bool {
	t.Helper()
	var loop *control.Loop
	clock, err := world.NewClock(w, 0, func() { loop.Tick() })
	if err != nil {
		t.Fatal(err)
	}
	if loop, err = newLoop(clock); err != nil {
		t.Fatal(err)
	}
	runner, err := learned.New(learned.Config{
		Description: w.Description(), Predictor: o,
		// A network that is never wrong is best asked at every step.
		Bounds: learned.Bounds{Execute: 1}, Knows: func(robot.Skill) bool { return true },
		Phrase: func(s robot.Skill) string { o.skill, o.stroke = s, hand.Stroke{}; return s.String() },
	})
	if err != nil {
		t.Fatal(err)
	}
	var body body = &realBody{loop: loop, clock: clock, scene: w.Scene}
	body = &seeing{body: body, world: w, size: map[string][2]int{"front": {48, 64}, "wrist": {32, 32}}}
	a, err := agent.New(agent.Config{Catalogue: skill.Workbench(), Runner: runner, Body: body, Brake: body, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := clock.Wait(t.Context(), clock.Now().Add(engage)); err != nil {
		t.Fatal(err)
	}
	for _, s := range skills {
		if plan := a.RunSkill(t.Context(), "oracle", s); plan.Status != robot.Succeeded {
			t.Logf("%s: %s: %s", s, plan.Cause, plan.Reason)
			return false
		}
	}
	return true
}
