package scenes

import (
	"hash/fnv"
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/sim/demos"
)

// Relation is what a statement says of its things.
type Relation string

// Relations.
const (
	There Relation = "there" // there is A
	In    Relation = "in"    // A is in B
	On    Relation = "on"    // A is on B
	Holds Relation = "holds" // the gripper holds A
	Left  Relation = "left"  // A is left of B in the picture
	Right Relation = "right" // A is right of B
	Empty Relation = "empty" // the bowl A is empty
	Open  Relation = "open"  // the drawer is open
	Shut  Relation = "shut"  // the drawer is closed
)

// Relations lists them.
func Relations() []Relation {
	return []Relation{There, In, On, Holds, Left, Right, Empty, Open, Shut}
}

// Things of a statement that are no single object.
const (
	anyBowl   = "bowl"
	anyBlock  = "block"
	something = "something"
	table     = "table"
	drawer    = "drawer"
	button    = "button"
)

// Statement is one thing that can be said of the workbench.
type Statement struct {
	Relation Relation `json:"relation"`
	A        string   `json:"a,omitempty"`
	B        string   `json:"b,omitempty"`
}

// All lists every statement, always in the same order.
func All() []Statement {
	blocks, bowls := demos.Blocks(), demos.Bowls()
	movable := append(slices.Clone(blocks), bowls...)
	var all []Statement
	say := func(r Relation, a, b string) { all = append(all, Statement{r, a, b}) }
	for _, a := range append(slices.Clone(movable), drawer, button) {
		say(There, a, "")
	}
	for _, a := range blocks {
		for _, b := range append([]string{anyBowl}, bowls...) {
			say(In, a, b)
		}
		say(On, a, table)
		say(On, a, anyBlock)
		for _, b := range blocks {
			if a != b && strings.HasSuffix(b, anyBlock) {
				say(On, a, b)
			}
		}
		say(Holds, a, "")
	}
	say(Holds, something, "")
	for _, b := range bowls {
		say(In, something, b)
		say(Empty, b, "")
	}
	for _, a := range movable {
		for _, b := range movable {
			if a != b {
				say(Left, a, b)
				say(Right, a, b)
			}
		}
	}
	say(Open, drawer, "")
	say(Shut, drawer, "")
	return all
}

// heldThing is what the gripper is never seen or said to hold in training, and
// saidThing what is never said to be in some bowl, though in which.
const (
	heldThing = "blue block"
	saidThing = "red block"
)

// sideShare is of how many pairs of things one is never said to be beside the
// other.
const sideShare = 7

// HeldOut says whether s is kept from training: no sentence of it.
func (s Statement) HeldOut() bool {
	switch s.Relation {
	case In:
		return s.A == saidThing && s.B == anyBowl || s.Unseen()
	case Left, Right:
		first, then := s.A, s.B
		if first > then {
			first, then = then, first
		}
		h := fnv.New32a()
		h.Write([]byte(first + "|" + then))
		return h.Sum32()%sideShare == 0
	}
	return s.Unseen()
}

// Unseen says whether in training there is not even a picture in which s is true.
func (s Statement) Unseen() bool {
	switch s.Relation {
	case In:
		return slices.Contains(demos.Combinations(demos.Put, true), demos.Combination{s.A, s.B})
	case On:
		return slices.Contains(demos.Combinations(demos.Stack, true), demos.Combination{s.A, s.B})
	case Holds:
		return s.A == heldThing
	}
	return false
}
