package agent

import (
	"slices"

	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// Means is a Critic by means-ends analysis over the catalogue's own predicates: an
// option is useful when it promises what is wanted and its preconditions hold, or
// when it promises, in the same way, a precondition of one that is. What neither
// leads there is not chosen, whatever the language model makes of it, so that
// objects which nobody spoke of stay where they are.
type Means struct{}

// maxDepth bounds the chain of preconditions.
const maxDepth = 8

// Useful implements Critic.
func (Means) Useful(goal []robot.Predicate, options []skill.Option, scene *robot.Scene) []robot.Skill {
	m := means{options: options, scene: scene}
	for _, p := range goal {
		if !p.Holds(scene, scene) {
			m.promising(goal, p, maxDepth)
			return m.found
		}
	}
	if len(goal) > 0 {
		m.promising(goal, goal[0], maxDepth) // it is so by chance, and is to be made so
	}
	return m.found
}

type means struct {
	options []skill.Option
	scene   *robot.Scene
	found   []robot.Skill
	wanted  []string // predicates on the way here, so that no circle is followed
}

// promising follows the options that promise p: of those that promise all of the
// goal, if there are, the ones that promise least besides.
func (m *means) promising(goal []robot.Predicate, p robot.Predicate, depth int) {
	var all, some []*skill.Option
	least := 1 << 10
	for i := range m.options {
		o := &m.options[i]
		if !promises(o, p) {
			continue
		}
		some = append(some, o)
		if !slices.ContainsFunc(goal, func(q robot.Predicate) bool { return !promises(o, q) }) {
			if len(o.Success) < least {
				all, least = nil, len(o.Success)
			}
			if len(o.Success) == least {
				all = append(all, o)
			}
		}
	}
	if len(all) > 0 {
		some = all
	}
	for _, o := range some {
		m.towards(o, depth)
	}
}

func promises(o *skill.Option, p robot.Predicate) bool {
	return slices.ContainsFunc(o.Success, func(q robot.Predicate) bool { return q.String() == p.String() })
}

// towards makes o useful, or what makes it possible.
func (m *means) towards(o *skill.Option, depth int) {
	unmet, ok := m.unmet(o)
	if ok {
		if !slices.ContainsFunc(m.found, o.Skill.Equal) {
			m.found = append(m.found, o.Skill)
		}
		return
	}
	m.want(unmet, depth-1)
}

// unmet gives the precondition of o to see to first: what must be opened with an
// empty hand, while it is empty, then in the order of the catalogue.
func (m *means) unmet(o *skill.Option) (p robot.Predicate, ok bool) {
	_, held := m.scene.Held()
	ok = true
	for _, w := range o.When {
		if w.Holds(nil, m.scene) {
			continue
		}
		if w.Name == "open" && !held {
			return w, false
		}
		if ok {
			p, ok = w, false
		}
	}
	return p, ok
}

// want follows what makes p hold.
func (m *means) want(p robot.Predicate, depth int) {
	key := p.String()
	if depth == 0 || p.Not || slices.Contains(m.wanted, key) {
		return
	}
	m.wanted = append(m.wanted, key)
	defer func() { m.wanted = m.wanted[:len(m.wanted)-1] }()
	switch p.Name {
	case "empty_hand":
		m.emptyHand(depth)
		return
	case "reachable":
		m.reach(p.Args[0], depth)
		return
	case "clear":
		m.uncover(p.Args[0], depth)
		return
	case "here":
		p.Args = []string{m.place(p.Args[0])}
	}
	m.promising([]robot.Predicate{p}, p, depth)
}

// emptyHand puts down what is held, on whatever it may lie.
func (m *means) emptyHand(depth int) {
	held, ok := m.scene.Held()
	if !ok {
		return
	}
	var later []*skill.Option
	for i := range m.options {
		o := &m.options[i]
		at := slices.IndexFunc(o.Success, func(q robot.Predicate) bool { return q.Name == "on" && !q.Not && q.Args[0] == held.Name })
		if at < 0 {
			continue
		}
		if under, there := m.scene.Find(o.Success[at].Args[1]); there && under.Kind != "surface" {
			continue // nobody asked to hand it over, or to stack it
		}
		if len(o.Success) == 1 {
			later = append(later, o)
		}
	}
	for _, o := range later {
		if o.Possible(m.scene) {
			m.found = append(m.found, o.Skill)
		}
	}
	if len(m.found) > 0 {
		return
	}
	for _, o := range later {
		m.towards(o, depth)
	}
}

// reach goes to where name is, and opens what it lies in.
func (m *means) reach(name string, depth int) {
	o, ok := m.scene.Find(name)
	for range m.scene.Objects {
		if !ok {
			break
		}
		if inside, in := m.scene.Find(o.In); in && inside.Open <= robot.ClosedAtMost {
			m.want(robot.Predicate{Name: "open", Args: []string{inside.Name}}, depth)
			return
		}
		o, ok = m.scene.Find(o.In + o.On)
	}
	m.want(robot.Predicate{Name: "here", Args: []string{name}}, depth)
}

// uncover takes away what is on or in name.
func (m *means) uncover(name string, depth int) {
	for i := range m.scene.Objects {
		if o := &m.scene.Objects[i]; o.On == name || o.In == name {
			m.want(robot.Predicate{Name: "held", Args: []string{o.Name}}, depth)
		}
	}
}

// place gives what name rests on or lies in, outermost.
func (m *means) place(name string) string {
	for range m.scene.Objects {
		o, ok := m.scene.Find(name)
		if !ok || o.On+o.In == "" {
			return name
		}
		name = o.On + o.In
	}
	return name
}

// Facts is a Verifier by the predicates alone.
type Facts struct{}

// Done implements Verifier.
func (Facts) Done(goal []robot.Predicate, before, now *robot.Scene) bool {
	_, ok := robot.HoldAll(goal, before, now)
	return ok && len(goal) > 0
}
