package world

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// Spec says how an episode begins. What it leaves out is drawn from the seed.
type Spec struct {
	// Objects that are in the scene; none: all of them.
	Objects []Placement `json:"objects,omitempty"`
	// Arm is the position of every joint, rad or m; none: home.
	Arm []float64 `json:"arm,omitempty"`
	// Vary says how far a workbench may look other than usual.
	Vary Vary `json:"vary,omitzero"`
}

// Placement puts one object. At most one of On another object, In a bowl, and
// Position is given; On "table" leaves the place to the seed.
type Placement struct {
	Name string `json:"name"`
	On   string `json:"on,omitempty"`
	In   string `json:"in,omitempty"`
	// Position of the centre in the base frame, m.
	Position *[2]float64 `json:"position,omitempty"`
	// Open is how far a drawer stands open, 0 to 1.
	Open float64 `json:"open,omitempty"`
}

// The table's top in the base frame, m, as tabletop.xml has it.
var (
	tableMin = [2]float64{-0.25, -0.45}
	tableMax = [2]float64{0.45, 0.45}
)

// baseRadius is what the arm's foot takes up.
const baseRadius = 0.07

// slot is where one thing goes.
type slot struct {
	thing int
	// support is the index of the slot that it rests on or lies in, or -1: table.
	support int
	in      bool
	given   bool // at is from the Spec
	at      [2]float64
	open    float64
}

// Validate says what in s names nothing that exists or contradicts itself; that
// everything finds a place and stays there shows in Reset.
func (s *Spec) Validate() error {
	slots, err := s.slots()
	if err == nil {
		err = checkGiven(slots)
	}
	if err == nil {
		_, err = s.arm(so101.Description())
	}
	if err == nil {
		err = s.Vary.validate()
	}
	return err
}

// slots checks the Spec and gives its placements, bowls first and each after
// what supports it.
func (s *Spec) slots() ([]slot, error) {
	placements := s.Objects
	if len(placements) == 0 {
		for i := range things[:tabletopThings] {
			placements = append(placements, Placement{Name: things[i].Name})
		}
	}
	for i := range placements {
		if err := placements[i].check(placements[:i]); err != nil {
			return nil, fmt.Errorf("object %d (%q): %w", i, placements[i].Name, err)
		}
	}
	var ordered []slot
	add := func(p *Placement) error {
		o, err := p.slot(ordered)
		if err == nil {
			ordered = append(ordered, o)
		}
		return err
	}
	remaining := slices.Clone(placements)
	slices.SortStableFunc(remaining, func(a, b Placement) int { return a.rank() - b.rank() })
	for len(remaining) > 0 {
		next := slices.IndexFunc(remaining, func(p Placement) bool { return supported(&p, ordered) })
		if next < 0 {
			return nil, unsupported(remaining, placements)
		}
		if err := add(&remaining[next]); err != nil {
			return nil, fmt.Errorf("object %q: %w", remaining[next].Name, err)
		}
		remaining = slices.Delete(remaining, next, next+1)
	}
	return ordered, nil
}

// rank orders what takes most room first, so that drawing rarely fails.
func (p *Placement) rank() int {
	rank := 2
	if things[thingNamed(p.Name)].fixed {
		return -1
	}
	if p.Position != nil {
		rank = 0
	}
	if things[thingNamed(p.Name)].Kind != kindBowl {
		rank++
	}
	return rank
}

func (p *Placement) check(before []Placement) error {
	i := thingNamed(p.Name)
	if i < 0 {
		return fmt.Errorf("there is no such object (did you mean %q?)", robot.Nearest(p.Name, thingNames()))
	}
	for j := range before {
		if before[j].Name == p.Name {
			return fmt.Errorf("it is named twice")
		}
	}
	ways := 0
	for _, given := range []bool{p.On != "", p.In != "", p.Position != nil} {
		if given {
			ways++
		}
	}
	switch under := thingNamed(p.under()); {
	case ways > 1:
		return fmt.Errorf("give one of on, in and position")
	case p.under() != "" && under < 0:
		return fmt.Errorf("there is no %q to put it on or in (did you mean %q?)", p.under(), robot.Nearest(p.under(), append(thingNames(), Table)))
	case p.Open != 0 && (things[i].Kind != kindDrawer || !(p.Open >= 0 && p.Open <= 1)):
		return fmt.Errorf("open: a drawer stands open by 0 to 1")
	case things[i].fixed && under >= 0, under >= 0 && things[under].fixed:
		return fmt.Errorf("a drawer and a button stand on the table, and nothing on them")
	case under >= 0 && things[i].Kind == kindBowl:
		return fmt.Errorf("a bowl stands on the table only")
	case p.In != "" && things[under].Kind != kindBowl:
		return fmt.Errorf("only a bowl holds something in it, %s does not", p.In)
	case under >= 0 && p.On != "" && things[under].Kind == kindBowl:
		return fmt.Errorf("nothing rests on a bowl: say in %q", p.On)
	}
	return p.checkPosition(&things[i])
}

func (p *Placement) checkPosition(o *thing) error {
	if p.Position == nil {
		return nil
	}
	at := *p.Position
	half := o.Size[0] / 2
	for k := range 2 {
		if !finite(at[k]) || at[k]-half < tableMin[k] || at[k]+half > tableMax[k] {
			return fmt.Errorf("position %v m is not on the table, which reaches from %v to %v", at, tableMin, tableMax)
		}
	}
	if d := math.Hypot(at[0], at[1]); d < baseRadius+half {
		return fmt.Errorf("position %v m is in the arm's base", at)
	}
	return nil
}

// under names what p rests on or in; empty: the table.
func (p *Placement) under() string {
	if p.On == Table {
		return ""
	}
	return p.On + p.In
}

func supported(p *Placement, ordered []slot) bool {
	return p.under() == "" || slices.ContainsFunc(ordered, func(o slot) bool { return things[o.thing].Name == p.under() })
}

// unsupported says why nothing of what remains can be placed.
func unsupported(remaining, all []Placement) error {
	for i := range remaining {
		under := remaining[i].under()
		if !slices.ContainsFunc(all, func(p Placement) bool { return p.Name == under }) {
			return fmt.Errorf("object %q: the %s is not among the objects of the scene: list it too", remaining[i].Name, under)
		}
	}
	names := make([]string, len(remaining))
	for i := range remaining {
		names[i] = remaining[i].Name
	}
	return fmt.Errorf("objects %s rest on each other in a circle", strings.Join(names, ", "))
}

func (p *Placement) slot(ordered []slot) (slot, error) {
	o := slot{thing: thingNamed(p.Name), support: -1, in: p.In != "", open: p.Open}
	if p.Position != nil {
		o.given, o.at = true, *p.Position
	}
	if p.under() == "" {
		return o, nil
	}
	under := thingNamed(p.under())
	o.support = slices.IndexFunc(ordered, func(s slot) bool { return s.thing == under })
	if !o.in && slices.ContainsFunc(ordered, func(s slot) bool { return s.support == o.support }) {
		return o, fmt.Errorf("the %s already carries something", p.On)
	}
	return o, nil
}

// arm gives the joint positions that the Spec asks for.
func (s *Spec) arm(d *robot.Description) (robot.Joints, error) {
	if len(s.Arm) == 0 {
		return d.Home(), nil
	}
	var q robot.Joints
	if len(s.Arm) != len(d.Joints) {
		return q, fmt.Errorf("arm: %d positions for %d joints", len(s.Arm), len(d.Joints))
	}
	for i := range d.Joints {
		l := &d.Joints[i].Limits
		if v := s.Arm[i]; !finite(v) || v < l.MinPosition || v > l.MaxPosition {
			return q, fmt.Errorf("arm: joint %s: %g is outside of [%g, %g]", d.Joints[i].Name, v, l.MinPosition, l.MaxPosition)
		}
		q[i] = s.Arm[i]
	}
	return q, nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
