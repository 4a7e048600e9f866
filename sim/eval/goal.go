package eval

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/robot"
)

// said is the one predicate that is about words, not the scene.
const said = "said"

func checkGoal(p robot.Predicate) error {
	if p.Name == said {
		if len(p.Args) == 0 {
			return fmt.Errorf("%s: say what must be said", p)
		}
		return nil
	}
	return p.Check()
}

// goal decides predicates after an episode.
type goal struct {
	predicates []robot.Predicate
	start, end *robot.Scene
	texts      []string
	named      map[string]bool // objects that a predicate names
}

func newGoal(e *Episode, start, end *robot.Scene, texts []string) *goal {
	g := &goal{predicates: e.Goal, start: start, end: end, texts: texts, named: map[string]bool{}}
	for _, p := range e.Goal {
		if p.Name == said {
			continue
		}
		for _, arg := range p.Args {
			g.named[arg] = true
		}
	}
	return g
}

// missed gives the predicates that do not hold; mute leaves out what was to be
// said.
func (g *goal) missed(mute bool) []robot.Predicate {
	var missed []robot.Predicate
	for _, p := range g.predicates {
		if !(mute && p.Name == said) && !g.holds(p) {
			missed = append(missed, p)
		}
	}
	return missed
}

func (g *goal) holds(p robot.Predicate) bool {
	if p.Name == said {
		return g.wasSaid(p.Args) != p.Not
	}
	slot := slices.Index(p.Args, Any)
	if slot < 0 {
		return p.Holds(g.start, g.end)
	}
	plain := robot.Predicate{Name: p.Name, Args: slices.Clone(p.Args)}
	if p.Name == "untouched" {
		return g.othersUntouched(plain) != p.Not
	}
	for i := range g.start.Objects {
		plain.Args[slot] = g.start.Objects[i].Name
		if g.holds(plain) {
			return !p.Not
		}
	}
	return p.Not
}

func (g *goal) othersUntouched(plain robot.Predicate) bool {
	for i := range g.start.Objects {
		plain.Args[0] = g.start.Objects[i].Name
		if !g.named[plain.Args[0]] && !plain.Holds(g.start, g.end) {
			return false
		}
	}
	return true
}

// wasSaid looks for one of the alternatives as whole words, in any case.
func (g *goal) wasSaid(alternatives []string) bool {
	for _, text := range g.texts {
		for _, a := range alternatives {
			if strings.Contains(words(text), words(a)) {
				return true
			}
		}
	}
	return false
}

// words puts single spaces around each word and drops the rest.
func words(text string) string {
	fields := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" \t\n.,;:!?\"()", r) })
	return " " + strings.Join(fields, " ") + " "
}
