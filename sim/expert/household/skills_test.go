package household_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// rates counts how often each skill worked.
type rates map[string]*[2]int

// day is one scene in which every skill is done at least once.
type day struct {
	*room
	random *rand.Rand
	rates  rates
	seed   uint64
}

// try does a skill and counts it; the scene must show what it is for.
func (d *day) try(done robot.Predicate, name string, args ...string) bool {
	before := d.world.Scene()
	out := d.do(name, args...)
	scene := d.world.Scene()
	if d.rates[name] == nil {
		d.rates[name] = &[2]int{}
	}
	d.rates[name][1]++
	ok := out.Status == robot.Succeeded && done.Holds(nil, scene)
	if !ok {
		d.t.Logf("seed %d: %s%v: %v %q, %s", d.seed, name, args, out.Status, out.Reason, done)
	} else {
		d.rates[name][0]++
	}
	for i := range before.Objects {
		o := &before.Objects[i]
		if moved := (robot.Predicate{Name: "untouched", Args: []string{o.Name}, Not: true}).Holds(before, scene); moved && !o.Held && !d.concerns(o, args) {
			d.t.Errorf("seed %d: %s%v moved the %s", d.seed, name, args, o.Name)
		}
	}
	return ok
}

// concerns says that the skill is about the object, or about what it lies in.
func (d *day) concerns(o *robot.Object, args []string) bool {
	return slices.Contains(args, o.Name) || slices.Contains(args, o.In)
}

func fact(name string, args ...string) robot.Predicate {
	return robot.Predicate{Name: name, Args: args}
}

// some gives a thing on a surface that fits, and where it is.
func (d *day) some(fits func(o *robot.Object) bool) (thing, surface string) {
	scene := d.world.Scene()
	for _, i := range d.random.Perm(len(scene.Objects)) {
		o := &scene.Objects[i]
		under, ok := scene.Find(o.On)
		if ok && under.Kind == layout.Surface && fits(o) {
			return o.Name, o.On
		}
	}
	d.t.Fatalf("seed %d: nothing fits", d.seed)
	return "", ""
}

func (d *day) one(names ...string) string { return names[d.random.IntN(len(names))] }

func anything(o *robot.Object) bool { return o.Kind != "sponge" }

// small things fit under the chest's board.
func small(o *robot.Object) bool {
	return anything(o) && o.Size[2] < 0.15 && max(o.Size[0], o.Size[1]) < 0.18
}

// fetch goes to a thing, takes it, and takes it to a place.
func (d *day) fetch(fits func(o *robot.Object) bool, to string) (string, bool) {
	thing, from := d.some(fits)
	return thing, d.try(fact("here", from), "go_to", from) && d.try(fact("held", thing), "pick", thing) && d.try(fact("here", to), "go_to", to)
}

func (d *day) surfaces() {
	to := d.one("table", "near counter", "far counter", "shelf")
	elsewhere := func(o *robot.Object) bool { return anything(o) && o.On != to }
	if thing, ok := d.fetch(elsewhere, to); ok {
		d.try(fact("on", thing, to), "place_on", thing, to)
	}
	vessel := d.one("bin", "basket", "sink")
	if thing, ok := d.fetch(anything, vessel); ok {
		d.try(fact("in", thing, vessel), "place_in", thing, vessel)
	}
	if thing, ok := d.fetch(anything, "user"); ok {
		d.try(fact("on", thing, "user"), "hand_over", thing, "user")
	}
}

func (d *day) drawers() {
	drawer := d.one("top drawer", "bottom drawer")
	d.try(fact("here", drawer), "go_to", drawer)
	if !d.try(fact("open", drawer), "open", drawer) {
		return
	}
	if scene := d.world.Scene(); d.random.IntN(2) == 0 {
		for i := range scene.Objects {
			if o := &scene.Objects[i]; o.In == drawer && d.try(fact("held", o.Name), "pick", o.Name) {
				d.try(fact("here", "table"), "go_to", "table")
				d.try(fact("on", o.Name, "table"), "place_on", o.Name, "table")
				break
			}
		}
	}
	if thing, ok := d.fetch(small, drawer); ok {
		d.try(fact("in", thing, drawer), "place_in", thing, drawer)
	}
	d.try(fact("here", drawer), "go_to", drawer)
	d.try(fact("closed", drawer), "close", drawer)
}

func (d *day) clean() {
	to := d.one("table", "near counter", "far counter", "shelf")
	sponge := func(o *robot.Object) bool { return o.Kind == "sponge" }
	if thing, ok := d.fetch(sponge, to); ok {
		d.try(fact("clean", to), "wipe", to, thing)
		d.try(fact("on", thing, to), "place_on", thing, to)
	}
	if out := d.do("home"); out.Status != robot.Succeeded {
		d.t.Errorf("seed %d: home: %v", d.seed, out)
	}
}

// Every skill works in at least 95 % of the scenes, and moves nothing else.
func TestSkills(t *testing.T) {
	const want = 0.95
	r := newRoom(t)
	all := rates{}
	limited, ticks := 0, 0
	for seed := range uint64(*episodes) {
		d := &day{room: r, random: rand.New(rand.NewPCG(seed, 1)), rates: all, seed: seed}
		r.reset(seed, world.Spec{})
		d.surfaces()
		d.drawers()
		d.clean()
		limited, ticks = limited+r.limited, ticks+r.ticks
	}
	for name, n := range all {
		rate := float64(n[0]) / float64(n[1])
		t.Logf("%-10s %d/%d %.1f %%", name, n[0], n[1], 100*rate)
		if rate < want {
			t.Errorf("%s works in %d of %d scenes, want %.0f %%", name, n[0], n[1], 100*want)
		}
	}
	t.Logf("the safety core changed %d of %d ticks", limited, ticks)
}
