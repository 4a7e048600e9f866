package daemon

import (
	"math"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/robot"
)

// stove gives one good grid and some that make no sense.
type stove struct{ asked []robot.Skill }

func (s *stove) Heat(skill robot.Skill) []robot.Heat {
	s.asked = append(s.asked, skill)
	return []robot.Heat{
		{Camera: "front", Columns: 2, Rows: 2, Values: []float32{0, 0.5, 2, float32(math.NaN())}},
		{Camera: "short", Columns: 2, Rows: 2, Values: []float32{1}},
		{Camera: "huge", Columns: 1000, Rows: 1, Values: make([]float32, 1000)},
		{Camera: "none", Columns: -1, Rows: -1, Values: []float32{1}},
	}
}

func TestHeatOfTheRunningStepGoesOut(t *testing.T) {
	s := &stove{}
	d := &Daemon{heater: s}
	u := agent.Update{Kind: agent.StepStarted, Plan: agent.Plan{Status: robot.Running, Steps: []agent.Step{{Skill: robot.Skill{Name: "pick"}}}}}
	got := d.heat(&u)
	if len(got) != 1 || got[0].Camera != "front" || got[0].Columns != 2 || got[0].Rows != 2 || !slices.Equal(got[0].Cells, []int{0, 50, 100, 0}) {
		t.Fatalf("heat %+v", got)
	}
	u.Kind = agent.Warning
	if got := d.heat(&u); len(got) != 1 || len(s.asked) != 1 || s.asked[0].Name != "pick" {
		t.Errorf("heat %+v after %v", got, s.asked)
	}
	u.Plan.Status = robot.Succeeded
	if got := d.heat(&u); got != nil {
		t.Errorf("a plan that has ended has heat %+v", got)
	}
	if got := (&Daemon{}).heat(&u); got != nil {
		t.Errorf("without a model there is heat %+v", got)
	}
}
