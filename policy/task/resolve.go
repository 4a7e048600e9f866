package task

import (
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/policy/ground"
	"github.com/kuai-robot/kuai/robot"
)

// trouble is why a clause gives no task: a question or a refusal.
type trouble struct {
	meaning Meaning
	// names are what the question is between, phrase what it is about.
	names  []string
	phrase *ground.Phrase
}

// resolve gives the tasks of a clause. With neither tasks nor trouble, words do
// not tell what it asks for.
func (in *Interpreter) resolve(c *clause, scene *robot.Scene, l *lines) ([]*Task, *trouble) {
	for i := range c.things {
		c.things[i].Except = append(slices.Clone(c.things[i].Except), c.excepts...)
		for j := range c.things[i].Except {
			in.narrowException(&c.things[i].Except[j], &c.things[i])
		}
	}
	switch c.verb {
	case "open", "close", "press", "go", "wipe":
		return in.resolvePlaces(c, scene, l)
	case "clear":
		return in.resolveClear(c, scene, l)
	}
	in.splitAts(c, scene)
	if len(c.things) == 0 && len(c.need) > 0 {
		c.things = []ground.Phrase{in.needed(c, scene)}
		c.verb = "bring"
	}
	if len(c.things) == 1 && c.verb == "bring" && len(c.need) > 0 && len(c.things[0].Words) == 0 {
		c.things[0] = in.needed(c, scene)
	}
	if n := len(c.things); n > 1 && len(c.ats) == 0 && (c.verb == "put" || c.verb == "throw_away") && in.placeLast(c, scene) {
		c.ats = []at{{prep: "to", place: c.things[n-1], after: n - 1}} // 放进篮子
		c.things = c.things[:n-1]
	}
	var tasks []*Task
	for i := range c.things {
		t, bad := in.resolveThing(c, &c.things[i], scene, l)
		if bad != nil || t == nil {
			return nil, bad
		}
		tasks = append(tasks, t)
	}
	return tasks, nil
}

// placeLast says whether the last thing is a place and no thing.
func (in *Interpreter) placeLast(c *clause, scene *robot.Scene) bool {
	last := &c.things[len(c.things)-1]
	return len(in.v.Things(last, scene)) == 0 && len(in.v.Places(last, scene)) > 0
}

// narrowException makes "but not the red one" one of what is spoken of.
func (in *Interpreter) narrowException(e, p *ground.Phrase) {
	if e.Pronoun == "one" && onlyColours(in.v, e) && len(e.Words) > 0 && len(noun(in.v, p)) > 0 && len(e.Words) == 1 {
		e.Words = append(slices.Clone(e.Words), noun(in.v, p)...)
	}
}

// needed gives what helps who lacks something.
func (in *Interpreter) needed(c *clause, scene *robot.Scene) ground.Phrase {
	p := ground.Phrase{Amount: ground.Any, N: 1, Text: strings.Join(c.need, " or "), Names: []string{}, Except: c.excepts}
	for i := range scene.Objects {
		o := &scene.Objects[i]
		for _, w := range c.need {
			if in.v.Movable(o.Kind) && in.v.Fits(w, o) {
				p.Names = append(p.Names, o.Name)
				break
			}
		}
	}
	return p
}

// splitAts decides for each place whether it says where a thing is or where it
// goes, and restricts the things by the former.
func (in *Interpreter) splitAts(c *clause, scene *robot.Scene) {
	var to []at
	for i := range c.ats {
		a := &c.ats[i]
		if a.prep == "with" && len(c.things) == 0 && c.me && len(in.v.Things(&a.place, scene)) > 0 {
			c.verb, c.said, c.things = "bring", "bring", []ground.Phrase{a.place} // "come back to me with the cup"
			continue
		}
		if in.likeness(c, a, scene) || a.prep == "with" {
			continue // what it is like, or is done with, not where it is
		}
		if in.isSource(c, a, i == len(c.ats)-1, scene) {
			in.restrict(c, a)
			continue
		}
		to = append(to, *a)
	}
	if len(to) > 1 {
		to = to[len(to)-1:]
	}
	c.ats = to
}

// likeness takes "with a green skin" and "in a bag" for what the thing is like, where
// that is no place and tells some of what is meant from others.
func (in *Interpreter) likeness(c *clause, a *at, scene *robot.Scene) bool {
	n := max(a.after-1, 0)
	if n >= len(c.things) || len(a.place.Words) == 0 || a.prep == "to" || len(in.v.Places(&a.place, scene)) > 0 {
		return false
	}
	p := c.things[n]
	all := in.v.Things(&p, scene)
	p.Words = append(slices.Clone(p.Words), a.place.Words...)
	some := in.v.Things(&p, scene)
	if len(c.things[n].Words) == 0 || len(some) == 0 || len(some) == len(all) && len(some) > 1 {
		return false
	}
	c.things[n].Words = p.Words
	return true
}

func (in *Interpreter) restrict(c *clause, a *at) {
	n := a.after - 1
	if n < 0 {
		n = 0 // 从架子上拿水果: the place comes first
	}
	if n < len(c.things) && (len(in.v.Match(&a.place, in.scene, nil)) > 0 || len(in.v.Places(&a.place, in.scene)) > 0 || in.v.Known(&a.place) && a.said == "from") {
		place := a.place
		c.things[n].Where = &ground.Where{Prep: a.prep, Place: place}
		c.things[n].Text += " " + map[bool]string{true: "from", false: a.prep}[a.prep == "from"] + " the " + place.Text
	}
}

// isSource says whether a place is where the thing is taken from.
func (in *Interpreter) isSource(c *clause, a *at, last bool, scene *robot.Scene) bool {
	if a.prep == "from" || a.prep == "with" {
		return true
	}
	if a.prep == "to" || a.prep == "near" || a.said == "onto" || a.said == "into" {
		return false
	}
	n := max(a.after-1, 0)
	if n >= len(c.things) {
		return false
	}
	there := c.things[n]
	there.Where = &ground.Where{Prep: a.prep, Place: a.place}
	lies := len(in.v.Things(&there, scene)) > 0
	switch c.verb {
	case "put", "push":
		return !last && lies
	case "throw_away":
		return lies || !in.isBin(&a.place, scene)
	}
	// "Bring me the cup on the shelf" tells which; "I want the cup on the shelf" may
	// tell where to.
	return lies || c.me && in.person(scene) != "" && slices.Contains([]string{"bring", "give", "hand", "pass", "fetch", "get"}, c.said)
}

func (in *Interpreter) isBin(p *ground.Phrase, scene *robot.Scene) bool {
	return slices.ContainsFunc(in.v.Places(p, scene), func(n string) bool {
		o, ok := scene.Find(n)
		return ok && o.Kind == "bin"
	})
}

// resolveThing gives the task of one thing of a clause.
func (in *Interpreter) resolveThing(c *clause, p *ground.Phrase, scene *robot.Scene, l *lines) (*Task, *trouble) {
	t := &Task{verb: c.verb, given: in, prefer: in.liked(p, scene)}
	in.setAmount(t, p, c, scene)
	if bad, ok := in.setPlace(t, c, p, scene, l); !ok {
		return nil, bad
	}
	if t.verb == "push" && t.place.Text == "" {
		return nil, nil
	}
	in.itself(p, scene)
	t.thing = *p
	names := in.v.Things(p, scene)
	if p.More && t.amount == ground.Count {
		for _, n := range names {
			if item, ok := t.item(n, scene); ok && holds(item.Goal, scene) {
				t.n++
			}
		}
	}
	if len(p.Words) == 0 && p.Names == nil && p.Where == nil && p.Amount != ground.All && len(p.Except) == 0 {
		if len(p.Unknown) > 0 && p.Pronoun == "" {
			return nil, in.absent(p, scene, l)
		}
		return nil, nil // "something": the model may know what
	}
	if odd := in.odd(p, scene); len(odd) > 0 {
		return nil, in.absent(&ground.Phrase{Words: p.Words, Text: strings.Join(append(odd, p.Words...), " "), Unknown: p.Unknown}, scene, l)
	}
	if len(names) == 0 && len(in.v.Places(p, scene)) > 0 && c.said == "bring" {
		return nil, nil // a place is spoken of; there is no telling what about it
	}
	if len(names) == 0 {
		return nil, in.absent(p, scene, l)
	}
	if bad := in.cannot(t, names, scene, l); bad != nil {
		return nil, bad
	}
	if t.amount == ground.The {
		left := in.single(t, names, scene)
		if len(left) > 1 {
			return nil, &trouble{meaning: Meaning{Say: l.which(left), Asks: true}, names: left, phrase: p}
		}
		p.Names, t.thing.Names, t.thing.Except = left, left, nil
		t.n = 1
	}
	if t.amount == ground.Count && len(names) < t.n {
		return nil, &trouble{meaning: Meaning{Say: l.tooFew(p.Text, len(names), t.n, names), Asks: len(names) > 0}, names: names, phrase: p}
	}
	t.Text = p.Text
	return t, nil
}

// odd gives the words before a noun that tell which kind of it is meant, where no
// such thing is known: a "lemonade bottle" is none of the bottles that are here.
func (in *Interpreter) odd(p *ground.Phrase, scene *robot.Scene) []string {
	if len(p.Odd) == 0 || len(p.Words) != 1 || len(p.Names) > 0 || p.Pronoun != "" {
		return nil
	}
	return slices.Clone(p.Odd)
}

// itself makes "something crunchy from the bag" the bag, where a place is named that
// is none but a thing.
func (in *Interpreter) itself(p *ground.Phrase, scene *robot.Scene) {
	if p.Where == nil || p.Names != nil || len(in.v.Places(&p.Where.Place, scene)) > 0 {
		return
	}
	q := *p
	q.Where, q.Words = nil, append(slices.Clone(p.Words), p.Where.Place.Words...)
	if len(p.Where.Place.Words) > 0 && len(in.v.Things(&q, scene)) > 0 {
		*p = q
	}
}

func (in *Interpreter) setAmount(t *Task, p *ground.Phrase, c *clause, scene *robot.Scene) {
	t.amount, t.n = p.Amount, p.N
	switch {
	case p.Both && len(c.things) > 1:
		t.amount = ground.The
	case p.Amount == ground.The && ground.Mass(p):
		t.amount = ground.All
	case p.Amount == ground.The && len(c.excepts) > 0 && len(in.v.Things(p, scene)) > 1:
		t.amount = ground.All // "the fruit except the lemon" is more than one thing
	case p.Amount == ground.Any && p.Plural && t.n == 0:
		t.amount = ground.All // "some drinks" are all that there are
	case p.Amount == ground.Any:
		t.amount, t.n = ground.Count, 1
	case p.Amount == ground.The && len(p.Names) > 1:
		t.amount = ground.All
	}
	if p.Amount == ground.The && len(p.Words) == 0 && p.Where != nil && p.Names == nil {
		t.amount = ground.All // "what is on the table"
	}
}

// single narrows what one definite thing may be: what is not yet as asked, what
// was spoken of, what is liked, what is rubbish when it is to be thrown away.
func (in *Interpreter) single(t *Task, names []string, scene *robot.Scene) []string {
	narrow := func(keep func(name string) bool) {
		if kept := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !keep(n) }); len(kept) > 0 {
			names = kept
		}
	}
	if len(names) == 1 {
		return names
	}
	narrow(func(n string) bool {
		item, ok := t.item(n, scene)
		return !ok || !holds(item.Goal, scene)
	})
	if t.verb == "throw_away" {
		narrow(func(n string) bool { o, ok := scene.Find(n); return ok && o.Kind == "waste" })
	}
	narrow(func(n string) bool { return slices.Contains(t.prefer, n) })
	if len(names) > 1 {
		narrow(func(n string) bool { o, ok := scene.Find(n); return ok && o.Held })
	}
	return names
}

// absent says that there is no such thing, and what there is.
func (in *Interpreter) absent(p *ground.Phrase, scene *robot.Scene, l *lines) *trouble {
	text := strings.TrimSpace(p.Text)
	if text == "" {
		text = strings.Join(append(slices.Clone(p.Unknown), p.Words...), " ")
	}
	all := *p
	all.Where, all.Except = nil, nil
	alike := in.v.Things(&all, scene)
	if len(alike) == 0 && len(noun(in.v, p)) > 0 {
		alike = in.v.Things(&ground.Phrase{Words: noun(in.v, p)}, scene)
	}
	if len(alike) == 0 {
		for i := range scene.Objects {
			if o := &scene.Objects[i]; len(p.Words) > 0 && in.v.KindOf(p.Words[len(p.Words)-1]) == o.Kind && in.v.Movable(o.Kind) {
				alike = append(alike, o.Name)
			}
		}
	}
	say := l.absent(text, alike)
	if in.config.Memory != nil && len(alike) == 0 {
		for _, name := range []string{text, strings.Join(p.Words, " ")} {
			if place, _, ok := in.config.Memory.Seen(name); ok {
				say += " " + l.seen(name, place)
				break
			}
		}
	}
	if len(p.Words) == 0 && len(p.Unknown) == 0 && p.Where != nil {
		return &trouble{meaning: Meaning{Say: l.nothingThere(p.Where.Place.Text)}}
	}
	return &trouble{meaning: Meaning{Refuse: say}}
}

// cannot says why no object can be put where it is to go.
func (in *Interpreter) cannot(t *Task, names []string, scene *robot.Scene, l *lines) *trouble {
	for _, n := range names {
		if _, ok := t.item(n, scene); ok {
			return nil
		}
	}
	place := t.place.Text
	if len(t.place.Names) > 0 {
		place = t.place.Names[0]
	}
	if place == "" {
		return &trouble{}
	}
	return &trouble{meaning: Meaning{Refuse: l.cannotPut(names[0], place)}}
}
