package task

import (
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/policy/ground"
)

func (r *reader) firstMakeItSo() bool {
	if len(r.tokens) == 0 || !slices.Contains([]string{"when", "once"}, r.tokens[0].Text) {
		return false
	}
	is := false
	for _, t := range r.tokens[1:] {
		switch {
		case t.Class == ground.Break:
			return false
		case t.Class == ground.Verb:
			return false
		case t.Text == "is" || t.Text == "are":
			is = true
		case t.Class == ground.Prep && is:
			return true
		}
	}
	return false
}

func (r *reader) verb(t *ground.Token) {
	c := &r.cur
	if n := len(c.things); c.verb == "clear" && t.Value == "put" && n > 0 && len(c.things[n-1].Words) == 0 && len(c.ats) == 0 {
		return // "clear the table, everything goes to the shelf": the place follows
	}
	// 把 X 放到 Y: the thing comes before its verb; so it does in "the car goes in
	// the basket".
	before := (c.verb == "" || c.inherited && len(c.ats) == 0) && len(c.things) > 0 && (hasHan(t.Text) || stative(t))
	if !before && c.verb != "" && !(c.verb == "go" && len(c.ats) == 0) || c.verb == "" && len(c.things) > 0 && !before {
		if c.verb == t.Value && len(c.things) == 0 && len(c.ats) == 0 {
			return // 拿 … 给: one action in two words
		}
		if len(c.things) == 0 && len(c.ats) == 0 && len(c.need) == 0 && !hasHan(t.Text) && r.i > 0 && r.tokens[r.i-1].Class < ground.Break {
			c.verb = "" // "I want to take …": the second says what
		}
		if hasHan(t.Text) && (c.verb == t.Value || r.sameAction(t)) {
			return
		}
		not, me := r.cur.not && r.cur.empty(), r.cur.me && r.cur.empty()
		r.close()
		r.cur.not, r.cur.me = not, me
	}
	r.cur.verb, r.cur.said, r.cur.loose = t.Value, t.Text, len(r.strange) > r.mark
	if before && t.Value == "go" {
		r.cur.verb = "put" // the cups go to the sink
	}
	r.mode = ""
}

func stative(t *ground.Token) bool {
	words := strings.Fields(t.Text)
	if slices.Contains([]string{"goes", "belongs", "belong", "stays", "stay", "remains", "remain"}, words[0]) || t.Text == "go to" {
		return true
	}
	return len(words) > 1 && slices.Contains([]string{"should", "can", "could", "must", "has", "have", "needs", "need", "ought", "is", "are", "may", "ends", "end", "would", "comes"}, words[0])
}

func (r *reader) sameAction(t *ground.Token) bool {
	c := &r.cur
	if c.verb == "hold" && (t.Value == "bring" || t.Value == "put" || t.Value == "throw_away") && len(c.ats) == 0 && len(c.things) > 0 {
		c.verb, c.said = t.Value, t.Text
		return true
	}
	return false
}

func (r *reader) particle(t *ground.Token) {
	switch {
	case t.Value == "back":
		r.cur.back = true
	case slices.Contains([]string{"throw", "toss", "chuck", "put", "give"}, r.cur.said) && (r.cur.verb == "throw_away" || r.cur.said == "put"):
		if r.cur.said == "put" {
			r.cur.said = "put away"
		} else {
			r.cur.said = "throw away"
		}
	}
}

func (r *reader) articleAt(i int) bool {
	return i < len(r.tokens) && slices.Contains([]string{"the", "my", "this", "a", "an", "some"}, r.tokens[i].Text)
}

func (r *reader) states() bool {
	rest := r.tokens[r.i+1:]
	if r.cur.verb == "" || len(rest) < 2 {
		return false
	}
	its := slices.Contains([]string{"it's", "that's", "they're"}, rest[0].Text) || rest[0].Class == ground.Pronoun && (rest[1].Text == "is" || rest[1].Text == "are")
	for _, t := range rest {
		if t.Class >= ground.Break {
			break
		}
		its = its && t.Class != ground.Verb && t.Class != ground.Need && t.Class != ground.Prep
	}
	return its
}

func (r *reader) purpose() bool {
	if r.i >= len(r.tokens) || r.tokens[r.i].Class != ground.Unknown || len(r.tokens[r.i].Text) < 4 && !r.articleAt(r.i+1) || hasHan(r.tokens[r.i].Text) || len(r.cur.things) == 0 && r.cur.verb != "bring" {
		return false
	}
	for r.i < len(r.tokens) {
		t := &r.tokens[r.i]
		if t.Class >= ground.Break || t.Class == ground.Marker && (t.Value == "and" || t.Value == "then") {
			break
		}
		r.i++
	}
	return true
}
