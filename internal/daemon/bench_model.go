package daemon

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/turns"
	"github.com/kuai-robot/kuai/kernels/kernelbench"
	"github.com/kuai-robot/kuai/robot"
)

// repetitions is how often a language model's speed is measured; the median
// counts.
const repetitions = 7

// benchKernels gives the rate of each operator alone.
func benchKernels(_ context.Context, c *config.Config) ([]bench.Row, error) {
	clock := robot.NewSystemClock()
	threads := c.Planner.Threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	measured, err := kernelbench.Measure(newBackend(&c.Planner, func(error) {}), c.Planner.Backend, threads, func() time.Duration { return time.Duration(clock.Now()) })
	rows := make([]bench.Row, len(measured))
	for i, r := range measured {
		rows[i] = bench.Row{Name: r.Name, Value: r.Value, Unit: r.Unit}
		if r.Peak > 0 {
			rows[i].Peer, rows[i].Ratio = "the machine's peak", r.Peak/r.Value
		}
	}
	return rows, err
}

// benchModel gives how fast the language model reads and writes.
func benchModel(ctx context.Context, c *config.Config) (rows []bench.Row, err error) {
	m, err := newMind(c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	session, err := m.model.NewSession()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	var prefill, decode []float64
	clock := robot.NewSystemClock()
	for i := range repetitions {
		read, written, err := pace(ctx, clock, session, turns.Prompt(m.model, int32(i)))
		if err != nil {
			return nil, err
		}
		prefill, decode = append(prefill, read), append(decode, written)
	}
	name := "lm." + c.Planner.Model
	return []bench.Row{
		{Name: name + ".prefill", Value: bench.Percentile(prefill, 0.5), Unit: "/s"},
		{Name: name + ".decode", Value: bench.Percentile(decode, 0.5), Unit: "/s"},
	}, nil
}

// pace gives tokens a second read, and written after that.
func pace(ctx context.Context, clock robot.Clock, session *generate.Session, prompt []int32) (read, written float64, err error) {
	began := clock.Now()
	if _, err := session.Logits(ctx, prompt); err != nil {
		return 0, 0, err
	}
	read = float64(len(prompt)) / clock.Now().Sub(began).Seconds()
	began = clock.Now()
	if err := turns.Follow(ctx, session, prompt); err != nil {
		return 0, 0, err
	}
	return read, turns.AnswerTokens / clock.Now().Sub(began).Seconds(), nil
}
