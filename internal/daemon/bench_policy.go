package daemon

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/fusion/vla"
	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/policy/learned"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/demos"
	"github.com/kuai-robot/kuai/sim/world"
)

// policyTimes is how often a chunk is computed; the median counts.
const policyTimes = 60

// policyThreads are those that the bar is for.
const policyThreads = 2

// benchPolicy gives how long it takes from the pictures of both cameras to a chunk
// of joint positions, at each precision, and how far its moves are from those of
// f32.
func benchPolicy(ctx context.Context, _ *config.Config) (rows []bench.Row, err error) {
	w, err := world.New(world.Options{Workbench: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	o, err := observe(w)
	if err != nil {
		return nil, err
	}
	var exact []robot.Vec3
	for _, p := range []kernels.Precision{kernels.Float32, kernels.BFloat16, kernels.Int8} {
		times, moves, err := timePolicy(ctx, w.Description(), o, p)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("policy.chunk.%s", p)
		bar := ""
		if p == kernels.Int8 {
			bar = "<20"
		}
		rows = append(rows, bench.Row{Name: name, Value: bench.Percentile(times, 0.5), Unit: "ms", Bar: bar},
			bench.Row{Name: name + ".p99", Value: bench.Percentile(times, 0.99), Unit: "ms"})
		if exact == nil {
			exact = moves
			continue
		}
		off := 0.0
		for i := range exact {
			off = math.Max(off, moves[i].Sub(exact[i]).Norm())
		}
		rows = append(rows, bench.Row{Name: name + ".off", Value: 1e3 * off, Unit: "mm"})
	}
	return rows, nil
}

// observe gives what a robot at home sees of a workbench.
func observe(w *world.World) (*robot.Observation, error) {
	state, err := w.Read()
	o := &robot.Observation{At: w.Now(), State: state}
	for name, size := range map[string][2]int{"front": {demos.FrontHeight, demos.FrontWidth}, "wrist": {demos.WristHeight, demos.WristWidth}} {
		f := robot.Frame{Camera: name, At: o.At, Width: size[1], Height: size[0], Pixels: make([]byte, 3*size[0]*size[1])}
		err = errors.Join(err, w.Render(name, f.Width, f.Height, f.Pixels))
		o.Frames = append(o.Frames, f)
	}
	return o, err
}

// timePolicy measures the built-in policy at a precision.
func timePolicy(ctx context.Context, d *robot.Description, o *robot.Observation, p kernels.Precision) (ms []float64, moves []robot.Vec3, err error) {
	network, err := vla.OpenFS(learned.Weights(), d, cpu.New(cpu.Options{Threads: policyThreads}), kernels.Options{Precision: p})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, network.Close()) }()
	session, err := network.NewSession(1)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	keep := &keepMoves{session: session}
	pick := robot.Skill{Name: "pick", Args: []string{"red block"}}
	clock := robot.NewSystemClock()
	const warmUp = 5
	for i := range warmUp + policyTimes {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		// A new runner each time asks the network at once.
		r, err := learned.New(learned.Config{
			Description: d, Predictor: keep, Phrase: phraseOf(skill.Workbench()), Knows: func(robot.Skill) bool { return true },
		})
		if err == nil {
			err = r.Begin(pick, o)
		}
		if err != nil {
			return nil, nil, err
		}
		began := clock.Now()
		if _, outcome := r.Next(o); outcome.Status == robot.Failed {
			return nil, nil, errors.New(outcome.Reason)
		}
		if i >= warmUp {
			ms = append(ms, clock.Now().Sub(began).Seconds()*1e3)
		}
	}
	return ms, keep.moves, nil
}

// keepMoves remembers what a network said last.
type keepMoves struct {
	session *vla.Session
	moves   []robot.Vec3
}

// Predict implements learned.Predictor.
func (k *keepMoves) Predict(ctx context.Context, in *vla.Input) (*vla.Output, error) {
	out, err := k.session.Predict(ctx, in)
	if err != nil {
		return nil, err
	}
	k.moves = k.moves[:0]
	for _, m := range out.Moves {
		k.moves = append(k.moves, m.Position())
	}
	return out, nil
}
