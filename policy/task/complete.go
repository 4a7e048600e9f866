package task

import (
	"slices"

	"github.com/kuai-robot/kuai/policy/ground"
	"github.com/kuai-robot/kuai/robot"
)

// complete gives each clause what it takes over from the one before, from the
// turn before, or from what follows: the verb, the thing, the place.
func (in *Interpreter) complete(r *reader, scene *robot.Scene) {
	for i := range r.clauses {
		c := &r.clauses[i]
		var last *clause
		if i > 0 {
			last = &r.clauses[i-1]
		} else if in.talk.last.verb != "" {
			last = &in.talk.last
		}
		if r.again && i == 0 {
			c.instead = true
		}
		if c.not && c.verb == "" && c.pronounOnly() && c.things[0].Pronoun == "it" && len(c.things[0].Words) == 0 && last != nil {
			c.not, c.things[0].Pronoun, c.instead = false, "other", true // "not that one"
		}
		in.takeVerb(c, last, i > 0, scene)
		in.takeThing(c, last, scene)
		in.takePlace(r, i, last)
	}
}

func (in *Interpreter) takeVerb(c, last *clause, sameText bool, scene *robot.Scene) {
	if c.verb != "" {
		return
	}
	switch {
	case c.back:
		c.verb, c.said = "put", "put"
	case c.me && len(c.things) > 0 && len(c.ats) == 0:
		c.verb, c.said, c.guess = "bring", "bring", true // "the plate in the sink, the cup for me"
	case len(c.things) > 0 && len(c.ats) > 0 && in.destinationLike(c) && in.person(scene) != "" && c.ats[len(c.ats)-1].prep != "to" && in.isSource(c, &c.ats[len(c.ats)-1], true, scene):
		c.verb, c.said, c.guess = "bring", "bring", true // "the can on the shelf, please"
	case len(c.things) > 0 && len(c.ats) > 0 && in.destinationLike(c):
		c.verb, c.said, c.guess = "put", "put", true
	case last != nil && (len(c.things) > 0 || len(c.ats) > 0) && (sameText || c.too || c.instead || c.pronounOnly()):
		c.verb, c.said, c.me, c.guess = last.verb, last.said, last.me, sameText && !c.too && !c.instead
	case len(c.things) > 0 && len(c.need) == 0 && len(c.things[0].Unknown) == 0 && len(c.things[0].Before) == 0:
		c.verb, c.said, c.guess = "bring", "bring", true // "chips. now."
	}
}

// pronounOnly says that the clause needs something said before.
func (c *clause) pronounOnly() bool {
	return len(c.things) > 0 && c.things[0].Pronoun != "" && len(c.ats) == 0
}

// destinationLike says whether the place is said as one to go to.
func (in *Interpreter) destinationLike(c *clause) bool {
	prep := c.ats[len(c.ats)-1].prep
	return prep == "in" || prep == "on" || prep == "to" || prep == "near"
}

// takeThing settles pronouns.
func (in *Interpreter) takeThing(c, last *clause, scene *robot.Scene) {
	wants := c.verb != "" && c.verb != "clear" && c.verb != "wipe" && c.verb != "go"
	if wants && len(c.things) == 0 && len(c.need) == 0 && last != nil && (c.back || c.instead || len(c.ats) > 0 || c.verb == "open" || c.verb == "close") {
		c.things = []ground.Phrase{in.before(last)}
		if len(c.things[0].Names) == 0 && len(c.things[0].Words) == 0 {
			c.things = nil
		}
	}
	for i := range c.things {
		p := &c.things[i]
		if len(p.Words) > 0 && p.Pronoun != "other" {
			if p.Pronoun == "one" && last != nil && len(last.things) > 0 && onlyColours(in.v, p) {
				p.Words = append(p.Words, noun(in.v, &last.things[len(last.things)-1])...)
			}
			continue
		}
		switch p.Pronoun {
		case "it", "there":
			if n := 0; last != nil && (c.verb == "open" || c.verb == "close" || c.verb == "wipe") && last.verb != c.verb {
				if n = len(last.ats); n > 0 {
					*p = last.ats[n-1].place // "in the drawer, and close it"
					continue
				}
			}
			in.refer(p, c, last, scene)
			c.refers = true
		case "them":
			if last != nil && len(last.things) > 0 {
				n := *p
				*p = last.things[0]
				if len(last.things) > 1 {
					p.Names = in.namesOf(last, scene)
				}
				p.Text = n.Text
			}
		case "other":
			in.others(p, c, last, scene)
		}
	}
	for i := range c.ats {
		p := &c.ats[i].place
		if (p.Pronoun == "there" || p.Pronoun == "it") && len(p.Words) == 0 && last != nil && len(last.ats) > 0 {
			*p = last.ats[len(last.ats)-1].place
		}
		if p.Pronoun == "one" && len(p.Words) > 0 {
			in.placeNoun(p, c, i, last)
		}
		if p.Pronoun == "other" && last != nil && len(last.ats) > 0 {
			old := last.ats[len(last.ats)-1].place
			if len(p.Words) == 0 {
				p.Words = noun(in.v, &old)
			}
			p.Except = []ground.Phrase{{Words: old.Words, Names: old.Names}}
		}
	}
}

// placeNoun gives "the near one" the noun of the place that was named before.
func (in *Interpreter) placeNoun(p *ground.Phrase, c *clause, i int, last *clause) {
	var named []ground.Phrase
	if last != nil {
		for j := range last.ats {
			named = append(named, last.ats[j].place)
		}
	}
	for j := range c.things {
		if w := c.things[j].Where; w != nil {
			named = append(named, w.Place)
		}
	}
	for j := range c.ats[:i] {
		named = append(named, c.ats[j].place)
	}
	for n := len(named) - 1; n >= 0; n-- {
		if words := named[n].Words; len(words) > 0 {
			p.Words, p.Pronoun = append(slices.Clone(p.Words), words[len(words)-1]), ""
			return
		}
	}
}

// before gives the thing that the last clause was about.
func (in *Interpreter) before(last *clause) ground.Phrase {
	if len(in.talk.names) > 0 && last == &in.talk.last {
		return ground.Phrase{Names: slices.Clone(in.talk.names), Text: "it"}
	}
	if len(last.things) > 0 {
		return last.things[len(last.things)-1]
	}
	return ground.Phrase{}
}

func (in *Interpreter) refer(p *ground.Phrase, c, last *clause, scene *robot.Scene) {
	// "the cup, put IT there": something said in the same clause, or before.
	for i := range c.things {
		if q := &c.things[i]; q != p && len(q.Words) > 0 {
			*p = *q
			return
		}
	}
	switch {
	case last != nil && last.not && len(last.ats) > 0 && len(in.v.Things(&last.ats[0].place, scene)) > 0:
		*p = last.ats[0].place // "the kids must not get at the bleach, put it away"
	case last != nil && (len(last.things) > 0 || len(in.talk.names) > 0 && last == &in.talk.last):
		*p = in.before(last)
	case len(in.talk.names) > 0:
		*p = ground.Phrase{Names: slices.Clone(in.talk.names), Text: "it"}
	default:
		if held, ok := scene.Held(); ok {
			*p = ground.Phrase{Names: []string{held.Name}, Text: "it"}
		}
	}
}

// others makes "the other one" what was not meant before.
func (in *Interpreter) others(p *ground.Phrase, c, last *clause, scene *robot.Scene) {
	p.Pronoun = ""
	if last == nil {
		// "The rest" of what lies about: not what is put away already.
		for i := range scene.Objects {
			if o := &scene.Objects[i]; o.In != "" {
				p.Except = append(p.Except, ground.Phrase{Names: []string{o.Name}})
			}
		}
		return
	}
	var old ground.Phrase
	if len(last.things) > 0 {
		old = last.things[len(last.things)-1]
	}
	names := slices.Clone(in.talk.names)
	if last != &in.talk.last {
		names = in.namesOf(last, scene)
	}
	if len(p.Words) == 0 {
		p.Words = noun(in.v, &old)
		if len(p.Words) == 0 && len(names) > 0 {
			if o, ok := scene.Find(names[0]); ok {
				p.Words = []string{nounOf(o)}
			}
		}
		p.Where = old.Where
	}
	if len(names) == 0 {
		names = in.v.Things(&old, scene)
	}
	p.Except = append(p.Except, ground.Phrase{Names: names})
	if p.Plural || p.Amount == ground.All {
		p.Amount = ground.All
	}
}

// nounOf gives the word that other things like o share: its noun.
func nounOf(o *robot.Object) string {
	words := (&ground.Phrase{Text: o.Name}).TextWords()
	return words[len(words)-1]
}

func (in *Interpreter) namesOf(c *clause, scene *robot.Scene) (names []string) {
	for i := range c.things {
		for _, n := range in.v.Things(&c.things[i], scene) {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}

// noun gives the words of a phrase that are no colours.
func noun(v *ground.Vocabulary, p *ground.Phrase) (words []string) {
	for i, w := range p.Words {
		if !v.IsColour(w) || i == len(p.Words)-1 && len(words) == 0 {
			words = append(words, w)
		}
	}
	return words
}

func onlyColours(v *ground.Vocabulary, p *ground.Phrase) bool {
	return !slices.ContainsFunc(p.Words, func(w string) bool { return !v.IsColour(w) })
}

// takePlace gives a put without a place that of a neighbour: "the cup in the sink
// and the plate too", "the cup and then the plate in the sink".
func (in *Interpreter) takePlace(r *reader, i int, last *clause) {
	c := &r.clauses[i]
	if c.verb != "put" || len(c.ats) > 0 || c.back || c.not || c.me || c.said == "put away" {
		return
	}
	if i+1 < len(r.clauses) && r.clauses[i+1].verb == "put" && len(r.clauses[i+1].ats) > 0 && len(r.clauses[i+1].things) > 0 {
		c.ats = slices.Clone(r.clauses[i+1].ats)
	} else if last != nil && last.verb == "put" && len(last.ats) > 0 {
		place := last.ats[len(last.ats)-1]
		place.after = len(c.things)
		c.ats = []at{place}
	} else if last != nil && last.back {
		c.back = true
	}
}
