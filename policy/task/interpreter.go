package task

import (
	"errors"
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/policy/ground"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// Memory is what is remembered beyond one plan. policy/memory has one.
type Memory interface {
	// Tell keeps what somebody likes or wants to be remembered, in their words.
	Tell(text string, at robot.Time)
	// Forget drops what was told last; ok is false when there is nothing.
	Forget() (text string, ok bool)
	// Likes gives what was told, newest first.
	Likes() []string
	// Seen gives where the object was seen last, and when; ok is false when never.
	Seen(name string) (place string, at robot.Time, ok bool)
}

// Config is what an Interpreter is made of; Catalogue is required.
type Config struct {
	Catalogue *skill.Catalogue
	// Memory may be nil.
	Memory Memory
	// Needs may be nil: what is lacked and not named is then the language model's.
	Needs Needs
	// Language of the answers where the question does not tell: en or zh.
	Language string
	// Name is what the robot calls itself, Persona how it begins what it says;
	// both may be empty.
	Name, Persona string
}

// Meaning is what a text means.
type Meaning struct {
	// Tasks are to be carried out in this order.
	Tasks []*Task
	// Say is said to the person; with Asks it is a question that waits for its
	// answer, and nothing is carried out.
	Say  string
	Asks bool
	// Refuse is why nothing is carried out; empty: it is.
	Refuse string
}

// Interpreter reads texts in the light of what was said and done before.
type Interpreter struct {
	config    Config
	catalogue *skill.Catalogue
	v         *ground.Vocabulary
	talk      talk
	// scene is the one that a text is being read in; named are the things that its
	// requests so far are about.
	scene *robot.Scene
	named []string
}

// New checks c and gives an interpreter.
func New(c Config) (*Interpreter, error) {
	if c.Catalogue == nil {
		return nil, errors.New("task: needs a catalogue")
	}
	v, err := ground.New(c.Catalogue)
	if err != nil {
		return nil, err
	}
	if c.Language == "" {
		c.Language = "en"
	}
	return &Interpreter{config: c, catalogue: c.Catalogue, v: v, talk: talk{origin: map[string]string{}}}, nil
}

// Interpret says what text means in scene.
func (in *Interpreter) Interpret(text string, scene *robot.Scene, at robot.Time) Meaning {
	text, in.scene = strings.TrimSpace(text), scene
	l := in.linesFor(text)
	if scene == nil {
		return Meaning{Tasks: []*Task{in.wholeTask(text)}}
	}
	if m, ok := in.answered(text, scene, &l); ok {
		in.note(text, &m, scene)
		return m
	}
	in.talk.question = nil
	if say, ok := in.remember(text, scene, at, &l); ok {
		return Meaning{Say: say}
	}
	if say, ok := in.answer(text, scene, &l); ok {
		return Meaning{Say: say}
	}
	m := in.instruct(text, scene, &l)
	in.note(text, &m, scene)
	return m
}

// Understands says whether words alone tell what text asks for, whatever was said
// before: a question, a request, or something to be remembered. It changes nothing
// of the talk.
func (in *Interpreter) Understands(text string, scene *robot.Scene) bool {
	if scene == nil {
		return false
	}
	other := Interpreter{config: in.config, catalogue: in.catalogue, v: in.v, talk: talk{origin: map[string]string{}}, scene: scene}
	other.config.Memory, other.config.Needs = nil, nil
	l := other.linesFor(text)
	if say, ok := other.answer(text, scene, &l); ok {
		return say != ""
	}
	if r := read(in.v, text, scene); !slices.ContainsFunc(r.clauses, func(c clause) bool { return c.verb != "" }) {
		return false // a bare noun may be anything
	}
	m := other.instruct(text, scene, &l)
	return m.Asks || len(m.Tasks) > 0 && !slices.ContainsFunc(m.Tasks, func(t *Task) bool { return t.whole })
}

// instruct reads a request.
func (in *Interpreter) instruct(text string, scene *robot.Scene, l *lines) Meaning {
	r := read(in.v, text, scene)
	if in.isSkill(text) {
		return Meaning{Tasks: []*Task{in.wholeTask(text)}}
	}
	in.drop(r)
	in.sources(r)
	in.complete(r, scene)
	in.spare(r)
	return in.settle(text, r, scene, l)
}

// settle gives the tasks of the clauses of r, or the first question about them.
func (in *Interpreter) settle(text string, r *reader, scene *robot.Scene, l *lines) Meaning {
	var tasks []*Task
	negated, lost, aside := false, r.hard, false
	var beside *trouble
	in.named = nil
	for i := range r.clauses {
		c := &r.clauses[i]
		if c.not {
			negated = true
			lost = lost || c.verb == "" && len(c.things) > 0 && len(c.things[0].Unknown) > 0
			continue
		}
		if c.verb == "" && len(c.need) == 0 {
			continue
		}
		more, bad := in.resolve(c, scene, l)
		switch {
		case len(more) == 0 && bad == nil && i+1 < len(r.clauses) && r.clauses[i+1].refers:
			// "Show me how you carry the cup: bring it": what was said first is what it is.
		case bad != nil && !bad.meaning.Asks && (in.chatter(c) || in.beside(c) || !plain(r)):
			// Nobody asks so for what is not there: it may be talk, or a need.
			if beside == nil && (!in.chatter(c) || !plain(r)) {
				beside = bad
			}
			aside = true
		case c.guess && (bad != nil || len(more) == 0) && len(r.clauses) > 1 && (i+1 < len(r.clauses) || len(tasks) > 0):
			// Talk beside the request.
		case bad != nil && bad.meaning.said() && !lost:
			if bad.meaning.Asks {
				in.talk.question = &question{text: text, reader: r, names: bad.names, phrase: bad.phrase}
			}
			return bad.meaning
		case len(more) == 0:
			lost = true
		default:
			tasks = append(tasks, more...)
			for _, t := range more {
				in.named = append(in.named, t.candidates(scene)...)
			}
		}
	}
	tasks = superseded(tasks, scene)
	if aside && len(tasks) == 0 && beside != nil && !lost {
		if t := in.help(text, r, scene); t != nil {
			return Meaning{Tasks: []*Task{t}}
		}
		return beside.meaning
	}
	switch {
	case lost:
		return in.asItIs(text, r, scene, l)
	case len(tasks) > MaxTasks:
		return Meaning{Refuse: l.tooMany(len(tasks), MaxTasks)}
	case len(tasks) > 0:
		in.keep(r)
		return Meaning{Tasks: tasks}
	case negated:
		return Meaning{Say: l.leave}
	}
	return in.asItIs(text, r, scene, l)
}

// chatter says whether what a clause is about is no name of a thing: many words that
// nobody knows, or some where nothing was asked for.
// plain says whether all that was said are requests with verbs of their own, so that
// what they name is what is asked for.
// beside says whether what a clause names by words that nobody knows is hardly what
// is asked for: "she takes a bath".
// drop removes clauses that are no requests: what is told beside the request, such
// as "the banana looks good, bring it", is only what "it" may mean.
// subject gives the thing of c that is here, or its first: "the dog chewed the stick,
// bin it".
// takesAll says whether c puts everything that was spoken of somewhere.
// sources restricts things by the places that they are to be taken from, before
// anything refers to them.
// spare takes what is to be left alone out of the sets that are asked for.
// asItIs gives the text to the language model, unless it says nothing that it
// could know.
func (in *Interpreter) asItIs(text string, r *reader, scene *robot.Scene, l *lines) Meaning {
	known := 0
	for i := range r.tokens {
		switch r.tokens[i].Class {
		case ground.Content, ground.Verb, ground.Need, ground.Pronoun, ground.Filler, ground.Prep, ground.Quant, ground.Particle:
			known++
		}
	}
	if t := in.help(text, r, scene); t != nil {
		return Meaning{Tasks: []*Task{t}}
	}
	if known == 0 || len(r.tokens) > 4 && 8*known < len(r.tokens) {
		return Meaning{Say: l.notUnderstood}
	}
	return Meaning{Tasks: []*Task{in.wholeTask(text)}}
}

// isSkill says whether text is the very phrase of a skill that is about no thing,
// such as "move the arm home": nothing in it is a name, and what was asked for
// before does not complete it.
func (in *Interpreter) isSkill(text string) bool {
	text = strings.ToLower(strings.Trim(text, " \t\n.!。！"))
	return slices.ContainsFunc(in.catalogue.Skills, func(t skill.Template) bool {
		return len(t.Slots) == 0 && !t.Ends && (text == t.Phrase || text == t.Phrase+" please" || text == "please "+t.Phrase)
	})
}

func (in *Interpreter) wholeTask(text string) *Task {
	return &Task{Text: text, whole: true, given: in, n: 1}
}

// superseded drops "take X" before "put it in Y".
func superseded(tasks []*Task, scene *robot.Scene) []*Task {
	var kept []*Task
	for i, t := range tasks {
		if i > 0 && t.same(tasks[i-1], scene) {
			continue
		}
		if i+1 < len(tasks) && !tasks[i+1].same(t, scene) && (t.verb == "hold" || t.verb == "bring") && tasks[i+1].verb != "wipe" &&
			tasks[i+1].verb != "hold" && len(t.candidates(scene)) > 0 && slices.Equal(t.candidates(scene), tasks[i+1].candidates(scene)) {
			if tasks[i+1].amount != t.amount {
				tasks[i+1].amount, tasks[i+1].n = t.amount, t.n
			}
			continue
		}
		if t.verb == "hold" && t.amount == ground.All {
			t.amount, t.n = ground.Count, 1 // there is one hand
		}
		kept = append(kept, t)
	}
	return kept
}

// same says whether t asks for what u does.
func (t *Task) same(u *Task, scene *robot.Scene) bool {
	return t.verb == u.verb && t.prep == u.prep && t.amount == ground.The && u.amount == ground.The && slices.Equal(t.place.Names, u.place.Names) &&
		len(t.place.Names) > 0 && slices.Equal(t.candidates(scene), u.candidates(scene))
}

// keep makes the last request the one that the next text may go on from.
func (in *Interpreter) keep(r *reader) {
	for i := range r.clauses {
		if c := &r.clauses[i]; !c.not && c.verb != "" {
			in.talk.last = *c
		}
	}
}

func (m *Meaning) said() bool { return m.Say != "" || m.Refuse != "" }
