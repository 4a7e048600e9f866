package symbolic_test

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/eval/symbolic"
)

// household is a small scene: a table with two cans and a mug on a plate, a
// closed drawer with a spoon, a sponge on the shelf, a bin and a person.
func household() *robot.Scene {
	return &robot.Scene{Station: "floor", Objects: []robot.Object{
		{Name: "table", Kind: "surface", Dirt: 0.6}, {Name: "shelf", Kind: "surface", Dirt: 0.6},
		{Name: "drawer", Kind: "drawer"}, {Name: "bin", Kind: "bin", Open: 1}, {Name: "user", Kind: "person"},
		{Name: "cola can", Kind: "drink", On: "table"}, {Name: "soda can", Kind: "drink", On: "table"},
		{Name: "plate", Kind: "dish", On: "table"}, {Name: "mug", Kind: "dish", On: "plate"},
		{Name: "spoon", Kind: "cutlery", In: "drawer"}, {Name: "sponge", Kind: "sponge", On: "shelf"},
	}}
}

func goal(t *testing.T, texts ...string) []robot.Predicate {
	t.Helper()
	var ps []robot.Predicate
	for _, text := range texts {
		p, err := robot.ParsePredicate(text)
		if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	return ps
}

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		goal []string
		want string
	}{
		{[]string{"on(cola can, user)"}, "go_to(table) pick(cola can) go_to(user) hand_over(cola can, user)"},
		{[]string{"in(spoon, bin)"}, "go_to(drawer) open(drawer) pick(spoon) go_to(bin) place_in(spoon, bin) go_to(drawer) close(drawer)"},
		{[]string{"open(drawer)"}, "go_to(drawer) open(drawer)"},
		{[]string{"clean(table)"}, "go_to(shelf) pick(sponge) go_to(table) wipe(table, sponge)"},
		{[]string{"on(cola can, table)"}, ""},
		{[]string{"count(1, in, drink, bin)"}, "go_to(table) pick(cola can) go_to(bin) place_in(cola can, bin)"},
		{[]string{"in(cola can, drawer)", "closed(drawer)"}, "go_to(drawer) open(drawer) go_to(table) pick(cola can) go_to(drawer) place_in(cola can, drawer) close(drawer)"},
	} {
		state := symbolic.Read(household())
		facts := symbolic.Facts(goal(t, c.goal...))
		keep := func(drawer string) bool { return strings.Contains(strings.Join(c.goal, " "), drawer) }
		plan, err := state.Plan(facts, keep)
		var words []string
		for _, s := range plan {
			words = append(words, s.String())
		}
		if got := strings.Join(words, " "); err != nil || got != c.want {
			t.Errorf("%v: %v\n got %s\nwant %s", c.goal, err, got, c.want)
		}
		if len(plan) > 0 && !state.OnWay(facts, plan[0]) {
			t.Errorf("%v: the plan's first step is not on the way", c.goal)
		}
	}
}

// What stands on a thing comes off first; what is held is put down.
func TestPlanClearsTheWay(t *testing.T) {
	state := symbolic.Read(household())
	facts := symbolic.Facts(goal(t, "in(plate, bin)"))
	plan, err := state.Plan(facts, func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range plan {
		if state, err = state.Apply(s); err != nil {
			t.Fatal(err)
		}
	}
	if !state.Reached(facts[0]) || len(plan) > 8 {
		t.Errorf("%d steps: %v", len(plan), plan)
	}
	state = symbolic.Read(household())
	for _, s := range []robot.Skill{{Name: "go_to", Args: []string{"shelf"}}, {Name: "pick", Args: []string{"sponge"}}} {
		if state, err = state.Apply(s); err != nil {
			t.Fatal(err)
		}
	}
	plan, err = state.Plan(symbolic.Facts(goal(t, "on(cola can, user)")), func(string) bool { return true })
	if err != nil || len(plan) != 5 {
		t.Errorf("with the sponge in the hand: %v, %v", plan, err)
	}
}

func TestOnWay(t *testing.T) {
	state := symbolic.Read(household())
	facts := symbolic.Facts(goal(t, "on(cola can, user)", "clean(shelf)"))
	for step, want := range map[string]bool{"table": true, "shelf": true, "user": false, "bin": false, "drawer": false} {
		if got := state.OnWay(facts, robot.Skill{Name: "go_to", Args: []string{step}}); got != want {
			t.Errorf("go_to(%s): %v, want %v", step, got, want)
		}
	}
	if state.OnWay(facts, robot.Skill{Name: "pick", Args: []string{"cola can"}}) {
		t.Error("what cannot be done is on the way")
	}
	if state.OnWay(symbolic.Facts(goal(t, "on(cola can, table)")), robot.Skill{Name: "go_to", Args: []string{"table"}}) {
		t.Error("there is a way to what is so already")
	}
}

func TestNoPlan(t *testing.T) {
	state := symbolic.Read(household())
	for _, text := range []string{"on(unicorn, table)", "count(3, on, drink, user)", "open(table)"} {
		if plan, err := state.Plan(symbolic.Facts(goal(t, text)), func(string) bool { return true }); err == nil {
			t.Errorf("%s: %v", text, plan)
		}
	}
}
