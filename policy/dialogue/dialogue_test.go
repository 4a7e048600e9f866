package dialogue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/policy/dialogue"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

func thing(name, kind string) robot.Object {
	colour, _, _ := strings.Cut(name, " ")
	return robot.Object{Name: name, Kind: kind, Colour: colour}
}

func table() *robot.Scene {
	return &robot.Scene{Objects: []robot.Object{
		thing("red block", "block"), thing("green block", "block"), thing("yellow block", "block"), thing("blue bowl", "bowl"), thing("red bowl", "bowl"),
	}}
}

func newDialogue(t *testing.T, change func(*dialogue.Config)) *dialogue.Dialogue {
	t.Helper()
	c := dialogue.Config{Catalogue: skill.Tabletop()}
	if change != nil {
		change(&c)
	}
	d, err := dialogue.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func at(seconds float64) robot.Time { return robot.Time(seconds * float64(time.Second)) }

func say(text string) dialogue.Heard {
	return dialogue.Heard{At: at(10), Text: text, Confidence: 0.9}
}

func TestCommands(t *testing.T) {
	for said, want := range map[string]string{
		"Put the red block in the blue bowl.":      "put the red block in the blue bowl",
		"Pick up the green block!":                 "pick up the green block",
		"please push the yellow block to the left": "please push the yellow block to the left",
		"Put the red lock in the blue ball.":       "put the red block in the blue bowl",
		"Put the red block in the blue bow.":       "put the red block in the blue bowl",
		"pick up the read block":                   "pick up the red block",
		"Move the arm home.":                       "move the arm home",
		"put everything in the blue bowl":          "put everything in the blue bowl",
	} {
		r := newDialogue(t, nil).Hear(say(said), table())
		if r.Kind != dialogue.Command || r.Instruction != want {
			t.Errorf("%q: %+v, want %q", said, r, want)
		}
	}
}

// Nothing that is not a command ever moves the robot.
func TestWhatIsNoCommand(t *testing.T) {
	for _, said := range []string{
		"", "you", "Thank you for watching!", "Thanks for watching.", "The quick brown fox jumps over the lazy dog.", "what time is it", "I put my coat on",
		"So anyway he told her that it was over", "[Music]", "...", "red", "the blue bowl", "put", "Please subscribe to my channel.", "block block block block",
	} {
		for _, addressed := range []bool{false, true} {
			h := say(said)
			h.Addressed = addressed
			r := newDialogue(t, nil).Hear(h, table())
			if r.Kind == dialogue.Command || r.Instruction != "" {
				t.Errorf("%q: %+v", said, r)
			}
			if addressed && r.Kind == dialogue.Ignored && said != "" {
				t.Errorf("%q, said with the button pressed, is ignored without a word", said)
			}
		}
	}
	for _, problem := range []string{"nobody speaks", "the text repeats itself", "the microphone was lost in mid-word"} {
		h := say("put the red block in the blue bowl")
		h.Problem = problem
		if r := newDialogue(t, nil).Hear(h, table()); r.Kind != dialogue.Ignored {
			t.Errorf("%s: %+v", problem, r)
		}
	}
}

func TestStopBeatsEverything(t *testing.T) {
	for _, said := range []string{"Stop!", "stop stop stop", "Please stop.", "Halt.", "freeze", "停", "停下！", "别动", "Stop it!", "don't move"} {
		h := say(said)
		h.Confidence = 0.01
		d := newDialogue(t, func(c *dialogue.Config) { c.Wake = []string{"hey robot"} })
		if r := d.Hear(h, table()); r.Kind != dialogue.Stop {
			t.Errorf("%q: %+v", said, r)
		}
	}
	for _, said := range []string{"put the red block in the blue bowl and stop", "下", "nonstop"} {
		if r := newDialogue(t, nil).Hear(say(said), table()); r.Kind == dialogue.Stop {
			t.Errorf("%q stops", said)
		}
	}
}

// What is configured stops when it is all that is said, and not within a sentence.
func TestStopPhrases(t *testing.T) {
	d := newDialogue(t, func(c *dialogue.Config) { c.Stops = []string{"hold it", "that is enough", "住手"} })
	for said, want := range map[string]bool{
		"Hold it!": true, "Please, hold it.": true, "That is enough.": true, "住手！": true, "stop": true,
		"Hold it tight.": false, "hold": false, "That is enough for today.": false, "": false,
	} {
		if got := d.Stops(said); got != want {
			t.Errorf("%q stops: %v", said, got)
		}
		if r := d.Hear(say(said), table()); (r.Kind == dialogue.Stop) != want {
			t.Errorf("%q: %+v", said, r)
		}
	}
	if !d.Whole("hold it", table()) {
		t.Error("a stop phrase is told only after a long silence")
	}
	if newDialogue(t, nil).Stops("hold it") {
		t.Error("a phrase that nobody configured stops")
	}
}

func TestUnsureIsAskedBack(t *testing.T) {
	d := newDialogue(t, nil)
	h := say("Put the red block in the blue bowl.")
	h.Confidence = 0.3
	r := d.Hear(h, table())
	if r.Kind != dialogue.Question || !strings.Contains(r.Say, "red block in the blue bowl") || r.Instruction != "" {
		t.Fatalf("%+v", r)
	}
	if r = d.Hear(say("Yes, please."), table()); r.Kind != dialogue.Command || r.Instruction != "put the red block in the blue bowl" {
		t.Errorf("yes: %+v", r)
	}
	if r = d.Hear(say("yes"), table()); r.Kind == dialogue.Command {
		t.Errorf("a second yes: %+v", r)
	}
	d.Hear(h, table())
	if r = d.Hear(say("No."), table()); r.Kind != dialogue.Answer {
		t.Errorf("no: %+v", r)
	}
	d.Hear(h, table())
	late := say("yes")
	late.At = h.At.Add(time.Minute)
	if r = d.Hear(late, table()); r.Kind == dialogue.Command {
		t.Errorf("a yes a minute later: %+v", r)
	}
	d.Hear(h, table())
	if r = d.Hear(say("Pick up the green block."), table()); r.Instruction != "pick up the green block" {
		t.Errorf("another command in place of an answer: %+v", r)
	}
	h.Confidence = 0.05
	if r = d.Hear(h, table()); r.Kind == dialogue.Command || r.Kind == dialogue.Question {
		t.Errorf("hardly heard: %+v", r)
	}
}

func plan(instruction string, status robot.Status, args ...string) *agent.Plan {
	s := agent.Step{Number: 1, Skill: robot.Skill{Name: "pick", Args: args}}
	for _, c := range []string{"red block", "yellow block", "green block"} {
		s.Decision.Candidates = append(s.Decision.Candidates, saycan.Scored{})
		k := &s.Decision.Candidates[len(s.Decision.Candidates)-1]
		k.Skill = robot.Skill{Name: "pick", Args: []string{c}}
	}
	return &agent.Plan{ID: "1", Instruction: instruction, Status: status, Steps: []agent.Step{s}}
}

func TestReferencesToTheLastPlan(t *testing.T) {
	const put = "put the red block in the blue bowl"
	for _, c := range []struct {
		said, want string
		kind       dialogue.Kind
		cancel     bool
	}{
		{"The green one instead.", "put the green block in the blue bowl", dialogue.Command, true},
		{"No, the yellow one", "put the yellow block in the blue bowl", dialogue.Command, true},
		{"the other one", "", dialogue.Question, true},
		{"That one instead.", "put the yellow block in the blue bowl", dialogue.Command, true}, // the next best candidate
		{"Not that one.", "", dialogue.Question, true},
		{"no", "", dialogue.Answer, true},
		{"cancel", "", dialogue.Answer, true},
	} {
		d := newDialogue(t, nil)
		d.Plan(plan(put, robot.Running, "red block"))
		r := d.Hear(say(c.said), table())
		if r.Kind != c.kind || r.Instruction != c.want || r.Cancel != c.cancel {
			t.Errorf("%q: %+v, want %s %q", c.said, r, c.kind, c.want)
		}
	}
	d := newDialogue(t, nil)
	d.Plan(plan(put, robot.Running, "red block"))
	d.Hear(say("the other one"), table())
	if r := d.Hear(say("the green one"), table()); r.Instruction != "put the green block in the blue bowl" {
		t.Errorf("the answer to which: %+v", r)
	}
	two := &robot.Scene{Objects: table().Objects[:2]}
	d = newDialogue(t, nil)
	d.Plan(plan("pick up the red block", robot.Succeeded, "red block"))
	if r := d.Hear(say("the other one"), two); r.Instruction != "pick up the green block" || r.Cancel {
		t.Errorf("the other of two: %+v", r)
	}
	if r := newDialogue(t, nil).Hear(say("the other one"), table()); r.Kind != dialogue.Answer {
		t.Errorf("without a plan: %+v", r)
	}
}

func TestWakeWords(t *testing.T) {
	d := newDialogue(t, func(c *dialogue.Config) { c.Wake = []string{"hey robot"} })
	if r := d.Hear(say("Pick up the red block."), table()); r.Kind != dialogue.Ignored {
		t.Errorf("not called: %+v", r)
	}
	if r := d.Hear(say("Hey robot, pick up the red block."), table()); r.Instruction != "pick up the red block" {
		t.Errorf("called: %+v", r)
	}
	if r := d.Hear(say("Hey, robot!"), table()); r.Kind != dialogue.Answer || r.Say == "" {
		t.Errorf("called without more: %+v", r)
	}
	h := say("Pick up the red block.")
	h.At = at(13)
	if r := d.Hear(h, table()); r.Kind != dialogue.Command {
		t.Errorf("soon after the call: %+v", r)
	}
	h.At = at(60)
	if r := d.Hear(h, table()); r.Kind != dialogue.Ignored {
		t.Errorf("long after the call: %+v", r)
	}
	d.Call(at(60))
	if r := d.Hear(h, table()); r.Kind != dialogue.Command {
		t.Errorf("after a call that needed no text: %+v", r)
	}
}

func TestWhole(t *testing.T) {
	d := newDialogue(t, nil)
	for said, want := range map[string]bool{
		"Put the red block in the blue bowl.": true, "Pick up the green block": true, "Put the red block": false, "Put the red block in the": false,
		"Put the red block in the blue": false, "Push the red block to the left": true, "Push the red block": false, "stop": true, "": false, "Pick up the": false,
		"Move the arm home": true, "Pick up the red block and": false, "thank you": false,
	} {
		if got := d.Whole(said, table()); got != want {
			t.Errorf("%q is whole: %v", said, got)
		}
	}
}

func TestSayings(t *testing.T) {
	for name, scene := range map[string]*robot.Scene{"without a scene": nil, "of the table": table()} {
		all := strings.Join(dialogue.Sayings(skill.Tabletop(), scene), "\n")
		for _, want := range []string{"pick up the", "the red block", "the blue bowl", "the table", "next to the"} {
			if !strings.Contains(all, want) {
				t.Errorf("%s: %q is not expected", name, want)
			}
		}
		if scene != nil && strings.Contains(all, "purple") {
			t.Errorf("%s: expects what is not there", name)
		}
	}
}

// Whatever is heard, nothing breaks, and what is not understood moves nothing.
func FuzzHear(f *testing.F) {
	for _, seed := range []string{"put the red block in the blue bowl", "the other one", "yes", "", "\xff", "停", "not that one instead of the", "the red one one one"} {
		f.Add(seed, 0.5)
	}
	f.Fuzz(func(t *testing.T, text string, confidence float64) {
		d := newDialogue(t, nil)
		d.Plan(plan("put the red block in the blue bowl", robot.Running, "red block"))
		for range 2 {
			r := d.Hear(dialogue.Heard{At: at(1), Text: text, Confidence: confidence}, table())
			if (r.Instruction != "") != (r.Kind == dialogue.Command) {
				t.Fatalf("%q: %+v", text, r)
			}
		}
		d.Whole(text, nil)
	})
}
