package daemon

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/expert"
	"github.com/kuai-robot/kuai/sim/world"
)

// BenchGroups gives what can be measured of a robot that c describes.
func BenchGroups(c *config.Config) []bench.Group {
	return []bench.Group{
		{Name: "start", About: "from nothing to ready, and the memory that takes", Run: func(ctx context.Context) ([]bench.Row, error) { return benchStart(ctx, c) }},
		{Name: "loop", About: "how late ticks are, idle and beside the language model; allocations a tick", Run: func(ctx context.Context) ([]bench.Row, error) { return benchLoop(ctx, c) }},
		{Name: "stop", About: "from a stop message over MQTT to the driver's stop", Run: func(ctx context.Context) ([]bench.Row, error) { return benchStop(ctx, c) }},
		{Name: "safety", About: "a stop beside 1000 messages a second; the loop at 500 Hz beside a busy encoder", Run: func(ctx context.Context) ([]bench.Row, error) { return benchSafety(ctx, c) }},
		{Name: "page", About: "the page: stop to the driver's stop, a picture's way, the loop beside 20 open pages", Run: func(ctx context.Context) ([]bench.Row, error) { return benchPage(ctx, c) }},
		{Name: "saycan", About: "one decision among all options of the tabletop, and of two households", Run: func(ctx context.Context) ([]bench.Row, error) { return benchSaycan(ctx, c) }},
		{Name: "record", About: "recording three cameras and a control loop at 500 Hz: the share of one core, and what is lost", Run: func(ctx context.Context) ([]bench.Row, error) { return benchRecord(ctx, c) }},
		{Name: "say", About: "from an instruction over MQTT to the first motion", Run: func(ctx context.Context) ([]bench.Row, error) { return benchSay(ctx, c) }},
		{Name: "lm", About: "tokens a second that the language model reads and writes", Run: func(ctx context.Context) ([]bench.Row, error) { return benchModel(ctx, c) }},
		{Name: "encode", About: "one picture through CLIP ViT-B/32 with random weights, at each precision", Run: func(ctx context.Context) ([]bench.Row, error) { return benchEncode(ctx, c) }},
		{Name: "policy", About: "from the pictures of both cameras to a chunk of motion by the built-in policy, on two threads, at each precision", Run: func(ctx context.Context) ([]bench.Row, error) { return benchPolicy(ctx, c) }},
		{Name: "kernels", About: "the rate of each operator", Run: func(ctx context.Context) ([]bench.Row, error) { return benchKernels(ctx, c) }},
		{Name: "cuda", About: "each kernel and whole models on the GPU, beside the roofline", Run: func(ctx context.Context) ([]bench.Row, error) { return benchGPU(ctx) }},
		{Name: "asr", About: "three seconds of speech to text", Run: func(ctx context.Context) ([]bench.Row, error) { return benchHearing(ctx, c) }},
		{Name: "voice", About: "from the end of a spoken command to its text and to the first motion; listening while nobody speaks", Run: func(ctx context.Context) ([]bench.Row, error) { return benchVoice(ctx, c) }},
		{Name: "commands", About: "300 commands spoken by six synthetic voices into a noisy room: how many begin the right skill", Run: func(ctx context.Context) ([]bench.Row, error) { return benchCommands(ctx, c) }},
	}
}

func benchStart(ctx context.Context, c *config.Config) ([]bench.Row, error) {
	clock := robot.NewSystemClock()
	began := clock.Now()
	r, err := startRig(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	ready := clock.Now().Sub(began)
	memory := residentMB()
	return []bench.Row{
		{Name: "start.ready", Value: ready.Seconds() * 1e3, Unit: "ms", Bar: "<3000"},
		{Name: "memory.rss", Value: memory, Unit: "MB", Bar: "<1500"},
	}, r.close()
}

// loopTime is how long jitter is measured in each condition.
const loopTime = 10 * time.Second

func benchLoop(ctx context.Context, c *config.Config) (rows []bench.Row, err error) {
	allocs, err := tickAllocs(c)
	if err != nil {
		return nil, err
	}
	rows = append(rows, bench.Row{Name: "loop.allocs", Value: allocs, Bar: "<=0"})
	r, err := startRig(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	for _, load := range []struct {
		name, bar string
		busy      bool
	}{{"loop.jitter_p99", "<1", false}, {"loop.jitter_p99_loaded", "<2", true}} {
		late, err := r.jitter(ctx, load.busy)
		if err != nil {
			return nil, err
		}
		rows = append(rows, bench.Row{Name: load.name, Value: late, Unit: "ms", Bar: load.bar})
	}
	return rows, nil
}

// jitter gives the 99th percentile, in ms, of how late commands left over
// loopTime, with or without the planner deciding all the time.
func (r *rig) jitter(ctx context.Context, busy bool) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, loopTime)
	defer cancel()
	clock, period := r.daemon.clock, 1e3/r.daemon.config.Control.RateHz
	var gaps []float64
	var last robot.Time
	r.probe.watch(func(c *robot.Command) {
		if last != 0 {
			gaps = append(gaps, c.At.Sub(last).Seconds()*1e3-period)
		}
		last = c.At
	})
	if busy {
		planner, closePlanner, err := r.daemon.mind.planner(clock, expert.New(r.daemon.description))
		if err != nil {
			return 0, err
		}
		defer closePlanner()
		o := (&realBody{loop: r.daemon.loop, clock: clock, scene: r.daemon.sim.world.Scene}).Observe()
		for i := 0; ctx.Err() == nil; i++ {
			// Another instruction each time, so that there is something to compute.
			_, err := planner.Decide(ctx, &o, saycan.Request{Instruction: fmt.Sprintf("put block %d into the red bowl", i)})
			if err != nil && ctx.Err() == nil {
				return 0, err
			}
		}
	}
	<-ctx.Done()
	r.probe.watch(nil)
	if err := clock.Wait(context.Background(), clock.Now().Add(50*time.Millisecond)); err != nil {
		return 0, err
	}
	return bench.Percentile(gaps, 0.99), nil
}

// tickAllocs gives the allocations of one tick over the simulator.
func tickAllocs(c *config.Config) (float64, error) {
	limits, err := compileSafety(c)
	if err != nil {
		return 0, err
	}
	w, err := world.New(world.Options{})
	if err != nil {
		return 0, err
	}
	defer w.Close()
	clock, err := world.NewClock(w, 0, nil)
	if err != nil {
		return 0, err
	}
	loop, err := control.New(limits, w, clock, control.Config{RateHz: c.Control.RateHz})
	if err != nil {
		return 0, err
	}
	// The counter is the whole program's, so what others allocate meanwhile only
	// adds: the least of several batches is the loop's own.
	const batches, ticks = 10, 100
	least := math.Inf(1)
	for range batches {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range ticks {
			w.Step(world.TickPeriod)
			loop.Tick()
		}
		runtime.ReadMemStats(&after)
		least = min(least, float64(after.Mallocs-before.Mallocs)/ticks)
	}
	return least, nil
}

const stops = 200

func benchStop(ctx context.Context, c *config.Config) (rows []bench.Row, err error) {
	r, err := startRig(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	var took []float64
	for range stops {
		ms, err := r.stopOnce(ctx, func() error { r.hand.Publish(topics.NameStop, 1, false, nil); return nil })
		if err != nil {
			return nil, err
		}
		took = append(took, ms)
	}
	return []bench.Row{
		{Name: "stop.mqtt_p50", Value: bench.Percentile(took, 0.5), Unit: "ms"},
		{Name: "stop.mqtt_p99", Value: bench.Percentile(took, 0.99), Unit: "ms", Bar: "<5"},
	}, nil
}

// stopOnce stops the robot in motion by send, gives the time until the driver
// had the stopped command, and resets.
func (r *rig) stopOnce(ctx context.Context, send func() error) (float64, error) {
	d := r.daemon
	// Towards the side on which there is more way left.
	q, side := d.description.Home(), 0.2
	if d.loop.Status().Command.Position[0] > q[0] {
		side = -side
	}
	for i := range d.description.Joints {
		q[i] += side
	}
	now := d.clock.Now()
	d.loop.Submit(robot.Chunk{
		Source: robot.SourceSkill, ObservedAt: now, Start: now.Add(time.Second), Step: time.Second,
		Actions: []robot.Joints{q}, Expires: now.Add(5 * time.Second),
	})
	if err := r.underWay(ctx); err != nil {
		return 0, err
	}
	written := make(chan robot.Time, 1)
	var sent atomic.Int64
	r.probe.watch(func(c *robot.Command) {
		if s := robot.Time(sent.Load()); s != 0 && c.At >= s && c.Velocity == (robot.Joints{}) {
			select {
			case written <- d.clock.Now():
			default:
			}
		}
	})
	at := d.clock.Now()
	sent.Store(int64(at))
	if err := send(); err != nil {
		return 0, err
	}
	var took float64
	select {
	case t := <-written:
		took = t.Sub(at).Seconds() * 1e3
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	r.probe.watch(nil)
	if err := r.until(ctx, safety.Stopped); err != nil {
		return 0, err
	}
	if err := d.loop.Reset(); err != nil {
		return 0, err
	}
	return took, r.until(ctx, safety.Held)
}
