package task

import (
	"slices"

	"github.com/kuai-robot/kuai/policy/ground"
)

func (r *reader) marker(t *ground.Token) {
	r.i++
	switch t.Value {
	case "not":
		r.negate()
	case "leave":
		if len(r.cur.things) > 0 && r.cur.verb == "" {
			// "the bleach should stay away from food" tells something, and asks nothing.
			_, n := ground.ReadPhrase(r.tokens[r.i:])
			r.i += n
			return
		}
		if r.cur.verb != "" || len(r.cur.things) > 0 {
			r.close()
		}
		r.cur.verb, r.cur.said, r.cur.not = "put", "leave", true
	case "except":
		if r.cur.verb != "" && r.i < len(r.tokens) && r.tokens[r.i].Class == ground.Prep && r.tokens[r.i].Value != "from" && len(r.cur.ats) > 0 {
			if _, n := ground.ReadPhrase(r.tokens[r.i+1:]); n > 0 {
				r.i += 1 + n // "on the shelf and not on the table"
				return
			}
		}
		r.mode = "except"
	case "except_end":
		r.mode = ""
	case "correct":
		r.correct()
	case "then":
		first := len(r.clauses) == 0
		r.cur.too = r.cur.too || first && r.cur.verb == "" && !r.cur.empty() // "the cup next"
		r.close()
		r.cur.too = r.cur.too || first && len(r.clauses) == 0
		r.mode = ""
	case "and", "or", "first":
		if t.Value == "and" && r.cur.verb == "" && len(r.cur.things) == 0 {
			r.cur.too = true
		}
		if t.Value == "or" {
			r.either()
		}
	case "ba":
		if r.cur.verb != "" {
			r.close()
		}
	case "instead":
		r.cur.instead = true
	case "too":
		r.cur.too = true
	case "that":
		if r.i+1 < len(r.tokens) && r.tokens[r.i].Value == "not" && (r.tokens[r.i+1].Class == ground.Content || r.tokens[r.i+1].Class == ground.Quant) {
			r.unlike()
			return
		}
		// the apple THAT IS green: its words go on.
		if n := len(r.cur.things); n > 0 && r.i < len(r.tokens) && r.tokens[r.i].Class == ground.Content && r.mode == "" && t.Text != "的" {
			if p, k := ground.ReadPhrase(r.tokens[r.i:]); k > 0 {
				last := &r.cur.things[n-1]
				last.Words = append(slices.Clip(last.Words), p.Words...)
				r.i += k
			}
		}
	}
}

// unlike reads "a bowl that is not red".
func (r *reader) unlike() {
	p, n := ground.ReadPhrase(r.tokens[r.i+1:])
	if n == 0 {
		return
	}
	r.i += 1 + n
	not := []ground.Phrase{{Words: p.Words, Text: p.Text}}
	for r.i+1 < len(r.tokens) && r.tokens[r.i].Class == ground.Marker && (r.tokens[r.i].Value == "or" || r.tokens[r.i].Value == "and") {
		p, n := ground.ReadPhrase(r.tokens[r.i+1:])
		if n == 0 {
			break
		}
		not = append(not, ground.Phrase{Words: p.Words, Text: p.Text})
		r.i += 1 + n
	}
	switch c := &r.cur; {
	case len(c.ats) > 0 && c.ats[len(c.ats)-1].after == len(c.things):
		place := &c.ats[len(c.ats)-1].place
		place.Except = append(place.Except, not...)
	case len(c.things) > 0:
		thing := &c.things[len(c.things)-1]
		thing.Except = append(thing.Except, not...)
	}
}

// negate: before a verb it says what is not to be done, after one what is not
// meant.
func (r *reader) negate() {
	rest := r.tokens[r.i:]
	for len(rest) > 0 && (rest[0].Class == ground.Filler || rest[0].Text == "to" && len(rest) > 1 && rest[1].Class == ground.Verb) {
		rest = rest[1:]
	}
	if len(rest) > 1 && rest[0].Class == ground.Pronoun && rest[0].Value == "it" && rest[1].Class >= ground.Break && len(r.cur.things) > 0 {
		r.i += len(r.tokens[r.i:]) - len(rest) + 2
		r.correct() // "bring the cup, not that, the plate"
		return
	}
	verbAhead := len(rest) > 0 && rest[0].Class == ground.Verb
	switch {
	case verbAhead:
		if r.cur.verb != "" || len(r.cur.things) > 0 {
			r.close() // what it was said of: "the kids are not to get the bleach"
		}
		r.cur.not = true
	case r.cur.verb != "" && len(rest) > 0 && rest[0].Class == ground.Prep:
		// "in the bowl, not on the block": that place is not meant.
		if _, n := ground.ReadPhrase(rest[1:]); n > 0 {
			r.i += len(r.tokens[r.i:]) - len(rest) + 1 + n
		}
	case len(r.cur.things) > 0 || r.cur.verb != "":
		r.mode = "except"
	default:
		r.cur.not = true
	}
}

// either makes "a or b" any one of the two.
func (r *reader) either() {
	if len(r.cur.things) == 0 {
		return
	}
	p, n := ground.ReadPhrase(r.tokens[r.i:])
	if n == 0 {
		return
	}
	r.i += n
	last := &r.cur.things[len(r.cur.things)-1]
	names := append(r.v.Things(last, r.scene), r.v.Things(&p, r.scene)...)
	if len(names) > 0 {
		*last = ground.Phrase{Names: names, Amount: ground.Any, N: 1, Text: last.Text + " or " + p.Text}
	}
}

// correct puts what follows in the place of what was said before.
func (r *reader) correct() {
	r.close()
	r.mode = ""
	r.fixing = len(r.clauses) > 0
}

// close ends the clause.
func (r *reader) close() {
	c := r.cur
	r.cur, r.mark = clause{}, len(r.strange)
	if c.empty() && len(c.excepts) == 0 {
		return
	}
	if (c.said == "leave" || c.said == "keep") && len(c.ats) == 0 {
		c.not = true
	}
	if c.verb == "stay" {
		c.verb, c.said, c.not = "put", "leave", true
	}
	if r.fixing && len(r.clauses) > 0 {
		r.fixing = false
		r.fix(&c)
		return
	}
	r.clauses = append(r.clauses, c)
}

// fix corrects the last clause by c.
func (r *reader) fix(c *clause) {
	last := &r.clauses[len(r.clauses)-1]
	if c.pronounOnly() && c.things[0].Pronoun == "it" && len(c.things[0].Words) == 0 && (len(last.things) > 0 || len(last.ats) > 0) {
		if c.things = last.things; len(last.ats) > 0 && slices.Contains([]string{"open", "close", "wipe"}, c.verb) {
			c.things = []ground.Phrase{last.ats[len(last.ats)-1].place}
		}
	}
	if c.verb != "" && (len(c.things) > 0 || len(c.need) > 0) {
		if c.not { // "put it there, no, don't put it there"
			r.clauses = r.clauses[:len(r.clauses)-1]
		}
		r.clauses[max(len(r.clauses)-1, 0)] = *c
		return
	}
	if len(c.ats) > 0 && len(c.things) == 0 {
		if n := len(last.ats); n > 0 {
			last.ats = last.ats[:n-1]
		}
		last.ats = append(last.ats, at{prep: c.ats[0].prep, place: c.ats[0].place, after: len(last.things)})
	}
	if len(c.things) > 0 {
		p := c.things[0]
		place := len(r.v.Things(&p, r.scene)) == 0 && len(r.v.Places(&p, r.scene)) > 0
		switch {
		case place && len(last.ats) > 0:
			last.ats[len(last.ats)-1].place = p
		case len(last.things) > 0 && len(c.things) == 1:
			last.things[len(last.things)-1] = inherit(p, &last.things[len(last.things)-1])
		default:
			last.things = c.things
		}
		if len(c.ats) > 0 {
			last.ats = c.ats
		}
	}
	if c.verb != "" {
		last.verb, last.said = c.verb, c.said
	}
}

// inherit gives "the green one" the noun of what it replaces.
func inherit(p ground.Phrase, old *ground.Phrase) ground.Phrase {
	if p.Pronoun == "one" && len(old.Words) > 0 {
		p.Words = append(p.Words, old.Words[len(old.Words)-1])
		p.Pronoun = ""
	}
	return p
}
