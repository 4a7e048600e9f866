package task

import (
	"slices"

	"github.com/kuai-robot/kuai/policy/ground"
	"github.com/kuai-robot/kuai/robot"
)

func (in *Interpreter) chatter(c *clause) bool {
	return len(c.things) > 0 && !slices.ContainsFunc(c.things, func(p ground.Phrase) bool {
		return len(p.Words) > 0 || len(p.Unknown) == 0 || len(p.Unknown) <= 2 && !c.guess
	})
}

func plain(r *reader) bool {
	return !slices.ContainsFunc(r.clauses, func(c clause) bool { return c.guess || c.loose || len(c.need) > 0 })
}

func (in *Interpreter) beside(c *clause) bool {
	direct := !c.guess && !c.loose && c.verb != "clear" && len(c.things) > 0 && c.things[0].Amount != ground.Any
	return !direct && !slices.ContainsFunc(c.things, func(p ground.Phrase) bool { return len(in.v.Things(&p, in.scene)) > 0 })
}

func (in *Interpreter) drop(r *reader) {
	for i := range r.clauses[:max(len(r.clauses)-1, 0)] {
		c, next := &r.clauses[i], &r.clauses[i+1]
		if c.verb == "bring" && len(next.things) == 0 && next.verb == "wipe" && len(next.ats) == 0 && c.pronounOnly() {
			next.things = c.things // "get it clean"
			r.clauses[i] = clause{}
		}
	}
	r.clauses = slices.DeleteFunc(r.clauses, func(c clause) bool {
		only := c.verb == "bring" && len(c.things) == 0 && len(c.ats) == 0 && len(c.need) == 0 && len(c.excepts) == 0 && !c.back
		return c.empty() && len(c.excepts) == 0 || only && len(r.clauses) > 1 // "I want to make tea, …"
	})
	for i := range r.clauses {
		c := &r.clauses[i]
		if i+1 < len(r.clauses) && c.verb == "" && len(c.things) == 0 && len(c.ats) > 0 && r.clauses[i+1].verb == "wipe" {
			// "there is a stain on the shelf, see to it"
			if next := &r.clauses[i+1]; len(next.ats) == 0 && (len(next.things) == 0 || next.pronounOnly()) {
				next.things = []ground.Phrase{c.ats[0].place}
				r.clauses[i] = clause{}
				continue
			}
		}
		if i+1 < len(r.clauses) && (c.verb == "bring" || c.verb == "" && in.onlyPlaces(c, r.scene)) && len(r.clauses[i+1].things) == 0 && slices.Contains([]string{"wipe", "push", "clear"}, r.clauses[i+1].verb) {
			// "give the table a wipe"
			r.clauses[i+1].things = c.things
			r.clauses[i] = clause{}
			continue
		}
		if i+1 < len(r.clauses) && c.verb == "clear" && in.takesAll(&r.clauses[i+1]) {
			// "clear the shelf: put what is there in the sink"
			c.ats = append(c.ats, r.clauses[i+1].ats...)
			r.clauses[i+1] = clause{}
			continue
		}
		if c.verb == "" && !c.me && !c.back && len(c.things) == 0 && len(c.need) == 0 && len(r.clauses) > 1 && !slices.ContainsFunc(c.ats, func(a at) bool { return len(in.v.Match(&a.place, r.scene, nil)) > 0 }) {
			c.ats = nil // "with sugar on top"
		}
		if len(c.need) > 0 && c.verb == "" && len(in.namesOf(c, r.scene)) == 0 {
			c.things = nil // "my glass is empty and I am parched"
		}
		if len(c.need) > 0 && len(c.things) == 0 && slices.ContainsFunc(r.clauses[i+1:], func(o clause) bool { return len(o.things) > 0 && len(o.things[0].Words) > 0 }) {
			c.need = nil // what would help is said by name
		}
		moves := len(c.ats) > 0 && (c.ats[0].said == "into" || c.ats[0].said == "onto")
		if c.verb == "" && !moves && len(c.things) > 0 && i+1 < len(r.clauses) && r.clauses[i+1].verb != "" {
			next := &r.clauses[i+1]
			for j := range next.things {
				p := &next.things[j]
				switch {
				case len(p.Words) > 0 || p.Pronoun == "" && p.Text != "one":
				case next.verb == "wipe":
					switch { // "there is milk on the table, wipe it up"; "the shelf is dirty, clean it"
					case len(c.ats) > 0:
						*p = c.ats[0].place
					case in.onlyPlaces(c, r.scene):
						*p = c.things[0]
					}
				case p.Pronoun == "it" || p.Pronoun == "them":
					*p = in.subject(c)
				case p.Text == "one":
					*p = in.subject(c)
					p.Amount, p.N = ground.Any, 1
				}
			}
			if next.verb == "wipe" && len(next.things) == 0 && len(next.ats) == 0 && len(c.ats) > 0 {
				next.things = []ground.Phrase{c.ats[0].place}
			}
			if len(next.things) == 0 && len(next.need) == 0 && next.verb != "clear" && next.verb != "wipe" {
				next.things = c.things
			}
			c.things, c.ats = nil, nil
		}
	}
	r.clauses = slices.DeleteFunc(r.clauses, func(c clause) bool { return c.empty() && len(c.excepts) == 0 })
}

func (in *Interpreter) subject(c *clause) ground.Phrase {
	for i := range c.things {
		if len(c.things[i].Words) > 0 && len(in.v.Things(&c.things[i], in.scene)) > 0 {
			return c.things[i]
		}
	}
	return c.things[0]
}

func (in *Interpreter) takesAll(c *clause) bool {
	return c.verb == "put" && len(c.ats) > 0 && len(c.things) == 1 && len(c.things[0].Words) == 0 &&
		(c.things[0].Amount == ground.All || c.things[0].Pronoun == "them")
}

func (in *Interpreter) onlyPlaces(c *clause, scene *robot.Scene) bool {
	return len(c.things) > 0 && !slices.ContainsFunc(c.things, func(p ground.Phrase) bool { return len(in.v.Places(&p, scene)) == 0 })
}

func (in *Interpreter) sources(r *reader) {
	for i := range r.clauses {
		c := &r.clauses[i]
		if len(c.things) == 0 || c.verb == "clear" || c.verb == "wipe" {
			continue
		}
		c.ats = slices.DeleteFunc(c.ats, func(a at) bool {
			if a.prep != "from" {
				return false
			}
			in.restrict(c, &a)
			return true
		})
	}
}

func (in *Interpreter) spare(r *reader) {
	for i := range r.clauses {
		c := &r.clauses[i]
		for j := range c.things {
			if !c.not || len(c.things[j].Words) == 0 || len(in.v.Things(&c.things[j], r.scene)) == 0 {
				continue
			}
			for k := range r.clauses {
				o := &r.clauses[k]
				if !o.not && (c.said == "leave" || len(o.things) > 0 && (o.things[0].Amount != ground.The || ground.Mass(&o.things[0]))) {
					o.excepts = append(o.excepts, ground.Phrase{Words: c.things[j].Words, Where: c.things[j].Where, Text: c.things[j].Text})
				}
			}
		}
	}
}
