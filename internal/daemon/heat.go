package daemon

import (
	"math"

	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/robot"
)

// heater is an affordance that can say where in the pictures it sees the chance
// that it gives a skill. Its grids are those of its newest look; it is asked from
// the agent's goroutine once a step, and nil means that it has none.
type heater interface {
	Heat(s robot.Skill) []robot.Heat
}

// maxHeatSide bounds the grids that go out: they are for the eye.
const maxHeatSide = 64

// heat gives the grids of the step that has just been chosen.
func (d *Daemon) heat(u *agent.Update) []topics.Heat {
	if d.heater == nil || u.Plan.Status != robot.Running || len(u.Plan.Steps) == 0 {
		return nil
	}
	if u.Kind == agent.StepStarted {
		d.heated = heatTopics(d.heater.Heat(u.Plan.Steps[len(u.Plan.Steps)-1].Skill))
	}
	return d.heated
}

// heatTopics gives grids as the topic has them; one that makes no sense is left
// out.
func heatTopics(all []robot.Heat) (out []topics.Heat) {
	for _, h := range all {
		if h.Columns < 1 || h.Rows < 1 || h.Columns > maxHeatSide || h.Rows > maxHeatSide || len(h.Values) != h.Columns*h.Rows {
			continue
		}
		cells := make([]int, len(h.Values))
		for i, v := range h.Values {
			if v > 0 { // not a number is no heat
				cells[i] = int(math.Round(100 * float64(min(1, v))))
			}
		}
		out = append(out, topics.Heat{Camera: h.Camera, Columns: h.Columns, Rows: h.Rows, Cells: cells})
	}
	return out
}
