package robot

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Predicate is a fact that may hold of a scene, written as people read it:
// "in(red block, blue bowl)", "not held(red block)". The names, and what each
// takes, are in predicateArity; "table" is a name like any other.
type Predicate struct {
	Name string
	Args []string
	Not  bool
}

// What counts as moved, untouched, near, open and clean.
const (
	MovedAtLeastM     = 0.03
	UntouchedWithinM  = 0.02
	NearGapM          = 0.06
	OpenAtLeast       = 0.5
	ClosedAtMost      = 0.15
	CleanAtMost       = 0.1
	maxPredicateBytes = 512
)

// predicateArity lists what Holds can decide and how many arguments each takes.
var predicateArity = map[string]int{
	"present":    1, // the object is in the scene
	"on":         2, // the first rests on the second
	"in":         2, // the first is inside of the second
	"held":       1, // the gripper has it
	"empty_hand": 0, // the gripper has nothing
	"at":         2, // its centre is over the footprint of the second
	"near":       2, // at most NearGapM between the two, neither on nor in the other
	"open":       1, // Open is at least OpenAtLeast
	"closed":     1, // Open is at most ClosedAtMost
	"pressed":    1, // it was pressed since the scene began
	"clear":      1, // nothing is on it, in it
	"moved":      2, // it went MovedAtLeastM in the direction: left, right, forward, back
	"untouched":  1, // it is where it was, within UntouchedWithinM, in the same relations
	"here":       1, // the robot stands at it, or at what it rests on or lies in
	"reachable":  1, // the same, and nothing closed is around it
	"clean":      1, // Dirt is at most CleanAtMost
}

// directions are unit vectors in the base frame, x forward, y left.
var directions = map[string]Vec3{
	"left": {0, 1, 0}, "right": {0, -1, 0}, "forward": {1, 0, 0}, "back": {-1, 0, 0},
}

// ParsePredicate reads the form that String writes. Only the syntax is
// checked; Check says whether Holds knows the name.
func ParsePredicate(text string) (Predicate, error) {
	if len(text) > maxPredicateBytes {
		return Predicate{}, fmt.Errorf("predicate of %d bytes: at most %d", len(text), maxPredicateBytes)
	}
	rest := strings.TrimSpace(text)
	var p Predicate
	if after, ok := strings.CutPrefix(rest, "not "); ok {
		p.Not, rest = true, strings.TrimSpace(after)
	}
	name, args, ok := strings.Cut(rest, "(")
	args, closed := strings.CutSuffix(args, ")")
	p.Name = strings.TrimSpace(name)
	if !ok || !closed || p.Name == "" || strings.ContainsAny(p.Name, " ,") || strings.ContainsAny(args, "()") {
		return Predicate{}, fmt.Errorf("predicate %q: want name(argument, …), such as in(red block, blue bowl)", text)
	}
	if strings.TrimSpace(args) == "" {
		return p, nil
	}
	for arg := range strings.SplitSeq(args, ",") {
		arg = strings.TrimSpace(arg)
		if arg == "" {
			return Predicate{}, fmt.Errorf("predicate %q: an argument is empty", text)
		}
		p.Args = append(p.Args, arg)
	}
	return p, nil
}

// String writes p as ParsePredicate reads it.
func (p Predicate) String() string {
	not := ""
	if p.Not {
		not = "not "
	}
	return fmt.Sprintf("%s%s(%s)", not, p.Name, strings.Join(p.Args, ", "))
}

// MarshalText implements encoding.TextMarshaler.
func (p Predicate) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Predicate) UnmarshalText(text []byte) error {
	q, err := ParsePredicate(string(text))
	if err == nil {
		*p = q
	}
	return err
}

// Check says whether Holds can decide p: a known name, the right number of
// arguments, a known direction.
func (p Predicate) Check() error {
	n, ok := predicateArity[p.Name]
	if !ok {
		return fmt.Errorf("predicate %s: %q is not known (did you mean %q?)", p, p.Name, Nearest(p.Name, PredicateNames()))
	}
	if len(p.Args) != n {
		return fmt.Errorf("predicate %s: %s takes %d arguments, not %d", p, p.Name, n, len(p.Args))
	}
	if p.Name == "moved" {
		if _, ok := directions[p.Args[1]]; !ok && !strings.HasPrefix(p.Args[1], "{") {
			return fmt.Errorf("predicate %s: %q is not left, right, forward or back", p, p.Args[1])
		}
	}
	return nil
}

// PredicateNames lists the names that Holds knows, sorted.
func PredicateNames() []string {
	names := make([]string, 0, len(predicateArity))
	for name := range predicateArity {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Holds decides p for the scene now; before is the scene that "moved" and
// "untouched" compare with. What is said of an object that is not in the scene
// is false, and its denial true. A predicate that fails Check is false, denied
// or not.
func (p Predicate) Holds(before, now *Scene) bool {
	if now == nil || p.Check() != nil {
		return false
	}
	return p.holds(before, now) != p.Not
}

func (p Predicate) holds(before, now *Scene) bool {
	if p.Name == "empty_hand" {
		_, held := now.Held()
		return !held
	}
	x, ok := now.Find(p.Args[0])
	if !ok {
		return false
	}
	switch p.Name {
	case "present":
		return true
	case "on":
		return x.On == p.Args[1]
	case "in":
		return x.In == p.Args[1]
	case "held":
		return x.Held
	case "open":
		return x.Open >= OpenAtLeast
	case "closed":
		return x.Open <= ClosedAtMost
	case "pressed":
		return x.Pressed
	case "clear":
		return now.clear(x.Name)
	case "here":
		place, _ := now.place(x)
		return now.Station == "" || place == now.Station
	case "reachable":
		place, open := now.place(x)
		return open && (now.Station == "" || place == now.Station)
	case "clean":
		return x.Dirt <= CleanAtMost
	case "at", "near":
		y, ok := now.Find(p.Args[1])
		return ok && (p.Name == "at" && x.over(y) || p.Name == "near" && x.near(y))
	}
	if before == nil {
		return false
	}
	was, ok := before.Find(x.Name)
	if !ok {
		return false
	}
	way := x.Pose.Position.Sub(was.Pose.Position)
	if p.Name == "moved" {
		return way.Dot(directions[p.Args[1]]) >= MovedAtLeastM
	}
	return way.Norm() <= UntouchedWithinM && x.On == was.On && x.In == was.In && x.Held == was.Held
}

// HoldAll gives the first of ps that does not hold; ok when all do.
func HoldAll(ps []Predicate, before, now *Scene) (fails Predicate, ok bool) {
	for _, p := range ps {
		if !p.Holds(before, now) {
			return p, false
		}
	}
	return Predicate{}, true
}

// place gives the outermost object that o rests on or lies in, which is o when
// there is none, and whether nothing on the way is closed. What the robot holds
// is where the robot is.
func (s *Scene) place(o *Object) (name string, open bool) {
	open = true
	for range s.Objects { // a circle ends too
		if o.Held {
			return s.Station, open
		}
		if inside, ok := s.Find(o.In); ok {
			open, o = open && inside.Open > ClosedAtMost, inside
		} else if under, ok := s.Find(o.On); ok {
			o = under
		} else {
			return o.Name, open
		}
	}
	return o.Name, open
}

func (s *Scene) clear(name string) bool {
	for i := range s.Objects {
		if s.Objects[i].On == name || s.Objects[i].In == name {
			return false
		}
	}
	return true
}

// over says that o's centre lies over y's footprint, taken along y's own axes.
func (o *Object) over(y *Object) bool {
	p := y.Pose.Orientation.Inverse().Rotate(o.Pose.Position.Sub(y.Pose.Position))
	return math.Abs(p[0]) <= y.Size[0]/2 && math.Abs(p[1]) <= y.Size[1]/2
}

// near measures the gap between the two as discs of their larger half width.
func (o *Object) near(y *Object) bool {
	if o.Held || y.Held || o.On == y.Name || o.In == y.Name || y.On == o.Name || y.In == o.Name {
		return false
	}
	way := o.Pose.Position.Sub(y.Pose.Position)
	reach := (max(o.Size[0], o.Size[1]) + max(y.Size[0], y.Size[1])) / 2
	return math.Hypot(way[0], way[1])-reach <= NearGapM
}
