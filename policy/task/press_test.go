package task_test

import (
	"testing"

	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/policy/task"
	"github.com/kuai-robot/kuai/robot"
)

// A button is pressed by itself and after something else.
func TestPressTheButton(t *testing.T) {
	scene := func() *robot.Scene {
		return &robot.Scene{Objects: []robot.Object{
			{Name: "table", Kind: "surface"}, {Name: "red block", Kind: "block", Colour: "red", On: "table"},
			{Name: "blue bowl", Kind: "bowl", Colour: "blue", On: "table"}, {Name: "button", Kind: "button", On: "table"},
		}}
	}
	in, err := task.New(task.Config{Catalogue: skill.Workbench()})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"press the button": "press the button", "put the red block in the blue bowl and press the button": "put the red block in the blue bowl; press the button",
	} {
		if got := carry(t, in, text, scene()); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	// Where there is none, nothing is pressed.
	without := scene()
	without.Objects = without.Objects[:3]
	if m := in.Interpret("press the button", without, 0); len(m.Tasks) > 0 {
		t.Errorf("there are tasks %v without a button", m.Tasks)
	}
}
