package skill_test

import (
	"math/rand/v2"
	"testing"

	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/eval/symbolic"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// usual is the household as a scene lists it.
func usual(things []layout.Thing) *robot.Scene {
	scene := &robot.Scene{Station: layout.Floor}
	for _, p := range layout.Places() {
		o := robot.Object{Name: p.Name, Kind: p.Kind}
		switch p.Kind {
		case layout.Surface:
			o.Dirt = 0.6
		case layout.Bin, layout.Basket, layout.Sink:
			o.Open = 1
		}
		scene.Objects = append(scene.Objects, o)
	}
	for _, thing := range things {
		o := robot.Object{Name: thing.Name, Kind: thing.Kind, On: thing.Usual}
		if p, _ := layout.FindPlace(thing.Usual); p.Holds() {
			o.On, o.In = "", thing.Usual
		}
		scene.Objects = append(scene.Objects, o)
	}
	return scene
}

func TestKitchenCounts(t *testing.T) {
	for _, c := range []struct {
		things []layout.Thing
		least  int
	}{{layout.Things(), 330}, {layout.AllThings(), 551}} {
		options, err := skill.Kitchen().Options(usual(c.things))
		if err != nil || len(options) < c.least {
			t.Errorf("%d things: %d options (%v), want %d", len(c.things), len(options), err, c.least)
		}
	}
}

// What the judge of the household's suite takes for possible, and what it takes
// to follow, is what the catalogue says: at each of many states, of every option.
func TestSymbolicSkillsAreThoseOfTheCatalogue(t *testing.T) {
	scene := usual(layout.Things())
	random := rand.New(rand.NewPCG(1, 7))
	state := symbolic.Read(scene)
	applied := map[string]int{}
	for range 400 {
		options, err := skill.Kitchen().Options(scene)
		if err != nil {
			t.Fatal(err)
		}
		var possible []int
		for i := range options {
			next, err := state.Apply(options[i].Skill)
			if can := options[i].Possible(scene); can != (err == nil) {
				t.Fatalf("%s: the catalogue says %v, the judge %v", options[i].Skill, can, err)
			}
			if err != nil {
				continue
			}
			if fails, ok := robot.HoldAll(options[i].Success, scene, next.Show(scene)); !ok {
				t.Fatalf("%s: %s does not hold afterwards", options[i].Skill, fails)
			}
			// Going somewhere is always possible and would be all that happens.
			if options[i].Skill.Name != "go_to" || random.IntN(8) == 0 {
				possible = append(possible, i)
			}
		}
		if len(possible) == 0 {
			continue
		}
		chosen := options[possible[random.IntN(len(possible))]].Skill
		if state, err = state.Apply(chosen); err != nil {
			t.Fatal(err)
		}
		applied[chosen.Name]++
		scene = state.Show(scene)
	}
	for _, name := range []string{"go_to", "pick", "place_on", "place_in", "hand_over", "open", "close"} {
		if applied[name] == 0 {
			t.Errorf("%s was never applied: %v", name, applied)
		}
	}
}
