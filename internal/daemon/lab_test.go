package daemon

import (
	"math"
	"testing"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
)

// TestLabRepeatsToTheBit runs one episode twice.
func TestLabRepeatsToTheBit(t *testing.T) {
	needModel(t)
	c := config.Default()
	l, err := NewLab(&c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	run := func() robot.Vec3 {
		if _, err := l.Begin(t.Context(), 7, world.Spec{}); err != nil {
			t.Fatal(err)
		}
		a, err := l.Say(t.Context(), "put the red block in the blue bowl")
		if err != nil {
			t.Fatal(err)
		}
		if !a.Succeeded {
			t.Fatalf("%s: %s", a.Cause, a.Reason)
		}
		for i := range a.Steps {
			if s := &a.Steps[i]; s.Before == nil || s.After == nil || len(s.Candidates) == 0 {
				t.Errorf("step %d: %+v", i, s)
			}
		}
		block, _ := a.Scene.Find("red block")
		return block.Pose.Position
	}
	first, second := run(), run()
	for i := range first {
		if math.Float64bits(first[i]) != math.Float64bits(second[i]) {
			t.Fatalf("the block ended at %v and then at %v", first, second)
		}
	}
}
