package task

import (
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/policy/ground"
	"github.com/kuai-robot/kuai/robot"
)

// clause is one request as it was said: a verb and what stands around it.
type clause struct {
	verb string
	// said is the verb's own word.
	said string
	// not: it is not to be done.
	not    bool
	things []ground.Phrase
	// ats are the prepositions and places in their order, each with the number of
	// things that came before it.
	ats []at
	// back: to where it was.
	back    bool
	instead bool
	too     bool
	// excepts are taken away from all things.
	excepts []ground.Phrase
	// kinds of what somebody lacks, where no thing is named.
	need []string
	me   bool
	// guess: nobody said a verb.
	guess bool
	// refers: its thing is what the clause before was about.
	refers bool
	// inherited: its verb is that of the clause before.
	inherited bool
	// loose: words that nobody knows stand before the verb.
	loose bool
}

type at struct {
	prep  string
	said  string
	place ground.Phrase
	after int
}

func (c *clause) empty() bool {
	return c.verb == "" && len(c.things) == 0 && len(c.ats) == 0 && len(c.need) == 0 && !c.back
}

// reader takes tokens apart into clauses.
type reader struct {
	v       *ground.Vocabulary
	scene   *robot.Scene
	tokens  []ground.Token
	i       int
	clauses []clause
	cur     clause
	// mode is what the next phrase is: a thing, an exception.
	mode string
	// fixing: what follows corrects the clause before.
	fixing bool
	// strange are words that nobody knows outside of phrases.
	strange []string
	hard    bool
	// mark is how many were strange when the clause began.
	mark int
	// again: the text begins with "no", so it is about the last request.
	again bool
	// swap: what was said first is to be done last.
	swap bool
}

// hardWords make a sentence one that this package does not read: the language
// model gets it whole.
var hardWords = []string{"until", "unless", "if", "when", "while", "once", "swap", "exchange", "undo", "mistake", "alternately", "sort", "tower", "base", "pile", "otherwise", "without", "如果", "bottom", "above", "below", "under", "underneath", "against", "between", "lighter", "heavier", "largest", "smallest", "biggest", "leftmost", "rightmost", "nearest", "closest", "furthest", "twice", "times", "same"}

// read gives the clauses of text.
func read(v *ground.Vocabulary, text string, scene *robot.Scene) *reader {
	r := &reader{v: v, scene: scene, tokens: v.Tokens(text, scene)}
	if len(r.tokens) > 2 && (r.tokens[0].Value == "none" || r.tokens[0].Value == "not") && r.tokens[1].Class == ground.Break {
		r.i, r.again = 2, true
	}
	if r.firstMakeItSo() {
		r.i, r.cur.verb, r.cur.said = 1, "put", "put"
	}
	if len(r.tokens) > 0 && strings.HasPrefix(r.tokens[0].Text, "before") {
		r.i, r.swap = 1, true
	}
	for r.i < len(r.tokens) {
		r.step()
	}
	r.close()
	if r.swap && len(r.clauses) == 2 {
		r.clauses[0], r.clauses[1] = r.clauses[1], r.clauses[0]
	}
	return r
}

// firstMakeItSo reads "once the cup is in the sink, …" as two requests: the robot can
// bring about what it would wait for.
func (r *reader) step() {
	t := &r.tokens[r.i]
	if t.Class == ground.Unknown && slices.Contains(hardWords, t.Text) {
		r.hard = true
	}
	switch t.Class {
	case ground.Stop:
		r.end()
	case ground.Break:
		if r.states() {
			for r.i++; r.i < len(r.tokens) && r.tokens[r.i].Class < ground.Break; {
				r.i++
			}
			return
		}
		r.comma()
		if r.i+2 < len(r.tokens) && r.tokens[r.i+1].Text == "only" && !r.cur.empty() {
			r.close() // "…, only the cup stays"
		}
	case ground.Verb:
		r.verb(t)
	case ground.Particle:
		r.particle(t)
	case ground.Prep:
		r.prep(t)
		return
	case ground.Marker:
		r.marker(t)
		return
	case ground.Need:
		r.cur.need = append(r.cur.need, r.v.Need(t)...)
	case ground.Pronoun:
		if t.Value == "me" || t.Value == "here" {
			r.cur.me = r.cur.me || t.Text == "me" || t.Text == "us" || t.Text == "我" || t.Value == "here" && !r.cur.empty()
			break
		}
		r.phrase()
		return
	default:
		r.phrase()
		return
	}
	r.i++
}

// end closes a sentence.
func (r *reader) end() {
	if r.fixing && r.cur.empty() {
		return
	}
	r.close()
	r.mode = ""
}

// comma ends exceptions and negations, not a list of things.
func (r *reader) comma() {
	if r.mode == "except" && r.cur.verb != "" && len(r.cur.things) > 0 {
		r.mode = ""
	}
	if r.cur.not && len(r.cur.things) > 0 {
		r.close()
	}
	if r.cur.verb == "" && !r.listGoesOn() {
		r.close()
	}
}

// listGoesOn says whether things are being listed before their verb.
func (r *reader) listGoesOn() bool {
	return r.cur.back || len(r.cur.need) == 0 && len(r.clauses) == 0 && len(r.cur.things) > 0 && len(r.cur.ats) == 0
}

// stative says that the verb tells where something is to be, after its subject.
// sameAction joins the two verbs of 把 X 拿 起来 放到 Y and of 拿 X 给 我.
func (r *reader) prep(t *ground.Token) {
	r.i++
	if r.i+1 < len(r.tokens) && slices.Contains([]string{"my", "his", "her"}, r.tokens[r.i].Text) && r.tokens[r.i+1].Class != ground.Prep {
		r.i++
	}
	if r.i < len(r.tokens) && r.tokens[r.i].Class == ground.Pronoun && r.tokens[r.i].Value == "me" {
		if slices.Contains([]string{"to", "with", "on", "in", "for"}, t.Value) {
			r.cur.me = true
			r.i++
			return
		}
	}
	// 桌子 上: the preposition of Chinese comes after its place.
	if hasHan(t.Text) && t.Value != "to" && t.Value != "from" && t.Value != "with" && r.postposition(t) {
		return
	}
	if t.Text == "to" && r.purpose() {
		return
	}
	if t.Value == "from" && r.i > 1 && r.tokens[r.i-2].Text == "away" && (r.cur.verb == "put" || r.cur.verb == "") {
		if _, n := ground.ReadPhrase(r.tokens[r.i:]); n > 0 {
			r.i += n // "away from the kids" says why
			return
		}
	}
	p, n := ground.ReadPhrase(r.tokens[r.i:])
	if n == 0 {
		if t.Text == "in there" {
			r.cur.ats = append(r.cur.ats, at{prep: "in", place: ground.Phrase{Pronoun: "there", Text: "there"}, after: len(r.cur.things)})
		} else if r.i < len(r.tokens) && r.tokens[r.i].Class == ground.Pronoun {
			r.i++
		}
		return
	}
	r.i += n
	if t.Value == "for" || t.Value == "with" && r.cur.empty() && len(r.v.Things(&p, r.scene)) > 0 {
		if r.cur.empty() && len(p.Words) > 0 && len(r.v.Things(&p, r.scene)) > 0 {
			r.thing(p) // "might I trouble you for the cup"
		}
		return // else whom or what it is for changes nothing
	}
	destined := (r.cur.verb == "put" || t.Value == "to") && len(r.cur.ats) == 0 && t.Value != "from"
	if r.mode == "except" && len(r.cur.excepts) > 0 && !destined && r.v.Places(&p, r.scene) != nil {
		e := &r.cur.excepts[len(r.cur.excepts)-1]
		e.Where = &ground.Where{Prep: t.Value, Place: p}
		return
	}
	r.cur.ats = append(r.cur.ats, at{prep: t.Value, said: t.Text, place: p, after: len(r.cur.things)})
}

// articleAt says whether token i is an article.
// states says whether "it's sharp" follows a request, which asks for nothing.
// purpose passes over what a thing is for, "the knife to slice the lemon": to and a
// word that nobody knows, and what follows up to the end of this part.
// postposition makes the thing before, when it is a place, where something is:
// 桌子上的水果, or where it goes: 放到桌子上.
func (r *reader) postposition(t *ground.Token) bool {
	if n := len(r.cur.ats); n > 0 && r.cur.ats[n-1].prep == "to" {
		r.cur.ats[n-1].prep = t.Value
		return true
	}
	n := len(r.cur.things)
	if n == 0 {
		return false
	}
	last := r.cur.things[n-1]
	if len(r.v.Places(&last, r.scene)) == 0 {
		return false
	}
	r.cur.things = r.cur.things[:n-1]
	prep, after := t.Value, n-1
	if r.cur.verb == "" || r.i < len(r.tokens) && r.tokens[r.i].Value == "that" {
		prep, after = "from", n // the thing that follows is there
	}
	r.cur.ats = append(r.cur.ats, at{prep: prep, place: last, after: after})
	return true
}

func (r *reader) phrase() {
	t := &r.tokens[r.i]
	if t.Class == ground.Quant && t.Value == "none" {
		if t.Text == "no" && r.pause() && r.i+1 < len(r.tokens) && r.tokens[r.i+1].Class == ground.Break {
			r.i += 2
			r.correct() // "the red one, no, the green one"
			return
		}
		r.mode = "except"
		r.i++
		return
	}
	p, n := ground.ReadPhrase(r.tokens[r.i:])
	if n == 0 {
		if t.Class == ground.Unknown {
			r.strange = append(r.strange, t.Text)
		}
		r.i++
		return
	}
	r.i += n
	if len(p.Words) == 0 && p.Pronoun == "" && (p.Text == "all" || p.Text == "each" || p.Text == "都") && len(r.cur.things) > 0 {
		return // "the cups all go there"
	}
	if n := len(r.cur.things); n > 0 && r.cur.verb == "" && len(p.Words) == 0 && p.Amount == ground.All && (p.Pronoun == "" || p.Pronoun == "them") && len(p.Unknown) == 0 {
		r.cur.things[n-1].Amount = ground.All // "the cups, all of them, go there"
		return
	}
	if slices.ContainsFunc(p.Unknown, func(w string) bool { return slices.Contains(hardWords, w) }) {
		r.hard = true
	}
	if len(p.Words) == 0 && p.Pronoun == "" && (p.Amount <= ground.Any || p.Both && len(r.cur.things) > 1) && (r.cur.verb == "" || len(r.cur.things) > 0) {
		r.strange = append(r.strange, p.Unknown...) // no name of anything
		return
	}
	if r.mode == "except" {
		r.except(p)
		return
	}
	r.thing(p)
}

// pause says whether a part of the sentence ended just before.
func (r *reader) pause() bool {
	for i := r.i - 1; i >= 0; i-- {
		if c := r.tokens[i].Class; c != ground.Filler && c != ground.Unknown {
			return c >= ground.Break
		}
	}
	return false
}

func (r *reader) except(p ground.Phrase) {
	c := &r.cur
	if c.empty() && len(r.clauses) > 0 {
		r.clauses[len(r.clauses)-1].excepts = append(r.clauses[len(r.clauses)-1].excepts, p)
		return
	}
	c.excepts = append(c.excepts, p)
}

// thing adds p to the clause; after a destination it begins another of the same
// verb.
func (r *reader) thing(p ground.Phrase) {
	c := &r.cur
	if len(c.ats) > 0 && len(c.things) > 0 && c.ats[len(c.ats)-1].after == len(c.things) && c.verb != "" && c.verb != "wipe" && !hasHan(p.Text) {
		next := clause{verb: c.verb, said: c.said, not: c.not, me: c.me, inherited: true}
		r.close()
		r.cur = next
		c = &r.cur
	}
	c.things = append(c.things, p)
}

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= 0x4e00 && r <= 0x9fff })
}
