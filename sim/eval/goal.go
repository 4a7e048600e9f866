package eval

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/eval/symbolic"
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
	if p.Name == symbolic.Count {
		return checkCount(p)
	}
	return p.Check()
}

// checkCount checks count(how many, on or in, kind, place).
func checkCount(p robot.Predicate) error {
	if len(p.Args) != 4 || p.Not {
		return fmt.Errorf("%s: want count(how many, on or in, kind, place)", p)
	}
	if n, err := strconv.Atoi(p.Args[0]); err != nil || n < 0 {
		return fmt.Errorf("%s: %q is not a number of objects", p, p.Args[0])
	}
	if p.Args[1] != "on" && p.Args[1] != "in" {
		return fmt.Errorf("%s: %q is not on or in", p, p.Args[1])
	}
	return nil
}

// goal decides predicates after an episode.
type goal struct {
	predicates []robot.Predicate
	start, end *robot.Scene
	texts      []string
	// named are the objects that a predicate names, and those that were brought
	// to where objects are counted.
	named map[string]bool
}

func newGoal(e *Episode, start, end *robot.Scene, texts []string) *goal {
	g := &goal{predicates: e.Goal, start: start, end: end, texts: texts, named: map[string]bool{}}
	for _, p := range e.Goal {
		if p.Name == said {
			continue
		}
		if p.Name == symbolic.Count {
			g.nameBrought(p)
			continue
		}
		for _, arg := range p.Args {
			g.named[arg] = true
		}
	}
	return g
}

// nameBrought names the place of a count, and the objects that were not there at
// the start and are now.
func (g *goal) nameBrought(p robot.Predicate) {
	g.named[p.Args[3]] = true
	for i := range g.end.Objects {
		o := &g.end.Objects[i]
		there := robot.Predicate{Name: p.Args[1], Args: []string{o.Name, p.Args[3]}}
		if o.Kind == p.Args[2] && there.Holds(nil, g.end) && !there.Holds(nil, g.start) {
			g.named[o.Name] = true
		}
	}
}

// counted decides a count.
func (g *goal) counted(p robot.Predicate) bool {
	n := 0
	for i := range g.end.Objects {
		there := robot.Predicate{Name: p.Args[1], Args: []string{g.end.Objects[i].Name, p.Args[3]}}
		if g.end.Objects[i].Kind == p.Args[2] && there.Holds(nil, g.end) {
			n++
		}
	}
	return strconv.Itoa(n) == p.Args[0]
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
	if p.Name == symbolic.Count {
		return g.counted(p)
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
		if !g.named[plain.Args[0]] && !plain.Holds(g.start, g.end) && !g.wentAlong(plain.Args[0]) {
			return false
		}
	}
	return true
}

// wentAlong says that the object lay in a drawer and still does: the drawer moved,
// it did not.
func (g *goal) wentAlong(name string) bool {
	was, before := g.start.Find(name)
	is, now := g.end.Find(name)
	if !before || !now || was.In == "" || is.In != was.In || is.Held {
		return false
	}
	around, ok := g.start.Find(was.In)
	return ok && around.Kind == "drawer"
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
	fields := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsPunct(r) && !strings.ContainsRune("'’-", r)
	})
	return " " + strings.Join(fields, " ") + " "
}
