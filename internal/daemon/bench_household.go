package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
)

// households are the scenes that a step is timed in: with the 29 things of the
// usual household, and with 49. Names say how many options there are at least.
var households = []struct {
	world, name, bar string
}{
	{config.Kitchen, "330", "<100"},
	{config.KitchenLarge, "551", "<150"},
}

// benchHouseholds times one decision among all options of each household.
func benchHouseholds(ctx context.Context, c *config.Config) ([]bench.Row, error) {
	var rows []bench.Row
	for _, h := range households {
		of := *c
		if err := of.SetWorld(h.world); err != nil {
			return nil, err
		}
		d, err := decideInHousehold(ctx, &of)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.world, err)
		}
		rows = append(rows,
			bench.Row{Name: "saycan.options_" + h.name, Value: float64(d.options)},
			bench.Row{Name: "saycan.step_" + h.name, Value: bench.Percentile(d.took, 0.5), Unit: "ms", Bar: h.bar},
			bench.Row{Name: "saycan.step_" + h.name + "_p99", Value: bench.Percentile(d.took, 0.99), Unit: "ms"},
			bench.Row{Name: "saycan.visited_" + h.name, Value: bench.Percentile(d.visited, 0.5)},
			bench.Row{Name: "saycan.nodes_" + h.name, Value: float64(d.nodes)},
			bench.Row{Name: "saycan.first_" + h.name, Value: bench.Percentile(d.warm, 0.5), Unit: "ms", Bar: h.bar},
			bench.Row{Name: "saycan.first_cold_" + h.name, Value: bench.Percentile(d.cold, 0.5), Unit: "ms"},
		)
	}
	return rows, nil
}

// decided is what several decisions took.
type decided struct {
	took, visited []float64 // ms, nodes
	// The first decision after a plan has changed the scene: read ahead, and not.
	warm, cold     []float64
	options, nodes int
}

func decideInHousehold(ctx context.Context, c *config.Config) (d decided, err error) {
	lab, err := NewLab(c)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	if _, err := lab.Begin(ctx, 1, world.Spec{}); err != nil {
		return d, err
	}
	planner, closePlanner, err := lab.mind.planner(robot.NewSystemClock(), newScripted(lab.world.Description()))
	if err != nil {
		return d, err
	}
	defer closePlanner()
	o := (&realBody{loop: lab.loop, clock: lab.clock, scene: lab.world.Scene}).Observe()
	things := []string{"cola can", "banana", "chip bag", "kettle", "blue mug", "sponge", "spoon"}
	places := []string{"shelf", "far counter", "table", "near counter"}
	for i := range decisions + 1 {
		text := fmt.Sprintf("please put the %s on the %s for me, number %d", things[i%len(things)], places[i%len(places)], i)
		made, err := planner.Decide(ctx, &o, saycan.Request{Instruction: text})
		if err != nil {
			return d, err
		}
		if i == 0 {
			continue // reads the examples
		}
		d.took, d.visited = append(d.took, made.Took.Seconds()*1e3), append(d.visited, float64(made.Visited))
		d.options, d.nodes = made.Options, made.Total
	}
	return d, d.firsts(ctx, planner, o.Scene)
}

// firsts times the first decision in scenes in which something lies elsewhere than
// before.
func (d *decided) firsts(ctx context.Context, planner *saycan.Planner, scene *robot.Scene) error {
	for i := range 2 * instructions {
		moved := *scene
		moved.Objects = slices.Clone(scene.Objects)
		for k := range moved.Objects {
			if o := &moved.Objects[k]; o.Name == "cola can" {
				o.On, o.In = []string{"shelf", "table", "far counter"}[i%3], ""
			}
		}
		o := robot.Observation{At: moved.At, Scene: &moved}
		if i%2 == 0 {
			if err := planner.Warm(ctx, &moved); err != nil {
				return err
			}
		}
		made, err := planner.Decide(ctx, &o, saycan.Request{Instruction: fmt.Sprintf("bring me the banana, number %d", i)})
		if err != nil {
			return err
		}
		if took := made.Took.Seconds() * 1e3; i%2 == 0 {
			d.warm = append(d.warm, took)
		} else {
			d.cold = append(d.cold, took)
		}
	}
	return nil
}
