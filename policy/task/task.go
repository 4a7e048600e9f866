package task

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/policy/ground"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// MaxTasks bounds one text, maxTries how often one object is tried.
const (
	MaxTasks = 12
	maxTries = 2
)

// Item is one singular request: what is carried out at a time.
type Item struct {
	// Instruction is what the planner is asked.
	Instruction string
	// Goal must hold afterwards; empty: only the planner can tell.
	Goal []robot.Predicate
	// Thing is what it is about.
	Thing string
}

// Task is one request.
type Task struct {
	// Text is the request in words.
	Text string
	verb string
	// thing is a phrase that is resolved anew at each step.
	thing  ground.Phrase
	prep   string
	place  ground.Phrase
	amount ground.Amount
	n      int
	// whole: the language model gets Text as it is, once.
	whole bool
	// prefer are names that come first where any will do.
	prefer []string
	tried  map[string]int
	last   string
	given  *Interpreter
}

// Whole says that only the language model knows what the task is.
func (t *Task) Whole() bool { return t.whole }

// Left counts the objects that the task is about and that are not yet as asked.
func (t *Task) Left(scene *robot.Scene) int {
	n := 0
	for _, name := range t.candidates(scene) {
		if item, ok := t.item(name, scene); ok && !holds(item.Goal, scene) {
			n++
		}
	}
	return n
}

// Next gives what to do now, and why this; ok is false when nothing is left.
func (t *Task) Next(scene *robot.Scene) (item Item, why string, ok bool) {
	if t.whole {
		if t.tried[""] > 0 {
			return Item{}, "", false
		}
		t.tried = map[string]int{"": 1}
		return Item{Instruction: t.Text}, "the language model reads it as it is", true
	}
	names := t.candidates(scene)
	done, open := 0, []Item(nil)
	for _, name := range names {
		item, ok := t.item(name, scene)
		switch {
		case !ok:
		case holds(item.Goal, scene) && (t.prep != "near" || t.tried[name] > 0):
			done++ // near it may be by chance, and who asks wants it put there
		case t.tried[name] < maxTries:
			open = append(open, item)
		}
	}
	if t.amount != ground.All && done >= t.n || len(open) == 0 {
		return Item{}, "", false
	}
	item = t.best(open, scene)
	if t.tried == nil {
		t.tried = map[string]int{}
	}
	t.tried[item.Thing]++
	t.last = item.Thing
	return item, t.why(len(names), done, len(open)), true
}

func (t *Task) why(all, done, open int) string {
	switch {
	case t.amount == ground.All && all > 1:
		return fmt.Sprintf("%d things fit %q, %d are as asked, %d are left", all, t.thing.Text, done, open)
	case t.amount == ground.Count:
		return fmt.Sprintf("%d of %d asked for are as asked, %d of the %d that fit are left", done, t.n, open, all)
	}
	return ""
}

func holds(goal []robot.Predicate, scene *robot.Scene) bool {
	_, ok := robot.HoldAll(goal, scene, scene)
	return ok && len(goal) > 0
}

// best gives the one that costs least: what is held, what a person likes, what is
// where the robot stands, what lies open, in the order of the scene.
func (t *Task) best(open []Item, scene *robot.Scene) Item {
	cost := func(item *Item) int {
		c := 0
		o, ok := scene.Find(item.Thing)
		if !ok {
			return 0
		}
		if !o.Held {
			c += 8
		}
		if !slices.Contains(t.prefer, o.Name) {
			c += 4
		}
		if box, in := scene.Find(o.In); in && box.Open <= robot.ClosedAtMost {
			c += 2
		}
		if here := (robot.Predicate{Name: "here", Args: []string{o.Name}}); !here.Holds(nil, scene) {
			c++
		}
		return c + 16*t.tried[item.Thing]
	}
	best := 0
	for i := range open {
		if cost(&open[i]) < cost(&open[best]) {
			best = i
		}
	}
	return open[best]
}

// candidates gives what the phrase means now.
func (t *Task) candidates(scene *robot.Scene) []string {
	v := t.given.v
	if t.thing.Names != nil && len(t.thing.Except) == 0 {
		var there []string
		for _, n := range t.thing.Names {
			if _, ok := scene.Find(n); ok {
				there = append(there, n)
			}
		}
		return there
	}
	switch t.verb {
	case "open", "close", "press", "wipe", "go":
		return v.Places(&t.thing, scene)
	}
	names := v.Things(&t.thing, scene)
	// What this task has moved is no longer where the phrase says; it still counts.
	for i := range scene.Objects {
		if name := scene.Objects[i].Name; t.tried[name] > 0 && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// item gives the request for one object; ok is false when it cannot be.
func (t *Task) item(name string, scene *robot.Scene) (Item, bool) {
	one := func(format string, args ...any) string { return fmt.Sprintf(format, args...) }
	p := func(predicate string, args ...string) []robot.Predicate {
		return []robot.Predicate{{Name: predicate, Args: args}}
	}
	switch t.verb {
	case "hold":
		return Item{one("pick up the %s", name), p("held", name), name}, true
	case "open":
		return Item{one("open the %s", name), p("open", name), name}, t.given.promises("open", name, "", scene)
	case "close":
		return Item{one("close the %s", name), p("closed", name), name}, t.given.promises("closed", name, "", scene)
	case "press":
		return Item{one("press the %s", name), p("pressed", name), name}, t.given.promises("pressed", name, "", scene)
	case "wipe":
		return Item{one("wipe the %s", name), p("clean", name), name}, t.given.promises("clean", name, "", scene)
	case "go":
		return Item{one("go to the %s", name), p("here", name), name}, true
	case "push":
		return Item{one("push the %s to the %s", name, t.place.Text), p("moved", name, t.place.Text), name}, true
	}
	place := t.placeFor(name, scene)
	if place == "" {
		return Item{}, false
	}
	goal, ok := t.given.goal(name, place, t.prep, scene)
	if !ok {
		return Item{}, false
	}
	return Item{t.sentence(name, place, goal[0].Name), goal, name}, true
}

func (t *Task) sentence(name, place, relation string) string {
	switch {
	case t.verb == "bring":
		return fmt.Sprintf("bring me the %s", name)
	case t.verb == "throw_away":
		return fmt.Sprintf("throw away the %s", name)
	case relation == "near" || t.prep == "near":
		return fmt.Sprintf("put the %s next to the %s", name, place)
	}
	return fmt.Sprintf("put the %s %s the %s", name, relation, place)
}

// placeFor gives where the object goes: the place that is meant, of several any
// that is still free, or where such things belong.
func (t *Task) placeFor(name string, scene *robot.Scene) string {
	if t.verb == "clear" && t.place.Empty() {
		var cleared []string
		if t.thing.Where != nil {
			cleared = t.thing.Where.Place.Names
		}
		return t.given.belongs(name, cleared, scene)
	}
	places := t.place.Names
	if places == nil {
		places = t.given.destinations(name, &t.place, t.prep, scene)
	}
	if len(places) == 0 {
		return ""
	}
	o, _ := scene.Find(name)
	if o != nil && slices.Contains(places, o.On+o.In) {
		return o.On + o.In
	}
	for _, place := range places {
		if (robot.Predicate{Name: "clear", Args: []string{place}}).Holds(nil, scene) {
			return place
		}
	}
	return places[0]
}

// goal gives what holds when thing has been put at place, as some skill of the
// catalogue promises it; prep is what was said, if that can be.
func (in *Interpreter) goal(thing, place, prep string, scene *robot.Scene) ([]robot.Predicate, bool) {
	order := []string{"in", "on"}
	switch prep {
	case "on":
		order = []string{"on", "in"}
	case "near":
		order = []string{"near"}
	}
	for _, relation := range order {
		for i := range in.catalogue.Skills {
			if goal, ok := promise(&in.catalogue.Skills[i], relation, thing, place, scene); ok {
				return goal, true
			}
		}
	}
	return nil, false
}

// promises says whether some skill can make the relation hold.
func (in *Interpreter) promises(relation, thing, place string, scene *robot.Scene) bool {
	return slices.ContainsFunc(in.catalogue.Skills, func(t skill.Template) bool {
		_, ok := promise(&t, relation, thing, place, scene)
		return ok
	})
}

// promise gives the success predicates of the template t, filled so that relation
// holds between thing and place.
func promise(t *skill.Template, relation, thing, place string, scene *robot.Scene) ([]robot.Predicate, bool) {
	for _, p := range t.Success {
		if p.Name != relation || p.Not || len(p.Args) == 0 || len(p.Args) == 2 && place == "" {
			continue
		}
		fill := map[string]string{}
		if !bind(t, p.Args[0], thing, scene, fill) || len(p.Args) == 2 && !bind(t, p.Args[1], place, scene, fill) {
			continue
		}
		var goal []robot.Predicate
		for _, q := range t.Success {
			f := robot.Predicate{Name: q.Name, Not: q.Not}
			for _, a := range q.Args {
				if to, ok := fill[a]; ok {
					a = to
				}
				f.Args = append(f.Args, a)
			}
			goal = append(goal, f)
		}
		// The relation that was asked for comes first.
		slices.SortStableFunc(goal, func(a, b robot.Predicate) int { return order(b.Name == relation) - order(a.Name == relation) })
		return goal, true
	}
	return nil, false
}

func order(b bool) int {
	if b {
		return 1
	}
	return 0
}

// bind says whether arg of a template can be name.
func bind(t *skill.Template, arg, name string, scene *robot.Scene, fill map[string]string) bool {
	slot, ok := strings.CutPrefix(arg, "{")
	if !ok {
		return arg == name
	}
	slot = strings.TrimSuffix(slot, "}")
	for _, s := range t.Slots {
		if s.Name != slot {
			continue
		}
		o, there := scene.Find(name)
		if slices.Contains(s.Words, name) || there && slices.Contains(s.Kinds, o.Kind) && skill.PlainName(name) {
			fill[arg] = name
			return true
		}
	}
	return false
}
