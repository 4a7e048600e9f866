package daemon

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/kernels/kernelbench"
	"github.com/kuai-robot/kuai/robot"
)

// Sizes of a language model's figures: the prompt that is read, the answer that
// is written, and how often; the median counts.
const (
	promptTokens = 512
	answerTokens = 64
	repetitions  = 7
)

// benchKernels gives the rate of each operator alone.
func benchKernels(_ context.Context, c *config.Config) ([]bench.Row, error) {
	clock := robot.NewSystemClock()
	threads := c.Planner.Threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	measured, err := kernelbench.Measure(newBackend(&c.Planner), c.Planner.Backend, threads, func() time.Duration { return time.Duration(clock.Now()) })
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
		read, written, err := pace(ctx, clock, session, promptOf(m.model, int32(i)))
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

// promptOf gives a prompt of promptTokens; another first means another prompt
// from the first token on, so that nothing is left of the one before.
func promptOf(m *generate.Model, first int32) []int32 {
	prompt := make([]int32, promptTokens)
	for i := range prompt {
		prompt[i] = (1000 + 37*first + 7*int32(i)) % int32(m.Config().Vocab)
	}
	return prompt
}

// pace gives tokens a second read, and written after that.
func pace(ctx context.Context, clock robot.Clock, session *generate.Session, prompt []int32) (read, written float64, err error) {
	began := clock.Now()
	if _, err := session.Logits(ctx, prompt); err != nil {
		return 0, 0, err
	}
	read = float64(len(prompt)) / clock.Now().Sub(began).Seconds()
	// The model may end its answer early, so each token is asked for by itself.
	began = clock.Now()
	for i := range answerTokens {
		prompt = append(prompt, 2000+int32(i))
		if _, err := session.Logits(ctx, prompt); err != nil {
			return 0, 0, err
		}
	}
	return read, answerTokens / clock.Now().Sub(began).Seconds(), nil
}
