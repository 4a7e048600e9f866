package dialogue

import (
	"errors"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// Config is how the robot talks. Catalogue is required; a zero field takes the
// value of DefaultConfig.
type Config struct {
	Catalogue *skill.Catalogue
	// Language is that of the answers: en or zh.
	Language string
	// Wake are the words that the robot is called by, any one of them; empty: it
	// takes everything as said to it.
	Wake []string
	// Stops are phrases that stop the robot, beside those that the package knows, when
	// they are all that is said.
	Stops []string
	// Awake is how long it listens after it was called without more.
	Awake time.Duration
	// From Sure on a text is carried out, from Unsure on it is asked back, below
	// it is not understood.
	Sure, Unsure float64
	// Patience is how long a question waits for its answer.
	Patience time.Duration
	// Understands says whether a text that no verb and noun of the catalogue tell is
	// something to hand on all the same; nil: none is.
	Understands func(text string, scene *robot.Scene) bool
}

// DefaultConfig suits Whisper base: its confidence is above 0.6 in nine of ten
// commands that it hears right.
func DefaultConfig() Config {
	return Config{Language: "en", Awake: 8 * time.Second, Sure: 0.45, Unsure: 0.2, Patience: 15 * time.Second}
}

func (c Config) withDefaults() Config {
	d := DefaultConfig()
	if c.Language == "" {
		c.Language = d.Language
	}
	if c.Sure == 0 {
		c.Sure = d.Sure
	}
	if c.Unsure == 0 {
		c.Unsure = min(d.Unsure, c.Sure)
	}
	if c.Awake <= 0 {
		c.Awake = d.Awake
	}
	if c.Patience <= 0 {
		c.Patience = d.Patience
	}
	return c
}

// Heard is one utterance.
type Heard struct {
	At         robot.Time
	Text       string
	Confidence float64
	// Problem says why it is not to be believed; empty: it is.
	Problem string
	// Addressed: it was said to the robot for sure, with a button pressed.
	Addressed bool
}

// Kind says what a Reply is.
type Kind string

// The kinds of replies.
const (
	// Ignored: it was not said to the robot, or holds nothing.
	Ignored Kind = "ignored"
	// NotUnderstood: it was, and nothing is done about it.
	NotUnderstood Kind = "not_understood"
	// Command: Instruction is to be carried out.
	Command Kind = "command"
	// Question: the robot asks back and waits.
	Question Kind = "question"
	// Answer: something was said or ended, nothing is to be done.
	Answer Kind = "answer"
	// Stop: the robot is to stop at once.
	Stop Kind = "stop"
)

// Reply is what to do about an utterance.
type Reply struct {
	Kind Kind
	// Instruction is for the agent, only with Command.
	Instruction string
	// Cancel: what runs is to end.
	Cancel bool
	// Say is what the robot answers; empty: nothing.
	Say string
	// Why is for the log and the page.
	Why string
}

// Dialogue is one robot's.
type Dialogue struct {
	config Config
	words  *words
	said   lines
	// question waits for an answer until then; nil: none does.
	question *question
	until    robot.Time
	awake    robot.Time
	// last is the newest plan.
	last *agent.Plan
}

// question is what the robot has asked.
type question struct {
	instruction string // what a yes carries out
	// choice: the instruction lacks the object in the place of old, and these are
	// what may stand there.
	old    string
	choice []string
}

// New gives a dialogue that has not begun.
func New(c Config) (*Dialogue, error) {
	if c.Catalogue == nil {
		return nil, errors.New("dialogue: needs a catalogue")
	}
	c = c.withDefaults()
	return &Dialogue{config: c, words: newWords(c.Catalogue), said: linesOf(c.Language)}, nil
}

// Plan tells what the robot is doing, or has done.
func (d *Dialogue) Plan(p *agent.Plan) {
	if len(p.Steps) > 0 || d.last == nil || d.last.ID != p.ID || p.Asks {
		d.last = p
	}
}

// Waiting says whether the robot has asked something that may still be answered.
func (d *Dialogue) Waiting(now robot.Time) bool { return d.question != nil && now < d.until }

// Call tells that somebody called the robot by a word that needed no text.
func (d *Dialogue) Call(at robot.Time) { d.awake = at.Add(d.config.Awake) }

// Hear says what to do about h, in a scene that may be nil.
func (d *Dialogue) Hear(h Heard, scene *robot.Scene) Reply {
	if d.question != nil && h.At >= d.until {
		d.question = nil
	}
	if h.Problem != "" {
		return d.unclear(&h, h.Problem)
	}
	u := parse(h.Text)
	if d.stops(&u) {
		d.question = nil
		return Reply{Kind: Stop, Why: h.Text}
	}
	called, addressed := d.addressed(&h, &u)
	if !addressed {
		return Reply{Kind: Ignored, Why: "nobody called the robot"}
	}
	if called && len(u.words) == 0 {
		d.Call(h.At)
		return Reply{Kind: Answer, Say: d.said.yes}
	}
	if h.Confidence < d.config.Unsure {
		return d.unclear(&h, "too unsure of it")
	}
	if r, ok := d.answered(&h, &u, scene); ok {
		return r
	}
	if d.asked(h.At) {
		return d.do(h.Text) // the agent knows what it asked
	}
	if r, ok := d.refers(&h, &u, scene); ok {
		return r
	}
	return d.command(&h, &u, scene)
}

// Stops says whether text, if that is all, asks for a stop.
func (d *Dialogue) Stops(text string) bool {
	u := parse(text)
	return d.stops(&u)
}

func (d *Dialogue) stops(u *utterance) bool { return u.stops() || u.is(d.config.Stops...) }

// addressed says whether the robot is called in u, and takes the call away, and
// whether u is for it.
func (d *Dialogue) addressed(h *Heard, u *utterance) (called, ok bool) {
	if len(d.config.Wake) == 0 {
		return false, true
	}
	for _, wake := range d.config.Wake {
		if rest, found := u.after(parse(wake).words); found {
			*u = rest
			return true, true
		}
	}
	return false, h.Addressed || h.At < d.awake || d.Waiting(h.At) || d.asked(h.At)
}

// unclear answers what was not understood, unless nobody may have spoken to the
// robot at all.
func (d *Dialogue) unclear(h *Heard, why string) Reply {
	if h.Addressed || d.Waiting(h.At) || h.At < d.awake {
		return Reply{Kind: NotUnderstood, Say: d.said.again, Why: why}
	}
	return Reply{Kind: Ignored, Why: why}
}

// answered takes u as the answer to the robot's question.
func (d *Dialogue) answered(h *Heard, u *utterance, scene *robot.Scene) (Reply, bool) {
	q := d.question
	if q == nil {
		return Reply{}, false
	}
	switch {
	case len(q.choice) > 0 && u.no():
		d.question = nil
		return Reply{Kind: Answer, Say: d.said.allRight}, true
	case len(q.choice) > 0:
		if name, ok := d.pickFrom(u, q.choice, scene); ok {
			d.question = nil
			return d.do(replaceName(q.instruction, q.old, name)), true
		}
	case u.yes():
		d.question = nil
		return d.do(q.instruction), true
	case u.no():
		d.question = nil
		return Reply{Kind: Answer, Say: d.said.sayAgain}, true
	}
	d.question = nil // something else was said instead of an answer
	return Reply{}, false
}

// command takes u as something to do.
func (d *Dialogue) command(h *Heard, u *utterance, scene *robot.Scene) Reply {
	text := d.words.mend(u, scene)
	r := d.words.read(text, scene)
	if !r.able && (d.config.Understands != nil && d.config.Understands(h.Text, scene)) {
		text, r.able = h.Text, true // a question, an answer, a request in other words
	}
	if !r.able {
		if h.Addressed || h.At < d.awake || r.verb != "" || len(r.objects) > 0 {
			return Reply{Kind: NotUnderstood, Say: d.said.heard(h.Text), Why: "it is nothing that the robot can do"}
		}
		return Reply{Kind: Ignored, Why: "it is nothing that the robot can do"}
	}
	if h.Confidence < d.config.Sure {
		return d.ask(h.At, &question{instruction: text}, d.said.didYouSay(text))
	}
	return d.do(text)
}

// asked says whether the last plan ended with a question that waits for its answer.
func (d *Dialogue) asked(now robot.Time) bool {
	return d.last != nil && d.last.Asks && now < d.last.At.Add(d.config.Patience)
}

func (d *Dialogue) do(instruction string) Reply {
	return Reply{Kind: Command, Instruction: instruction}
}

func (d *Dialogue) ask(now robot.Time, q *question, text string) Reply {
	d.question, d.until = q, now.Add(d.config.Patience)
	return Reply{Kind: Question, Say: text}
}

// Whole says whether text is a command or an answer that lacks nothing.
func (d *Dialogue) Whole(text string, scene *robot.Scene) bool {
	u := parse(text)
	if d.stops(&u) || d.question != nil && (u.yes() || u.no()) {
		return true
	}
	for _, wake := range d.config.Wake {
		if rest, found := u.after(parse(wake).words); found {
			u = rest
		}
	}
	return d.words.read(d.words.mend(&u, scene), scene).whole
}

// Clean gives a text as an instruction: no capital, no full stop.
func Clean(text string) string {
	return strings.ToLower(strings.Trim(strings.TrimSpace(text), ".!?,;:…\"'“”"))
}
