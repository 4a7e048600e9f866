package scenes

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/sim/demos"
	"github.com/kuai-robot/kuai/sim/world"
)

// How scenes are laid out.
const (
	inShare     = 0.4  // of blocks that lie in a bowl, where there is one
	onShare     = 0.35 // of the others that stand on another
	drawerShare = 0.25
	buttonShare = 0.25
	homeShare   = 0.2 // of scenes whose arm is at home
	wantShare   = 0.7 // of scenes without a bound that show something held out
)

// layout draws what stands where. Where unseen is set something that is never
// shown in training is in most of them, else nothing is.
func layout(random *rand.Rand, unseen bool) world.Spec {
	blocks, bowls := shuffled(random, demos.Blocks()), shuffled(random, demos.Bowls())
	blocks, bowls = blocks[:1+random.IntN(4)], bowls[:random.IntN(3)]
	l := &placing{random: random}
	if unseen && random.Float64() < wantShare {
		blocks, bowls = l.want(blocks, bowls)
	}
	for _, name := range bowls {
		l.spec.Objects = append(l.spec.Objects, world.Placement{Name: name})
	}
	for _, name := range blocks {
		l.place(name, bowls, unseen)
	}
	if random.Float64() < drawerShare && len(bowls) < 2 {
		open := random.Float64()
		if open = 1.6*open - 0.3; open < 0 {
			open = 0
		}
		l.spec.Objects = append(l.spec.Objects, world.Placement{Name: drawer, Open: min(open, 1)})
	}
	if random.Float64() < buttonShare {
		l.spec.Objects = append(l.spec.Objects, world.Placement{Name: button})
	}
	return l.spec
}

// placing is a layout that grows.
type placing struct {
	random *rand.Rand
	spec   world.Spec
	// loose are the blocks on the table that carry nothing.
	loose []string
}

// want draws a pair that training never shows, puts it together, and gives the
// blocks that are left and the bowls.
func (l *placing) want(blocks, bowls []string) (left, with []string) {
	family := demos.Put
	if l.random.IntN(2) == 0 {
		family = demos.Stack
	}
	all := demos.Combinations(family, true)
	pair := all[l.random.IntN(len(all))]
	blocks = without(blocks, pair[0])
	if family == demos.Stack {
		blocks = without(blocks, pair[1])
		l.put(world.Placement{Name: pair[1]})
		l.put(world.Placement{Name: pair[0], On: pair[1]})
		l.loose = without(l.loose, pair[1])
		return blocks, bowls
	}
	bowls = append(without(bowls, pair[1]), pair[1])
	if len(bowls) > 2 {
		bowls = bowls[1:]
	}
	l.put(world.Placement{Name: pair[0], In: pair[1]})
	return blocks, bowls
}

// place puts a block into a bowl, onto another block or onto the table.
func (l *placing) place(name string, bowls []string, unseen bool) {
	allowed := func(s Statement) bool { return unseen || !s.Unseen() }
	p := world.Placement{Name: name}
	in := len(bowls) > 0 && l.random.Float64() < inShare
	on := len(l.loose) > 0 && l.random.Float64() < onShare
	switch {
	case in:
		if b := bowls[l.random.IntN(len(bowls))]; allowed(Statement{In, name, b}) {
			p.In = b
		}
	case on:
		if b := l.loose[l.random.IntN(len(l.loose))]; strings.HasSuffix(b, anyBlock) && allowed(Statement{On, name, b}) {
			p.On = b
			l.loose = without(l.loose, b)
		}
	}
	l.put(p)
}

func (l *placing) put(p world.Placement) {
	if p.In == "" && p.On == "" {
		l.loose = append(l.loose, p.Name)
	}
	l.spec.Objects = append(l.spec.Objects, p)
}

func without(names []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
}

func shuffled(random *rand.Rand, names []string) []string {
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names
}
