package dialogue_test

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/policy/dialogue"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/policy/task"
	"github.com/kuai-robot/kuai/robot"
)

// A spoken question, and the answer to one of the robot's, reach the agent; talk
// does not.
func TestHandsOnWhatTheAgentUnderstands(t *testing.T) {
	in, err := task.New(task.Config{Catalogue: skill.Tabletop()})
	if err != nil {
		t.Fatal(err)
	}
	d := newDialogue(t, func(c *dialogue.Config) { c.Understands = in.Understands })
	for text, want := range map[string]dialogue.Kind{
		"How many blocks are there?":         dialogue.Command,
		"Is there anything in the red bowl?": dialogue.Command,
		"The weather is nice today.":         dialogue.Ignored,
		"Thank you for watching!":            dialogue.Ignored,
		"what time is it":                    dialogue.Ignored,
	} {
		if r := d.Hear(say(text), table()); r.Kind != want {
			t.Errorf("%q: %+v, want %s", text, r, want)
		}
	}
	if r := d.Hear(say("the green"), table()); r.Kind == dialogue.Command {
		t.Errorf("an answer to no question is obeyed: %+v", r)
	}
	d.Plan(&agent.Plan{ID: "1", Status: robot.Succeeded, Said: "Do you mean the red block or the green block?", Asks: true, At: at(9)})
	if r := d.Hear(say("The green one."), table()); r.Kind != dialogue.Command || !strings.Contains(r.Instruction, "green one") {
		t.Errorf("the answer was not handed on: %+v", r)
	}
}
