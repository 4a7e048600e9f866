package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/turns"
	"github.com/kuai-robot/kuai/kernels/cuda"
	"github.com/kuai-robot/kuai/kernels/cuda/gpu"
	"github.com/kuai-robot/kuai/kernels/cuda/roofline"
	"github.com/kuai-robot/kuai/robot"
)

// gpuRuns is how often a launch, or a whole run, is repeated; the median counts.
const gpuRuns = 50

// benchGPU measures every launch of the models on this machine's GPU, and their
// runs, beside the roofline. Without a GPU there are no figures, and none of models
// that are not installed.
func benchGPU(ctx context.Context) (rows []bench.Row, err error) {
	driver, err := gpu.Open(gpu.Options{})
	if errors.Is(err, gpu.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, driver.Close()) }()
	facts, err := gpu.Look()
	if err != nil {
		return nil, err
	}
	card := cardOf(facts, driver.Device())
	dir, err := os.MkdirTemp("", "kuai-tower-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := turns.WriteTower(dir); err != nil {
		return nil, err
	}
	sums := map[string]roofline.KernelSum{}
	times := map[string]float64{}
	for _, m := range forwards(dir) {
		if !m.installed() {
			continue // gpu-check says which models there are
		}
		w := &gpuWatch{Driver: driver, clock: robot.NewSystemClock(), pick: m.pick, times: times}
		if err := m.run(ctx, cuda.NewBackend("cuda", w)); err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, errors.Join(err, w.failed))
		}
		rows = append(rows, w.rows(card, m)...)
		for name, k := range card.ByKernel(w.launches) {
			s := sums[name]
			s.Time += k.Time
			sums[name] = s
		}
	}
	for name, milliseconds := range times {
		rows = append(rows,
			bench.Row{Name: "cuda.kernel." + name, Value: milliseconds, Unit: "ms"},
			bench.Row{Name: "cuda.kernel." + name + ".roofline", Value: sums[name].Time.Seconds() * 1e3, Unit: "ms"})
	}
	return rows, nil
}

// cardOf gives the rates of the card that was opened.
func cardOf(facts gpu.Facts, d cuda.Device) roofline.Card {
	for _, c := range facts.Cards {
		if c.Name == d.Name {
			return roofline.Of(roofline.Rates{
				Name: c.Name, Capability: c.Capability, SMs: c.SMs, SharedBytes: c.Shared,
				ClockKHz: c.ClockKHz, MemoryKHz: c.MemoryKHz, BusBits: c.BusBits,
			})
		}
	}
	return roofline.Cards[0]
}

// rows are the figures of one forward.
func (w *gpuWatch) rows(card roofline.Card, m forward) []bench.Row {
	name, sum := "cuda.forward."+m.name, card.Sum(w.launches)
	bar := ""
	if m.name == "clip-vit-b32.bf16" {
		bar = fmt.Sprintf("<=%.4f", 1.3*sum.Time.Seconds()*1e3)
	}
	return []bench.Row{
		{Name: name, Value: w.median, Unit: "ms", Bar: bar},
		{Name: name + ".roofline", Value: sum.Time.Seconds() * 1e3, Unit: "ms"},
		{Name: name + ".launches", Value: float64(sum.Launches)},
	}
}

// gpuWatch is a driver that measures the recordings that run: the one that counts
// of a model is the pick-th from the end, so all are kept until the next one runs.
type gpuWatch struct {
	cuda.Driver
	clock    robot.Clock
	pick     int
	times    map[string]float64 // by kernel, of all models
	history  []*gpuRun
	launches []cuda.Command
	median   float64
	failed   error
}

// gpuTimed is a recording that can measure its launches one by one.
type gpuTimed interface {
	Times(times int) ([]float32, error)
}

type gpuRun struct {
	cuda.Recording
	owner    *gpuWatch
	commands []cuda.Command
}

// Record keeps what is recorded.
func (w *gpuWatch) Record(commands []cuda.Command) (cuda.Recording, error) {
	r, err := w.Driver.Record(commands)
	if err != nil {
		return nil, err
	}
	return &gpuRun{r, w, commands}, nil
}

// Run runs; when it is the turn of this recording it also measures it.
func (r *gpuRun) Run() error {
	w := r.owner
	if err := r.Recording.Run(); err != nil {
		return err
	}
	w.history = append(w.history, r)
	return nil
}

// Close measures the run that counts, while its memory is still there.
func (r *gpuRun) Close() error {
	w := r.owner
	if n := len(w.history); n >= w.pick && w.history[n-w.pick] == r && w.launches == nil {
		w.failed = r.measure()
	}
	return errors.Join(w.failed, r.Recording.Close())
}

func (r *gpuRun) measure() error {
	w := r.owner
	var all []float64
	for range gpuRuns {
		began := w.clock.Now()
		if err := r.Recording.Run(); err != nil {
			return err
		}
		all = append(all, w.clock.Now().Sub(began).Seconds()*1e3)
	}
	slices.Sort(all)
	w.median = all[len(all)/2]
	t, ok := r.Recording.(gpuTimed)
	if !ok {
		return errors.New("this driver cannot time single launches")
	}
	times, err := t.Times(gpuRuns)
	if err != nil {
		return err
	}
	for i, c := range r.commands {
		if c.Action == cuda.Launch {
			w.launches = append(w.launches, c)
			w.times[c.Kernel] += float64(times[i])
		}
	}
	return nil
}
