package symbolic

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/robot"
)

// The skills of the household.
const (
	goTo     = "go_to"
	pick     = "pick"
	placeOn  = "place_on"
	placeIn  = "place_in"
	handOver = "hand_over"
	openIt   = "open"
	closeIt  = "close"
	wipe     = "wipe"
	home     = "home"
	done     = "done"
)

// Kinds of objects that facts treat in their own way.
const (
	kindSurface = "surface"
	kindDrawer  = "drawer"
	kindPerson  = "person"
	kindSponge  = "sponge"
)

var vessels = []string{"bin", "basket", "sink"}

// spot is what a thing is on or in.
type spot struct {
	in   bool
	what string
}

// State is what holds at one time.
type State struct {
	station string
	held    string
	where   map[string]spot // of things that are not held
	open    map[string]bool // of drawers
	clean   map[string]bool // of surfaces
	// kinds of all objects, and their names in the order of the scene; shared by
	// all states that follow from one.
	kinds map[string]string
	names []string
}

// Household says whether scene is one that this package plans in: of a robot
// that drives.
func Household(scene *robot.Scene) bool { return scene != nil && scene.Station != "" }

// Read gives the state that scene shows.
func Read(scene *robot.Scene) State {
	s := State{
		station: scene.Station, where: map[string]spot{}, open: map[string]bool{}, clean: map[string]bool{}, kinds: map[string]string{},
	}
	for i := range scene.Objects {
		o := &scene.Objects[i]
		s.kinds[o.Name] = o.Kind
		s.names = append(s.names, o.Name)
		switch {
		case o.Held:
			s.held = o.Name
		case o.Kind == kindDrawer:
			s.open[o.Name] = o.Open >= robot.OpenAtLeast
		case o.Kind == kindSurface:
			s.clean[o.Name] = o.Dirt <= robot.CleanAtMost
		case o.In != "":
			s.where[o.Name] = spot{true, o.In}
		case o.On != "":
			s.where[o.Name] = spot{false, o.On}
		}
	}
	return s
}

func (s *State) clone() State {
	c := *s
	c.where, c.open, c.clean = maps.Clone(s.where), maps.Clone(s.open), maps.Clone(s.clean)
	return c
}

// place gives the outermost object that name is on or in, itself when there is
// none, and whether nothing on the way is closed.
func (s *State) place(name string) (place string, open bool) {
	open = true
	for range s.names { // a circle ends too
		at, ok := s.where[name]
		if !ok {
			break
		}
		if at.in && s.kinds[at.what] == kindDrawer && !s.open[at.what] {
			open = false
		}
		name = at.what
	}
	return name, open
}

// clear says that nothing is on or in name.
func (s *State) clear(name string) bool {
	for _, at := range s.where {
		if at.what == name {
			return false
		}
	}
	return true
}

// thing says whether name can be carried.
func (s *State) thing(name string) bool {
	kind, ok := s.kinds[name]
	return ok && kind != kindSurface && kind != kindDrawer && kind != kindPerson && !slices.Contains(vessels, kind)
}

// Holds decides a fact: on, in, held, empty_hand, open, closed, clean, here and
// present. Facts about an object that is not there, and others, do not hold.
func (s *State) Holds(p robot.Predicate) bool { return s.holds(p) != p.Not }

func (s *State) holds(p robot.Predicate) bool {
	if p.Name == "empty_hand" {
		return s.held == ""
	}
	if len(p.Args) == 0 {
		return false
	}
	x := p.Args[0]
	kind, there := s.kinds[x]
	switch p.Name {
	case "on", "in":
		at, ok := s.where[x]
		return ok && len(p.Args) == 2 && at == spot{p.Name == "in", p.Args[1]}
	case "held":
		return s.held == x
	case "open":
		return kind == kindDrawer && s.open[x]
	case "closed":
		return there && !s.open[x]
	case "clean":
		return there && (kind != kindSurface || s.clean[x])
	case "here":
		place, _ := s.place(x)
		return there && (s.held == x || place == s.station)
	case "present":
		return there
	}
	return false
}

// Apply gives the state after a skill that works; the error says which
// precondition does not hold.
func (s *State) Apply(call robot.Skill) (State, error) {
	next := s.clone()
	if err := next.apply(call.Name, call.Args); err != nil {
		return *s, fmt.Errorf("%s: %w", call, err)
	}
	return next, nil
}

// arity is how many arguments each skill takes.
var arity = map[string]int{goTo: 1, pick: 1, placeOn: 2, placeIn: 2, handOver: 2, openIt: 1, closeIt: 1, wipe: 2, home: 0, done: 0}

func (s *State) apply(name string, args []string) error {
	if n, ok := arity[name]; !ok || n != len(args) {
		return fmt.Errorf("the household has no such skill")
	}
	for _, a := range args {
		if _, ok := s.kinds[a]; !ok {
			return fmt.Errorf("there is no %s", a)
		}
	}
	switch name {
	case goTo:
		if s.thing(args[0]) {
			return fmt.Errorf("the %s is no place", args[0])
		}
		s.station = args[0]
	case pick:
		return s.pick(args[0])
	case placeOn, placeIn, handOver:
		return s.put(name, args[0], args[1])
	case openIt, closeIt:
		switch want := name == openIt; {
		case s.kinds[args[0]] != kindDrawer:
			return fmt.Errorf("the %s is no drawer", args[0])
		case s.held != "":
			return fmt.Errorf("the hand holds the %s", s.held)
		case s.station != args[0]:
			return fmt.Errorf("it stands at the %s", s.station)
		case s.open[args[0]] == want:
			return fmt.Errorf("it is so already")
		default:
			s.open[args[0]] = want
		}
	case wipe:
		if s.held != args[1] || s.kinds[args[1]] != kindSponge || s.kinds[args[0]] != kindSurface || s.station != args[0] {
			return fmt.Errorf("it needs the sponge in the hand, and to stand there")
		}
		s.clean[args[0]] = true
	}
	return nil
}

func (s *State) pick(thing string) error {
	place, open := s.place(thing)
	switch {
	case !s.thing(thing):
		return fmt.Errorf("it cannot be carried")
	case s.held != "":
		return fmt.Errorf("the hand holds the %s", s.held)
	case !open || place != s.station:
		return fmt.Errorf("it is out of reach")
	case !s.clear(thing):
		return fmt.Errorf("something is on it")
	}
	delete(s.where, thing)
	s.held = thing
	return nil
}

func (s *State) put(name, thing, place string) error {
	kind := s.kinds[place]
	fits := map[string]bool{
		placeOn: kind == kindSurface, placeIn: kind == kindDrawer || slices.Contains(vessels, kind), handOver: kind == kindPerson,
	}[name]
	switch {
	case !fits:
		return fmt.Errorf("the %s is a %s", place, kind)
	case s.held != thing:
		return fmt.Errorf("it is not in the hand")
	case s.station != place:
		return fmt.Errorf("it stands at the %s", s.station)
	case kind == kindDrawer && !s.open[place]:
		return fmt.Errorf("the %s is closed", place)
	}
	s.held = ""
	s.where[thing] = spot{name == placeIn, place}
	return nil
}

// Untouched says that the object is as it was in before: where it was, or as open
// as it was.
func (s *State) Untouched(before *State, name string) bool {
	return s.where[name] == before.where[name] && s.open[name] == before.open[name] && (s.held == name) == (before.held == name)
}

// key writes what of s may differ between the states of one search.
func (s *State) key(things []string) string {
	var b strings.Builder
	b.WriteString(s.station + "|" + s.held)
	for _, t := range things {
		b.WriteString("|" + s.where[t].what)
	}
	for _, name := range s.names {
		switch s.kinds[name] {
		case kindDrawer:
			fmt.Fprintf(&b, "|%t", s.open[name])
		case kindSurface:
			fmt.Fprintf(&b, "|%t", s.clean[name])
		}
	}
	return b.String()
}
