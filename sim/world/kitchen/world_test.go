package kitchen_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/kitchen"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

func newWorld(t *testing.T, o kitchen.Options) *kitchen.World {
	t.Helper()
	w, err := kitchen.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func TestDescription(t *testing.T) {
	if err := layout.Description().Validate(); err != nil {
		t.Fatal(err)
	}
}

// What a spec does not place lies where the table of things says, and stays.
func TestUsualScenes(t *testing.T) {
	for _, all := range []bool{false, true} {
		w := newWorld(t, kitchen.Options{All: all})
		want := len(layout.Things())
		if all {
			want = len(layout.AllThings())
		}
		for seed := range uint64(5) {
			if err := w.Reset(seed, world.Spec{}); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			before := w.Scene()
			w.Step(2 * time.Second)
			scene := w.Scene()
			if got := len(scene.Objects) - len(layout.Places()); got != want {
				t.Fatalf("seed %d: %d things, want %d", seed, got, want)
			}
			for i := range scene.Objects {
				o := &scene.Objects[i]
				if !(robot.Predicate{Name: "untouched", Args: []string{o.Name}}).Holds(before, scene) {
					t.Errorf("seed %d: the %s moved by itself: %+v", seed, o.Name, o)
				}
				thing, ok := layout.FindThing(o.Name)
				if ok && o.On+o.In != thing.Usual {
					t.Errorf("seed %d: the %s is on %q in %q, want %q", seed, o.Name, o.On, o.In, thing.Usual)
				}
			}
			if scene.Station != layout.Floor {
				t.Errorf("seed %d: it stands at the %q", seed, scene.Station)
			}
		}
	}
}

func TestResetIsDeterministic(t *testing.T) {
	a, b := newWorld(t, kitchen.Options{}), newWorld(t, kitchen.Options{})
	for _, w := range []*kitchen.World{a, b} {
		if err := w.Reset(7, world.Spec{}); err != nil {
			t.Fatal(err)
		}
		w.Step(time.Second)
	}
	one, other := a.Scene(), b.Scene()
	if !reflect.DeepEqual(one.Objects, other.Objects) {
		t.Error("the same seed gave two scenes")
	}
	if err := b.Reset(8, world.Spec{}); err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(one.Objects, b.Scene().Objects) {
		t.Error("two seeds gave one scene")
	}
}

func TestSpec(t *testing.T) {
	w := newWorld(t, kitchen.Options{})
	spec := world.Spec{Objects: []world.Placement{
		{Name: "top drawer", Open: 1}, {Name: "spoon", In: "top drawer"}, {Name: "orange", On: "user"}, {Name: "kettle", In: "sink"},
	}}
	if err := w.Reset(1, spec); err != nil {
		t.Fatal(err)
	}
	scene := w.Scene()
	for _, text := range []string{
		"in(spoon, top drawer)", "on(orange, user)", "in(kettle, sink)", "open(top drawer)", "closed(bottom drawer)",
		"not clean(table)", "not present(cola can)", "not here(table)", "empty_hand()",
	} {
		p, err := robot.ParsePredicate(text)
		if err != nil || !p.Holds(nil, scene) {
			t.Errorf("%s does not hold (%v)", text, err)
		}
	}
	for name, bad := range map[string]world.Spec{
		"a thing that is not there": {Objects: []world.Placement{{Name: "unicorn"}}},
		"a place that is not there": {Objects: []world.Placement{{Name: "orange", On: "roof"}}},
		"on a drawer":               {Objects: []world.Placement{{Name: "orange", On: "top drawer"}}},
		"in a table":                {Objects: []world.Placement{{Name: "orange", In: "table"}}},
		"twice":                     {Objects: []world.Placement{{Name: "orange"}, {Name: "orange"}}},
		"a position":                {Objects: []world.Placement{{Name: "orange", Position: &[2]float64{}}}},
		"a place that is put":       {Objects: []world.Placement{{Name: "table", On: "shelf"}}},
		"looks":                     {Vary: world.Training()},
		"too few joints":            {Arm: []float64{1}},
	} {
		if err := w.Reset(1, bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if got := w.Scene(); len(got.Objects) != len(scene.Objects) {
		t.Error("a spec that is refused changed the scene")
	}
}

func TestClosed(t *testing.T) {
	w := newWorld(t, kitchen.Options{})
	w.Close()
	if _, err := w.Read(); err == nil {
		t.Error("Read after Close: no error")
	}
	if got := w.Scene(); len(got.Objects) != 0 {
		t.Errorf("a closed world shows %d objects", len(got.Objects))
	}
}
