package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
)

const decisions = 40

func benchSaycan(ctx context.Context, c *config.Config) (rows []bench.Row, err error) {
	lab, err := NewLab(c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	if _, err := lab.Begin(ctx, 1, world.Spec{}); err != nil {
		return nil, err
	}
	planner, closePlanner, err := lab.mind.planner(robot.NewSystemClock(), newScripted(lab.world.Description()))
	if err != nil {
		return nil, err
	}
	defer closePlanner()
	o := (&realBody{loop: lab.loop, clock: lab.clock, scene: lab.world.Scene}).Observe()
	var took, visited []float64
	var total, options int
	colours := []string{"red", "green", "blue", "yellow"}
	for i := range decisions + 1 {
		// Each instruction differs, as a person's would; only the examples before
		// it stay in the cache.
		text := fmt.Sprintf("please put the %s block into the %s bowl for me, number %d", colours[i%4], colours[i%3], i)
		d, err := planner.Decide(ctx, &o, saycan.Request{Instruction: text})
		if err != nil {
			return nil, err
		}
		if i == 0 {
			continue // reads the examples
		}
		took, visited = append(took, d.Took.Seconds()*1e3), append(visited, float64(d.Visited))
		total, options = d.Total, d.Options
	}
	households, err := benchHouseholds(ctx, c)
	if err != nil {
		return nil, err
	}
	return append([]bench.Row{
		{Name: "saycan.options", Value: float64(options)},
		{Name: "saycan.step", Value: bench.Percentile(took, 0.5), Unit: "ms", Bar: "<300"},
		{Name: "saycan.step_p99", Value: bench.Percentile(took, 0.99), Unit: "ms"},
		{Name: "saycan.visited", Value: bench.Percentile(visited, 0.5)},
		{Name: "saycan.nodes", Value: float64(total)},
	}, households...), nil
}

const instructions = 10

func benchSay(ctx context.Context, c *config.Config) (rows []bench.Row, err error) {
	r, err := startRig(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	var took []float64
	for i := range instructions {
		moved := make(chan robot.Time, 1)
		was := r.daemon.loop.Status().Command.Position
		r.probe.watch(func(c *robot.Command) {
			if c.Position != was {
				select {
				case moved <- r.daemon.clock.Now():
				default:
				}
			}
		})
		at := r.daemon.clock.Now()
		colour := []string{"red", "green", "blue", "yellow"}[i%4]
		if err := r.send(topics.NameInstruction, topics.Instruction{ID: fmt.Sprint(i), Text: "put the " + colour + " block in the green bowl"}); err != nil {
			return nil, err
		}
		select {
		case t := <-moved:
			took = append(took, t.Sub(at).Seconds()*1e3)
		case <-ctx.Done():
			return nil, ctx.Err()
		case err := <-r.ended:
			r.ended <- err
			return nil, fmt.Errorf("the daemon ended: %w", err)
		}
		r.probe.watch(nil)
		r.daemon.worker.drop("measured")
		if err := r.rest(ctx); err != nil {
			return nil, err
		}
	}
	return []bench.Row{
		{Name: "say.first_motion", Value: bench.Percentile(took, 0.5), Unit: "ms", Bar: "<500"},
		{Name: "say.first_motion_max", Value: bench.Percentile(took, 1), Unit: "ms"},
	}, nil
}
