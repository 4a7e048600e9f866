package symbolic

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/kuai-robot/kuai/robot"
)

// maxDepth bounds a search: no fact of the household takes more steps.
const maxDepth = 12

// Count is the fact that so many objects of a kind are at a place:
// count(2, on, drink, user).
const Count = "count"

// Facts gives what a goal asks of the scene, without what it only names and
// what is about words.
func Facts(goal []robot.Predicate) []robot.Predicate {
	var facts []robot.Predicate
	for _, p := range goal {
		switch p.Name {
		case "on", "in", "held", "open", "closed", "clean", Count:
			if !p.Not {
				facts = append(facts, p)
			}
		}
	}
	return facts
}

// candidates gives the plain facts of which one more is wanted: of a count, one
// for each object of the kind that is not there yet, none when there are enough.
func (s *State) candidates(p robot.Predicate) []robot.Predicate {
	if p.Name != Count {
		if s.Holds(p) {
			return nil
		}
		return []robot.Predicate{p}
	}
	if s.counted(p) >= number(p) {
		return nil
	}
	var facts []robot.Predicate
	for _, name := range s.names {
		fact := robot.Predicate{Name: p.Args[1], Args: []string{name, p.Args[3]}}
		if s.kinds[name] == p.Args[2] && !s.Holds(fact) {
			facts = append(facts, fact)
		}
	}
	return facts
}

// counted is how many objects of the kind are at the place.
func (s *State) counted(p robot.Predicate) int {
	n := 0
	for _, name := range s.names {
		if s.kinds[name] == p.Args[2] && s.Holds(robot.Predicate{Name: p.Args[1], Args: []string{name, p.Args[3]}}) {
			n++
		}
	}
	return n
}

func number(p robot.Predicate) int {
	n, err := strconv.Atoi(p.Args[0])
	if err != nil {
		return 0
	}
	return n
}

// Reached says that the fact holds, counts included.
func (s *State) Reached(p robot.Predicate) bool {
	if p.Name == Count {
		return s.counted(p) == number(p)
	}
	return s.Holds(p)
}

// OnWay says whether a skill is the first of a shortest plan to one of the facts,
// in whatever order they are reached.
func (s *State) OnWay(facts []robot.Predicate, call robot.Skill) bool {
	next, err := s.Apply(call)
	if err != nil {
		return false
	}
	for _, fact := range facts {
		for _, plain := range s.candidates(fact) {
			before, ok := s.search(plain)
			if !ok || len(before) == 0 {
				continue
			}
			if after, ok := next.search(plain); ok && len(after) < len(before) {
				return true
			}
		}
	}
	return false
}

// Plan gives skills that reach the facts, each by the shortest way from where the
// one before ended, of counts the nearest objects first. Drawers that are opened
// on the way and are not in keep are closed again in the end.
func (s *State) Plan(facts []robot.Predicate, keep func(drawer string) bool) ([]robot.Skill, error) {
	state := s.clone()
	var plan []robot.Skill
	follow := func(steps []robot.Skill) error {
		for _, step := range steps {
			next, err := state.Apply(step)
			if err != nil {
				return err
			}
			state, plan = next, append(plan, step)
		}
		return nil
	}
	for range len(facts) + 1 { // reaching one may undo another
		for _, fact := range facts {
			for !state.Reached(fact) {
				steps, ok := state.nearest(fact)
				if !ok {
					return nil, fmt.Errorf("there is no plan to %s", fact)
				}
				if err := follow(steps); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, name := range s.names {
		if s.kinds[name] != kindDrawer || keep(name) || state.open[name] == s.open[name] || !state.open[name] {
			continue
		}
		steps, ok := state.search(robot.Predicate{Name: "closed", Args: []string{name}})
		if !ok {
			return nil, fmt.Errorf("there is no plan to close the %s", name)
		}
		if err := follow(steps); err != nil {
			return nil, err
		}
	}
	return plan, nil
}

// nearest gives the shortest of the plans to one of the fact's candidates.
func (s *State) nearest(fact robot.Predicate) ([]robot.Skill, bool) {
	var best []robot.Skill
	found := false
	for _, plain := range s.candidates(fact) {
		if steps, ok := s.search(plain); ok && (!found || len(steps) < len(best)) {
			best, found = steps, true
		}
	}
	return best, found && len(best) > 0
}

// node is a state of a search and how it was come to.
type node struct {
	state  State
	before int
	by     robot.Skill
}

// search finds a shortest plan to a plain fact, breadth first over what the fact
// is about.
func (s *State) search(fact robot.Predicate) ([]robot.Skill, bool) {
	things, places := s.about(fact)
	nodes := []node{{state: *s, before: -1}}
	seen := map[string]bool{s.key(things): true}
	end := 1
	for at, depth := 0, 0; at < len(nodes); at++ {
		if at == end {
			end = len(nodes)
			if depth++; depth > maxDepth {
				break
			}
		}
		if nodes[at].state.Holds(fact) {
			return way(nodes, at), true
		}
		state := nodes[at].state
		for _, call := range state.moves(things, places) {
			next, err := state.Apply(call)
			if err != nil {
				continue
			}
			if key := next.key(things); !seen[key] {
				seen[key] = true
				nodes = append(nodes, node{next, at, call})
			}
		}
	}
	return nil, false
}

func way(nodes []node, at int) []robot.Skill {
	var plan []robot.Skill
	for ; nodes[at].before >= 0; at = nodes[at].before {
		plan = append(plan, nodes[at].by)
	}
	slices.Reverse(plan)
	return plan
}

// about gives the things that a plan to the fact may move, and the places where
// it may go.
func (s *State) about(fact robot.Predicate) (things, places []string) {
	place := func(name string) {
		if name != "" && !slices.Contains(places, name) && s.kinds[name] != "" && !s.thing(name) {
			places = append(places, name)
		}
	}
	thing := func(name string) {
		if s.thing(name) && !slices.Contains(things, name) {
			things = append(things, name)
			at, _ := s.place(name)
			place(at)
		}
	}
	for _, arg := range fact.Args {
		place(arg)
		thing(arg)
	}
	thing(s.held)
	if fact.Name == "clean" {
		for _, name := range s.names {
			if s.kinds[name] == kindSponge {
				thing(name)
			}
		}
	}
	for i := 0; i < len(things); i++ { // what stands on them comes off first
		for name, at := range s.where {
			if at.what == things[i] {
				thing(name)
			}
		}
	}
	slices.Sort(things)
	// What is in the way is put down on a surface.
	if s.held != "" || len(things) > 1 {
		for _, name := range s.names {
			if s.kinds[name] == kindSurface {
				place(name)
			}
		}
	}
	slices.Sort(places)
	return things, places
}

// moves gives the skills that may be tried in s.
func (s *State) moves(things, places []string) []robot.Skill {
	var calls []robot.Skill
	add := func(name string, args ...string) { calls = append(calls, robot.Skill{Name: name, Args: args}) }
	for _, p := range places {
		if p != s.station {
			add(goTo, p)
		}
	}
	if s.held == "" {
		for _, t := range things {
			add(pick, t)
		}
		add(openIt, s.station)
		add(closeIt, s.station)
		return calls
	}
	add(placeOn, s.held, s.station)
	add(placeIn, s.held, s.station)
	add(handOver, s.held, s.station)
	add(wipe, s.station, s.held)
	return calls
}
