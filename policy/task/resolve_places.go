package task

import (
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/policy/ground"
	"github.com/kuai-robot/kuai/robot"
)

// resolvePlaces gives the tasks of a clause about places: open, close, go, wipe.
func (in *Interpreter) resolvePlaces(c *clause, scene *robot.Scene, l *lines) ([]*Task, *trouble) {
	places := slices.Clone(c.things)
	if len(places) == 0 || c.verb == "wipe" || c.verb == "go" {
		for _, a := range c.ats {
			if a.prep != "with" {
				places = append(places, a.place)
			}
		}
	}
	if c.verb == "wipe" {
		places = slices.DeleteFunc(places, func(p ground.Phrase) bool { return len(in.v.Places(&p, scene)) == 0 })
	}
	if c.verb == "go" && c.me && len(places) == 0 {
		places = append(places, ground.Phrase{Words: []string{"user"}, Text: "user"})
	}
	var tasks []*Task
	for i := range places {
		p := &places[i]
		t := &Task{Text: p.Text, verb: c.verb, given: in, thing: *p, amount: p.Amount, n: max(p.N, 1)}
		all := in.v.Places(p, scene)
		names := slices.DeleteFunc(slices.Clone(all), func(n string) bool { _, ok := t.item(n, scene); return !ok })
		if len(names) == 0 {
			if len(all) > 0 {
				return nil, &trouble{meaning: Meaning{Refuse: l.cannotDo(verbWord(c), all[0])}}
			}
			return nil, in.noPlace(p, l)
		}
		if t.amount == ground.Any {
			t.amount = ground.Count
		}
		if t.amount == ground.The && len(names) > 1 {
			open := slices.DeleteFunc(slices.Clone(names), func(n string) bool { item, _ := t.item(n, scene); return holds(item.Goal, scene) })
			if holding := in.holdsWhatWasNamed(names, scene); len(open) != 1 && len(holding) == 1 {
				open = holding // "bring the spoon and close the drawer": the one it was in
			}
			if len(open) != 1 {
				return nil, &trouble{meaning: Meaning{Say: l.which(names), Asks: true}, names: names, phrase: in.phraseIn(c, p)}
			}
			names = open
		}
		t.thing.Names = names
		if t.amount == ground.All {
			t.n = len(names)
		}
		tasks = append(tasks, t)
	}
	return tasks, nil
}

// holdsWhatWasNamed gives those of the places in which something lies, or lay, that
// this text or the one before was about.
func (in *Interpreter) holdsWhatWasNamed(places []string, scene *robot.Scene) []string {
	return slices.DeleteFunc(slices.Clone(places), func(place string) bool {
		return !slices.ContainsFunc(append(slices.Clone(in.talk.names), in.named...), func(name string) bool {
			o, ok := scene.Find(name)
			return ok && o.On+o.In == place || in.talk.origin[name] == place
		})
	})
}

// phraseIn gives the phrase of c that p is a copy of.
func (in *Interpreter) phraseIn(c *clause, p *ground.Phrase) *ground.Phrase {
	for i := range c.things {
		if c.things[i].Text == p.Text {
			return &c.things[i]
		}
	}
	for i := range c.ats {
		if c.ats[i].place.Text == p.Text {
			return &c.ats[i].place
		}
	}
	return nil
}

func (in *Interpreter) noPlace(p *ground.Phrase, l *lines) *trouble {
	if len(p.Words) == 0 && len(p.Unknown) == 0 {
		return nil
	}
	return &trouble{meaning: Meaning{Refuse: l.absent(p.Text, nil)}}
}

func verbWord(c *clause) string { return strings.Fields(c.said + " " + c.verb)[0] }

// setPlace finds where the things of a clause go; ok is false when that is a
// question, a refusal, or not said.
func (in *Interpreter) setPlace(t *Task, c *clause, p *ground.Phrase, scene *robot.Scene, l *lines) (*trouble, bool) {
	if c.back {
		return in.setOrigin(t, p, scene)
	}
	var a *at
	if len(c.ats) > 0 {
		a = &c.ats[len(c.ats)-1]
	}
	if way := in.direction(t, p, a); way != "" {
		t.verb, t.place = "push", ground.Phrase{Text: way}
		return nil, true
	}
	person := in.person(scene)
	switch t.verb {
	case "hold", "bring":
		if a != nil {
			return in.setDestination(t, a, p, scene, l)
		}
		if (t.verb == "bring" || c.me) && person != "" {
			t.verb = "bring" // "take it to her"
			t.place, t.prep = ground.Phrase{Names: []string{person}}, "on"
			return nil, true
		}
		if w := p.Where; w != nil && w.Prep == "from" && len(in.v.Match(&w.Place, scene, nil)) > 0 && in.setDown(t) {
			return nil, true
		}
		t.verb = "hold"
		return nil, true
	case "take_out":
		if !in.setDown(t) {
			t.verb = "hold"
		}
		return nil, true
	case "throw_away":
		if bin := in.ofKind("bin", scene); bin != "" {
			t.place, t.prep = ground.Phrase{Names: []string{bin}}, "in"
			return nil, true
		}
		return nil, false
	case "push":
		return nil, false
	}
	if a == nil && c.said == "put away" {
		t.verb = "clear"
		return nil, true
	}
	if a == nil && c.me && person != "" {
		t.verb, t.place, t.prep = "bring", ground.Phrase{Names: []string{person}}, "on"
		return nil, true
	}
	if a == nil {
		return nil, false
	}
	return in.setDestination(t, a, p, scene, l)
}

// setDown makes the table the place, where it is one that is no object: what is
// taken out of something ends there. Elsewhere it stays in the hand.
func (in *Interpreter) setDown(t *Task) bool {
	if !slices.Contains(in.v.SlotWords(), "table") {
		return false
	}
	t.verb, t.prep, t.place = "put", "on", ground.Phrase{Names: []string{"table"}}
	return true
}

// direction gives left or right where the clause says one and nothing else.
func (in *Interpreter) direction(t *Task, p *ground.Phrase, a *at) string {
	for _, way := range []string{"left", "right"} {
		if a != nil && len(a.place.Words) == 1 && a.place.Words[0] == way {
			return way
		}
		if t.verb == "push" && slices.Contains(p.Words, way) {
			p.Words = slices.DeleteFunc(slices.Clone(p.Words), func(w string) bool { return w == way })
			return way
		}
	}
	return ""
}

func (in *Interpreter) setOrigin(t *Task, p *ground.Phrase, scene *robot.Scene) (*trouble, bool) {
	names := in.v.Things(p, scene)
	if len(names) == 0 || in.talk.origin[names[0]] == "" {
		return nil, false
	}
	t.verb, t.place = "put", ground.Phrase{Names: []string{in.talk.origin[names[0]]}}
	return nil, true
}

func (in *Interpreter) setDestination(t *Task, a *at, p *ground.Phrase, scene *robot.Scene, l *lines) (*trouble, bool) {
	things := in.v.Things(p, scene)
	if len(things) == 0 {
		return in.absent(p, scene, l), false
	}
	t.verb, t.prep = "put", a.prep
	places := a.place.Names
	if places == nil {
		for _, thing := range things {
			if places = in.destinations(thing, &a.place, a.prep, scene); len(places) > 0 {
				break
			}
		}
	}
	if len(places) == 0 {
		if all := in.v.Match(&a.place, scene, nil); len(all) > 0 && len(a.place.Words) > 0 {
			return &trouble{meaning: Meaning{Refuse: l.cannotPut(things[0], all[0])}}, false
		}
		return in.noPlace(&a.place, l), false
	}
	if o, ok := scene.Find(places[0]); ok && o.Kind == "person" {
		t.verb = "bring"
	}
	t.place = a.place
	if a.place.Amount == ground.The && len(places) > 1 {
		var other []string
		for _, n := range places {
			if o, ok := scene.Find(things[0]); !ok || len(things) > 1 || o.On+o.In != n {
				other = append(other, n)
			}
		}
		if len(other) != 1 {
			return &trouble{meaning: Meaning{Say: l.which(places), Asks: true}, names: places, phrase: &a.place}, false
		}
		places = other
	}
	if a.place.Amount == ground.The || len(places) == 1 {
		t.place.Names = places
	}
	return nil, true
}

func (in *Interpreter) person(scene *robot.Scene) string { return in.ofKind("person", scene) }

func (in *Interpreter) ofKind(kind string, scene *robot.Scene) string {
	for i := range scene.Objects {
		if scene.Objects[i].Kind == kind {
			return scene.Objects[i].Name
		}
	}
	return ""
}

// resolveClear gives the tasks that empty a place or put things away.
func (in *Interpreter) resolveClear(c *clause, scene *robot.Scene, l *lines) ([]*Task, *trouble) {
	t := &Task{verb: "clear", given: in, amount: ground.All}
	var to *at
	for i := range c.ats {
		if a := &c.ats[i]; a.prep == "from" {
			c.things = append(c.things, a.place)
		} else if a.prep != "with" {
			to = a
		}
	}
	var where []string
	for i := range c.things {
		p := &c.things[i]
		if len(p.Words) == 0 && p.Names == nil {
			continue // "everything" is what is there
		}
		if things := in.v.Things(p, scene); len(things) > 0 && len(in.v.Places(p, scene)) == 0 {
			t.thing, t.Text = *p, p.Text
			break
		}
		where = append(where, in.v.Places(p, scene)...)
		t.Text = p.Text
	}
	switch {
	case len(t.thing.Words) > 0:
	case len(where) > 1 && c.things[0].Amount == ground.The:
		return nil, &trouble{meaning: Meaning{Say: l.which(where), Asks: true}, names: where, phrase: &c.things[0]}
	case len(where) > 0:
		t.thing = ground.Phrase{Text: "what is on the " + strings.Join(where, " and the "), Where: &ground.Where{Prep: "on", Place: ground.Phrase{Names: where}}}
	default:
		t.thing = in.mess(scene)
	}
	t.thing.Except = append(t.thing.Except, c.excepts...)
	names := in.v.Things(&t.thing, scene)
	if len(names) == 0 {
		return nil, &trouble{meaning: Meaning{Say: l.nothingThere(t.Text)}}
	}
	if to != nil {
		bad, ok := in.setDestination(t, to, &t.thing, scene, l)
		if !ok {
			return nil, bad
		}
	}
	if t.Text == "" {
		t.Text = t.thing.Text
	}
	return []*Task{t}, nil
}

// mess is what lies about that has a place of its own.
func (in *Interpreter) mess(scene *robot.Scene) ground.Phrase {
	p := ground.Phrase{Text: "what lies about", Names: []string{}}
	for i := range scene.Objects {
		o := &scene.Objects[i]
		under, ok := scene.Find(o.On)
		if in.v.Movable(o.Kind) && homely(o.Kind) && o.On != "" && (!ok || under.Kind == "surface") {
			p.Names = append(p.Names, o.Name)
		}
	}
	return p
}
