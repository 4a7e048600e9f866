package task

import (
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/policy/ground"
	"github.com/kuai-robot/kuai/robot"
)

// maxTurns is how many turns the context keeps.
const maxTurns = 5

// talk is the context: what was said and meant in the last turns.
type talk struct {
	// last is the last clause, names the objects that the last turn was about.
	last  clause
	names []string
	// origin is where objects were before they were moved.
	origin   map[string]string
	turns    []Turn
	question *question
}

// Turn is one text and what was done about it.
type Turn struct {
	Text string
	// Items are the requests that were carried out, Reason why it ended.
	Items  []string
	Why    string
	Failed string
}

// question waits for an answer.
type question struct {
	text   string
	reader *reader
	names  []string
	phrase *ground.Phrase
}

// Waiting says whether the robot has asked something.
func (in *Interpreter) Waiting() bool { return in.talk.question != nil }

// Reset forgets the talk, not what is remembered.
func (in *Interpreter) Reset() { in.talk = talk{origin: map[string]string{}} }

// note keeps what a text was about.
func (in *Interpreter) note(text string, m *Meaning, scene *robot.Scene) {
	in.talk.turns = append(in.talk.turns, Turn{Text: text})
	if over := len(in.talk.turns) - maxTurns; over > 0 {
		in.talk.turns = slices.Clone(in.talk.turns[over:])
	}
	if len(m.Tasks) == 0 || m.Tasks[0].whole {
		return
	}
	in.talk.names = nil
	for _, t := range m.Tasks {
		if t.amount == ground.Count {
			continue // Started tells which
		}
		for _, n := range t.candidates(scene) {
			if o, ok := scene.Find(n); ok && in.v.Movable(o.Kind) && !slices.Contains(in.talk.names, n) {
				in.talk.names = append(in.talk.names, n)
			}
		}
	}
}

// Started tells that an item is being carried out, from scene.
func (in *Interpreter) Started(item *Item, why string, scene *robot.Scene) {
	if o, ok := scene.Find(item.Thing); ok && o.On+o.In != "" && in.v.Movable(o.Kind) {
		in.talk.origin[o.Name] = o.On + o.In
	}
	if n := len(in.talk.turns); n > 0 {
		t := &in.talk.turns[n-1]
		t.Items = append(t.Items, item.Instruction)
		if why != "" {
			t.Why = why
		}
	}
	if item.Thing == "" {
		return
	}
	if !slices.Contains(in.talk.names, item.Thing) {
		in.talk.names = append(in.talk.names, item.Thing)
	}
}

// Ended tells how a text ended; reason is empty when all is well.
func (in *Interpreter) Ended(reason string) {
	if n := len(in.talk.turns); n > 0 {
		in.talk.turns[n-1].Failed = reason
	}
}

// answered takes text as the answer to the robot's question.
func (in *Interpreter) answered(text string, scene *robot.Scene, l *lines) (Meaning, bool) {
	q := in.talk.question
	if q == nil {
		return Meaning{}, false
	}
	if refuses(text) {
		in.talk.question = nil
		return Meaning{Say: l.allRight}, true
	}
	names, all := in.choose(text, q, scene)
	if len(names) == 0 {
		return Meaning{}, false
	}
	in.talk.question = nil
	if len(names) > 1 && !all {
		in.talk.question = q
		return Meaning{Say: l.which(names), Asks: true}, true
	}
	if q.phrase != nil {
		q.phrase.Names, q.phrase.Words, q.phrase.Except, q.phrase.Where = names, nil, nil, nil
		q.phrase.Amount, q.phrase.N = ground.The, 0
		if len(names) > 1 {
			q.phrase.Amount = ground.All
		}
	}
	q.reader.scene = scene
	return in.settle(q.text, q.reader, scene, l), true
}

// choose gives which of the names a text means.
func (in *Interpreter) choose(text string, q *question, scene *robot.Scene) (names []string, all bool) {
	r := read(in.v, text, scene)
	words := " " + strings.Join(strings.Fields(strings.Trim(strings.ToLower(text), " .!?。")), " ") + " "
	has := func(phrases ...string) bool {
		return slices.ContainsFunc(phrases, func(p string) bool {
			return strings.Contains(words, " "+p+" ") || hasHan(p) && strings.Contains(text, p)
		})
	}
	for i := range r.clauses {
		c := &r.clauses[i]
		if c.verb != "" && c.verb != "bring" && c.verb != "hold" {
			return nil, false // another request
		}
		for j := range c.things {
			p := &c.things[j]
			if len(p.Words) == 0 {
				continue
			}
			for _, n := range in.v.Match(p, scene, func(o *robot.Object) bool { return slices.Contains(q.names, o.Name) }) {
				if !slices.Contains(names, n) {
					names = append(names, n)
				}
			}
		}
		for j := range c.ats {
			a := &c.ats[j]
			p := ground.Phrase{Where: &ground.Where{Prep: a.prep, Place: a.place}}
			names = append(names, in.v.Match(&p, scene, func(o *robot.Object) bool {
				return slices.Contains(q.names, o.Name) && !slices.Contains(names, o.Name)
			})...)
		}
	}
	switch {
	case len(names) > 0 && (strings.HasPrefix(words, " not ") || strings.HasPrefix(words, " anything but ")):
		return slices.DeleteFunc(slices.Clone(q.names), func(n string) bool { return slices.Contains(names, n) }), false
	case len(names) > 0:
		return names, has("and") && len(names) > 1 || has("和")
	case has("both", "all", "all of them", "都", "全部", "两个都"):
		return q.names, true
	case has("first", "former", "第一个"):
		return q.names[:1], false
	case has("second", "latter", "第二个") && len(q.names) > 1:
		return q.names[1:2], false
	case has("any", "whichever", "either", "does not matter", "doesn't matter", "don't care", "you choose", "随便", "都可以", "yes", "yes please"):
		return q.names[:1], false
	}
	return nil, false
}

func refuses(text string) bool {
	t := strings.Trim(strings.ToLower(strings.TrimSpace(text)), ".!。")
	return slices.Contains([]string{"no", "none", "neither", "never mind", "nevermind", "forget it", "cancel", "nothing", "no thanks", "no thank you", "算了", "都不要", "不用了", "取消"}, t)
}
