package demos

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
	"github.com/kuai-robot/kuai/sim/world"
)

// Families of episodes, by what is asked for.
const (
	Put    = "put"
	Stack  = "stack"
	Push   = "push"
	Press  = "press"
	Drawer = "drawer"
)

// Families lists them.
func Families() []string { return []string{Put, Stack, Push, Press, Drawer} }

// Mix says how often each family is drawn, in shares of any sum.
type Mix map[string]float64

// DefaultMix is that of the recipe.
func DefaultMix() Mix { return Mix{Put: 5, Stack: 3, Push: 2, Press: 1, Drawer: 2} }

// Validate names what is no family.
func (m Mix) Validate() error {
	sum := 0.0
	for name, share := range m {
		if !slices.Contains(Families(), name) {
			return fmt.Errorf("mix: %q is not one of %v", name, Families())
		}
		if !(share >= 0) || math.IsInf(share, 0) {
			return fmt.Errorf("mix: %s: %g is no share", name, share)
		}
		sum += share
	}
	if sum <= 0 {
		return fmt.Errorf("mix: every share is 0")
	}
	return nil
}

// Episode is one to be played.
type Episode struct {
	Seed   uint64
	Family string
	Spec   world.Spec
	Skills []robot.Skill
	// Moved, where it is not empty, is put elsewhere at the step: somebody moves
	// the target.
	Moved  string
	To     [2]float64
	AtStep int
}

var (
	blockNames = []string{
		"red block", "green block", "blue block", "yellow block", "orange block", "purple block", "white cylinder", "black cylinder",
	}
	// cylinderNames are the last of blockNames.
	cylinderNames = blockNames[6:]
	bowlNames     = []string{"red bowl", "green bowl", "blue bowl", "yellow bowl", "purple bowl"}
)

// heldOut are pairs that no demonstration asks for.
var heldOut = [][2]string{
	{"red block", "yellow bowl"}, {"blue block", "red bowl"}, {"yellow block", "purple bowl"}, {"orange block", "blue bowl"},
	{"green block", "green bowl"}, {"purple block", "yellow bowl"}, {"white cylinder", "blue bowl"}, {"black cylinder", "red bowl"},
	{"green block", "yellow block"}, {"red block", "purple block"}, {"blue block", "orange block"}, {"yellow block", "green block"},
	{"purple block", "blue block"}, {"white cylinder", "red block"},
}

// HeldOut says whether no demonstration asks for s.
func HeldOut(s robot.Skill) bool {
	return len(s.Args) == 2 && slices.Contains(heldOut, [2]string{s.Args[0], s.Args[1]})
}

// Draw makes the episode of a seed.
func Draw(seed uint64, mix Mix, vary world.Vary, d *robot.Description, arm *hand.Arm) Episode {
	random := rand.New(rand.NewPCG(seed, 0x64656d6f))
	e := Episode{Seed: seed, Family: mix.draw(random), Spec: world.Spec{Vary: vary}}
	blocks, bowls := shuffled(random, blockNames), shuffled(random, bowlNames)
	few := func(names []string, least, most int) []string {
		return names[:least+random.IntN(most-least+1)]
	}
	drawer, button := random.Float64() < 0.25, random.Float64() < 0.25
	open := 0.0
	if random.Float64() < 0.5 {
		open = random.Float64()
	}
	switch e.Family {
	case Put:
		blocks, bowls = few(blocks, 2, 4), few(bowls, 1, 2)
		drawer = drawer && len(bowls) == 1
		e.Skills = []robot.Skill{{Name: "pick", Args: []string{blocks[0]}}, {Name: "place_in", Args: []string{blocks[0], bowls[0]}}}
	case Stack:
		blocks, bowls = few(blocks, 2, 4), few(bowls, 0, 1)
		if slices.Contains(cylinderNames, blocks[1]) { // nothing is stacked on a cylinder's end
			blocks[0], blocks[1] = blocks[1], blocks[0]
		}
		e.Skills = []robot.Skill{{Name: "pick", Args: []string{blocks[0]}}, {Name: "place_on", Args: []string{blocks[0], blocks[1]}}}
	case Push:
		blocks, bowls = few(blocks, 1, 3), few(bowls, 0, 1)
		e.Skills = []robot.Skill{{Name: "push", Args: []string{blocks[0], []string{"left", "right"}[random.IntN(2)]}}}
	case Press:
		blocks, bowls, button = few(blocks, 1, 3), few(bowls, 0, 1), true
		e.Skills = []robot.Skill{{Name: "press", Args: []string{"button"}}}
	case Drawer:
		blocks, bowls, drawer = few(blocks, 1, 3), few(bowls, 0, 1), true
		name := "open"
		open *= 0.4
		if random.IntN(2) == 0 {
			name, open = "close", 1-open
		}
		e.Skills = []robot.Skill{{Name: name, Args: []string{"drawer"}}}
	}
	if HeldOut(e.Skills[len(e.Skills)-1]) || cylinders(e.Skills) {
		return Draw(seed+redraw, mix, vary, d, arm)
	}
	e.Spec.Objects = placements(blocks, bowls, drawer, button, open)
	if random.Float64() < 0.7 {
		e.Spec.Arm = standing(random, d, arm)
	}
	e.disturb(random)
	return e
}

// redraw leads from the seed of an episode that is held out to another.
const redraw = 1 << 40

// cylinders says whether something is to be put onto a cylinder.
func cylinders(skills []robot.Skill) bool {
	last := skills[len(skills)-1]
	return last.Name == "place_on" && slices.Contains(cylinderNames, last.Args[1])
}

func (m Mix) draw(random *rand.Rand) string {
	sum := 0.0
	for _, name := range Families() {
		sum += m[name]
	}
	at := sum * random.Float64()
	last := ""
	for _, name := range Families() {
		if m[name] > 0 {
			last = name
			if at < m[name] {
				break
			}
		}
		at -= m[name]
	}
	return last
}

func shuffled(random *rand.Rand, names []string) []string {
	out := slices.Clone(names)
	random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func placements(blocks, bowls []string, drawer, button bool, open float64) []world.Placement {
	var all []world.Placement
	for _, name := range append(slices.Clone(blocks), bowls...) {
		all = append(all, world.Placement{Name: name})
	}
	if drawer {
		all = append(all, world.Placement{Name: "drawer", Open: open})
	}
	if button {
		all = append(all, world.Placement{Name: "button"})
	}
	return all
}

// standing draws how the arm stands: its hand anywhere over the table.
func standing(random *rand.Rand, d *robot.Description, arm *hand.Arm) []float64 {
	home := d.Home()
	for {
		r, angle := 0.13+0.11*random.Float64(), 1.4*(2*random.Float64()-1)
		h := hand.Hand{
			X: r * math.Cos(angle), Y: r * math.Sin(angle), Z: 0.09 + 0.08*random.Float64(),
			Roll: 1.3 * (2*random.Float64() - 1), Grip: 0.035 * random.Float64(),
		}
		from := home
		from[0] = angle
		for h.Tilt = 0; h.Tilt < 1; h.Tilt += 0.1 {
			if q, off := arm.Joints(h, &from); off < 1e-3 {
				return q[:len(d.Joints)]
			}
		}
	}
}

// disturb has somebody move the target in some episodes.
func (e *Episode) disturb(random *rand.Rand) {
	often, what, at := random.Float64(), random.IntN(2), 3+random.IntN(25)
	r, angle := 0.14+0.10*random.Float64(), 1.3*(2*random.Float64()-1)
	if often >= 0.15 {
		return
	}
	last := e.Skills[len(e.Skills)-1]
	if e.Moved = last.Args[min(what, len(last.Args)-1)]; e.Moved == "left" || e.Moved == "right" || e.Moved == "drawer" {
		e.Moved = ""
		return
	}
	e.To, e.AtStep = [2]float64{r * math.Cos(angle), r * math.Sin(angle)}, at
}
