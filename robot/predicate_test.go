package robot_test

import (
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"pgregory.net/rapid"
)

func thing(name string, x, y, z float64) robot.Object {
	return robot.Object{
		Name: name, Size: robot.Vec3{0.03, 0.03, 0.03},
		Pose: robot.Pose{Position: robot.Vec3{x, y, z}, Orientation: robot.IdentityQuat},
	}
}

func TestPredicates(t *testing.T) {
	red, green, bowl, mat := thing("red block", 0.2, 0.05, 0), thing("green block", 0.2, 0, 0), thing("blue bowl", 0.3, 0, 0), thing("mat", 0.2, 0, 0)
	mat.Size = robot.Vec3{0.2, 0.05, 0}
	red.On, green.On, bowl.On, bowl.Open = "table", "table", "table", 0.5
	before := &robot.Scene{Objects: []robot.Object{red, green, bowl, mat}}

	red.Pose.Position, red.On, red.Held = robot.Vec3{0.2, 0.1, 0.1}, "", true
	green.Pose.Position, green.On, green.In = bowl.Pose.Position, "", "blue bowl"
	now := &robot.Scene{Objects: []robot.Object{red, green, bowl, mat}}

	for text, want := range map[string]bool{
		"present(red block)":              true,
		"present(cup)":                    false,
		"on(blue bowl, table)":            true,
		"on(green block, table)":          false,
		"not on(green block, table)":      true,
		"in(green block, blue bowl)":      true,
		"held(red block)":                 true,
		"empty_hand()":                    false,
		"not empty_hand()":                true,
		"clear(blue bowl)":                false,
		"clear(red block)":                true,
		"open(blue bowl)":                 true,
		"moved(red block, left)":          true,
		"moved(red block, right)":         false,
		"moved(green block, forward)":     true,
		"moved(green block, back)":        false,
		"untouched(blue bowl)":            true,
		"untouched(red block)":            false,
		"at(red block, mat)":              false,
		"near(red block, blue bowl)":      false,
		"near(mat, blue bowl)":            true,
		"held(cup)":                       false,
		"not held(cup)":                   true,
		"flying(red block)":               false,
		"not flying(red block)":           false,
		"moved(red block, up)":            false,
		"in(green block)":                 false,
		"not in(green block, blue bowl) ": false,
	} {
		p, err := robot.ParsePredicate(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := p.Holds(before, now); got != want {
			t.Errorf("%s = %v, want %v", text, got, want)
		}
	}
	if p, ok := robot.HoldAll([]robot.Predicate{{Name: "held", Args: []string{"red block"}}, {Name: "empty_hand"}}, nil, now); ok || p.Name != "empty_hand" {
		t.Errorf("HoldAll = %v, %v; want empty_hand to fail", p, ok)
	}
	at := robot.Predicate{Name: "at", Args: []string{"red block", "mat"}}
	before.Objects[0].Pose.Position = robot.Vec3{0.12, 0.02, 0.1}
	if !at.Holds(nil, before) {
		t.Error("a block over the mat is not at(mat)")
	}
	untouched := robot.Predicate{Name: "untouched", Args: []string{"red block"}}
	if untouched.Holds(nil, now) {
		t.Error("untouched holds with nothing to compare")
	}
}

func TestPredicatesOfAKitchen(t *testing.T) {
	counter, drawer, apple, spoon, cup := thing("counter", 1, 0, 0), thing("drawer", 1, 0, -0.2), thing("apple", 1, 0, 0), thing("spoon", 1, 0, -0.2), thing("cup", 0, 0, 0)
	counter.Dirt, apple.On, spoon.In, cup.Held = 0.5, "counter", "drawer", true
	closed := &robot.Scene{Station: "counter", Objects: []robot.Object{counter, drawer, apple, spoon, cup}}
	drawer.Open, counter.Dirt = 1, 0.05
	open := &robot.Scene{Station: "drawer", Objects: []robot.Object{counter, drawer, apple, spoon, cup}}
	fixed := &robot.Scene{Objects: closed.Objects}
	apple.On, spoon.In, counter.On = "spoon", "apple", ""
	circle := &robot.Scene{Station: "counter", Objects: []robot.Object{counter, apple, spoon}}
	for _, c := range []struct {
		scene *robot.Scene
		text  string
		want  bool
	}{
		{closed, "here(counter)", true},
		{closed, "here(apple)", true},
		{closed, "reachable(apple)", true},
		{closed, "here(spoon)", false},
		{closed, "here(cup)", true},
		{closed, "here(stove)", false},
		{closed, "clean(counter)", false},
		{open, "reachable(spoon)", true},
		{open, "reachable(apple)", false},
		{open, "clean(counter)", true},
		{fixed, "here(apple)", true},
		{fixed, "reachable(spoon)", false},
		{fixed, "reachable(apple)", true},
		{circle, "here(apple)", false},
	} {
		p, err := robot.ParsePredicate(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Holds(nil, c.scene); got != c.want {
			t.Errorf("at %s: %s is %v", c.scene.Station, c.text, got)
		}
	}
}

func TestParsePredicateRefuses(t *testing.T) {
	for _, text := range []string{"", "on", "on(", "(a)", "on(a,,b)", "on(a, b", "on a(b)", "on(a(b))", "on(a)b"} {
		if p, err := robot.ParsePredicate(text); err == nil {
			t.Errorf("%q was read as %v", text, p)
		}
	}
}

func FuzzParsePredicate(f *testing.F) {
	f.Add("not in(red block, blue bowl)")
	f.Add("empty_hand()")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := robot.ParsePredicate(text)
		if err != nil {
			return
		}
		q, err := robot.ParsePredicate(p.String())
		if err != nil || q.String() != p.String() {
			t.Fatalf("%q reads as %q and then as %q, %v", text, p, q, err)
		}
		p.Holds(nil, &robot.Scene{})
	})
}

func TestNearest(t *testing.T) {
	if got := robot.Nearest("sucess", []string{"phrase", "success", "when"}); got != "success" {
		t.Errorf("Nearest = %q", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,8}`), 1, 5).Draw(t, "words")
		word := rapid.SampledFrom(words).Draw(t, "word")
		if got := robot.Nearest(word, words); got != word {
			t.Fatalf("Nearest(%q, %q) = %q", word, words, got)
		}
	})
}
