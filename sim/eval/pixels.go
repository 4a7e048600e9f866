package eval

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/demos"
	"github.com/kuai-robot/kuai/sim/world"
)

// The suites of a policy that sees. They are drawn once, from seeds of their own,
// and frozen: a test holds their text. Where nothing else is said, looks vary
// within the ranges of training, and where things lie follows from the seed of the
// run, which no demonstration has.
var pixels = map[string]func(p *drawer, n int) Episode{
	// Things and pairs that demonstrations ask for, in new places.
	"pixels-seen": (*drawer).seen,
	// Pairs that no demonstration asks for.
	"pixels-unseen": (*drawer).unseen,
	// Each skill by itself.
	"pixels-skills": (*drawer).skills,
	// Two and three steps.
	"pixels-steps": (*drawer).steps,
	// Looks outside of the ranges of training, one kind at a time.
	"pixels-light": beyond(func(v *world.Vary) { v.Light = beyondTraining }), "pixels-camera": beyond(func(v *world.Vary) { v.Camera = beyondTraining }),
	"pixels-texture": beyond(func(v *world.Vary) { v.Texture = beyondTraining }), "pixels-clutter": beyond(func(v *world.Vary) { v.Clutter = beyondTraining }),
	// Somebody moves what the robot is about to take, or where it is to go.
	"pixels-moved": (*drawer).moved,
}

// pixelEpisodes are drawn of each suite; beyondTraining is how far outside of the
// ranges of training looks go at most.
const (
	pixelEpisodes  = 210
	beyondTraining = 1.6
)

// PixelSuites names the suites of a policy that sees.
func PixelSuites() []string {
	var names []string
	for name := range pixels {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Pixels gives the suite of that name, or false.
func Pixels(name string) (*Suite, bool) {
	draw, ok := pixels[name]
	if !ok {
		return nil, false
	}
	seed := uint64(0)
	for _, letter := range []byte(name) {
		seed = 31*seed + uint64(letter)
	}
	p := &drawer{random: rand.New(rand.NewPCG(seed, 0x70697865))}
	s := &Suite{Name: name}
	for i := range pixelEpisodes {
		e := draw(p, i)
		e.Line = i + 1
		s.Episodes = append(s.Episodes, e)
	}
	return s, true
}

// drawer draws episodes.
type drawer struct{ random *rand.Rand }

func pick[T any](p *drawer, from []T) T { return from[p.random.IntN(len(from))] }

// others gives n of the names that are not taken.
func (p *drawer) others(names []string, n int, taken ...string) []string {
	left := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(taken, name) })
	p.random.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
	return left[:min(n, len(left))]
}

// scene has the things that are named, one or two blocks more and perhaps a bowl.
func (p *drawer) scene(named ...string) world.Spec {
	all := slices.Clone(named)
	all = append(all, p.others(demos.Blocks(), 1+p.random.IntN(2), named...)...)
	if p.random.IntN(2) == 0 {
		all = append(all, p.others(demos.Bowls(), 1, named...)...)
	}
	spec := world.Spec{Vary: world.Training()}
	for _, name := range all {
		spec.Objects = append(spec.Objects, world.Placement{Name: name})
	}
	return spec
}

func call(name string, args ...string) Call { return Call(robot.Skill{Name: name, Args: args}) }

func predicate(name string, args ...string) robot.Predicate {
	return robot.Predicate{Name: name, Args: args}
}

// put is an episode of one pair.
func (p *drawer) put(family string, c demos.Combination) Episode {
	return Episode{
		Family: family, Instruction: Turns{"put the " + c[0] + " in the " + c[1]}, Scene: p.scene(c[0], c[1]),
		Goal:  []robot.Predicate{predicate("in", c[0], c[1])},
		Plans: [][]Call{{call("pick", c[0]), call("place_in", c[0], c[1])}},
	}
}

func (p *drawer) stack(family string, c demos.Combination) Episode {
	return Episode{
		Family: family, Instruction: Turns{"put the " + c[0] + " on the " + c[1]}, Scene: p.scene(c[0], c[1]),
		Goal:  []robot.Predicate{predicate("on", c[0], c[1])},
		Plans: [][]Call{{call("pick", c[0]), call("place_on", c[0], c[1])}},
	}
}

func (p *drawer) seen(int) Episode {
	return p.put("put", pick(p, demos.Combinations(demos.Put, false)))
}

func (p *drawer) unseen(n int) Episode {
	if n%3 == 2 {
		return p.stack("stack", pick(p, demos.Combinations(demos.Stack, true)))
	}
	return p.put("put", pick(p, demos.Combinations(demos.Put, true)))
}

func beyond(change func(*world.Vary)) func(*drawer, int) Episode {
	return func(p *drawer, _ int) Episode {
		e := p.seen(0)
		change(&e.Scene.Vary)
		return e
	}
}

// skills draws one of seven: a drawer is opened and closed.
func (p *drawer) skills(n int) Episode {
	block := pick(p, demos.Blocks())
	one := func(family, text string, goal robot.Predicate, scene world.Spec, plan Call) Episode {
		return Episode{Family: family, Instruction: Turns{text}, Scene: scene, Goal: []robot.Predicate{goal}, Plans: [][]Call{{plan}}}
	}
	switch n % 7 {
	case 0:
		return one("pick", "pick up the "+block, predicate("held", block), p.scene(block), call("pick", block))
	case 1:
		return p.put("place_in", pick(p, demos.Combinations(demos.Put, false)))
	case 2:
		return p.stack("stack", pick(p, demos.Combinations(demos.Stack, false)))
	case 3:
		way := pick(p, []string{"left", "right"})
		return one("push", "push the "+block+" to the "+way, predicate("moved", block, way), p.scene(block), call("push", block, way))
	case 4:
		return one("press", "press the button", predicate("pressed", "button"), p.scene("button"), call("press", "button"))
	case 5:
		return one("open", "open the drawer", predicate("open", "drawer"), p.scene("drawer"), call("open", "drawer"))
	}
	scene := p.scene("drawer")
	scene.Objects[0].Open = 1
	return one("close", "close the drawer", predicate("closed", "drawer"), scene, call("close", "drawer"))
}

// steps draws two or three things to do.
func (p *drawer) steps(n int) Episode {
	first := pick(p, demos.Combinations(demos.Put, false))
	e := p.put("two", first)
	blocks := p.others(demos.Blocks(), 1, first[0])
	button := func() {
		e.Instruction[0] += " and press the button"
		e.Scene.Objects = append(e.Scene.Objects, world.Placement{Name: "button"})
		e.Goal, e.Plans[0] = append(e.Goal, predicate("pressed", "button")), append(e.Plans[0], call("press", "button"))
	}
	second := func(bowl string) {
		e.Instruction[0] += " and the " + blocks[0] + " in the " + bowl
		e.Goal = append(e.Goal, predicate("in", blocks[0], bowl))
		e.Plans[0] = append(e.Plans[0], call("pick", blocks[0]), call("place_in", blocks[0], bowl))
	}
	names := []string{first[0], first[1], blocks[0]}
	if n%3 == 0 {
		e.Scene = p.scene(first[0], first[1])
		button()
		return e
	}
	bowls := p.others(demos.Bowls(), 1, first[1])
	e.Scene = world.Spec{Vary: world.Training()}
	for _, name := range append(names, bowls...) {
		e.Scene.Objects = append(e.Scene.Objects, world.Placement{Name: name})
	}
	second(bowls[0])
	if n%3 == 2 {
		e.Family = "three"
		button()
	}
	return e
}

// moved draws an episode in which somebody moves the block or the bowl.
func (p *drawer) moved(n int) Episode {
	c := pick(p, demos.Combinations(demos.Put, false))
	e := p.put([]string{"block", "bowl"}[n%2], c)
	r, angle := 0.16+0.07*p.random.Float64(), 1.2*(2*p.random.Float64()-1)
	after := 0.4 + 1.0*p.random.Float64() // while the block is reached for
	if n%2 == 1 {
		after = 2.2 + 1.5*p.random.Float64() // while it is carried
	}
	e.Moved = &Disturbance{Object: c[n%2], To: [2]float64{r * math.Cos(angle), r * math.Sin(angle)}, After: after}
	return e
}
