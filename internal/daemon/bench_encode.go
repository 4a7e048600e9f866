package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/models"
	"github.com/kuai-robot/kuai/internal/turns"
	"github.com/kuai-robot/kuai/kernels"
)

// How often a picture is embedded and a clip is heard; the median counts.
const (
	pictures    = 40
	hearings    = 15
	speechModel = "whisper-base"
)

// benchEncode gives how long a picture takes at each precision, and how far its
// embedding is from that of f32.
func benchEncode(ctx context.Context, c *config.Config) (rows []bench.Row, err error) {
	dir, err := os.MkdirTemp("", "kuai-tower-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := turns.WriteTower(dir); err != nil {
		return nil, err
	}
	var exact []float32
	for _, p := range []kernels.Precision{kernels.Float32, kernels.BFloat16, kernels.Int8} {
		work := turns.Work{Kind: "encode", Model: dir, Precision: p.String(), Threads: c.Planner.Threads}
		times, last, err := measureTurns(ctx, work, pictures)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("encode.%s.%s", turns.TowerName, p)
		rows = append(rows,
			bench.Row{Name: name, Value: bench.Percentile(times, 0.5), Unit: "ms"},
			bench.Row{Name: name + ".p99", Value: bench.Percentile(times, 0.99), Unit: "ms"})
		if exact == nil {
			exact = last.Embedding
			continue
		}
		rows = append(rows, bench.Row{Name: name + ".cosine", Value: embed.Cosine(exact, last.Embedding), Bar: ">=0.999"})
	}
	return rows, nil
}

// spokenOrder is of a person who says "go forward ten meters"; Debian's
// pocketsphinx-testdata has it.
const spokenOrder = "/usr/share/pocketsphinx/test/data/goforward.raw"

// benchHearing gives how long it takes to write down a short order.
func benchHearing(ctx context.Context, c *config.Config) ([]bench.Row, error) {
	store, err := models.NewStore()
	if err != nil {
		return nil, err
	}
	dir, err := store.Find(speechModel)
	if err != nil {
		return nil, err
	}
	work := turns.Work{Kind: "asr", Model: dir, Input: spokenOrder, Threads: c.Planner.Threads}
	times, _, err := measureTurns(ctx, work, hearings)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (apt-get install pocketsphinx-testdata)", err)
	}
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("asr.%s.clip%ds", speechModel, turns.ClipSeconds)
	return []bench.Row{
		{Name: name, Value: bench.Percentile(times, 0.5), Unit: "ms"},
		{Name: name + ".p99", Value: bench.Percentile(times, 0.99), Unit: "ms"},
	}, nil
}

// measureTurns measures w so often, after a few times that warm caches and
// threads, and gives the milliseconds and the last turn.
func measureTurns(ctx context.Context, w turns.Work, times int) (ms []float64, last turns.Turn, err error) {
	const warmUp = 3
	t, err := turns.Open(w)
	if err != nil {
		return nil, turns.Turn{}, err
	}
	for i := range warmUp + times {
		if last, err = t.Once(ctx); err != nil {
			break
		}
		if i >= warmUp {
			ms = append(ms, last.Milliseconds)
		}
	}
	last.Embedding = slices.Clone(last.Embedding)
	return ms, last, errors.Join(err, t.Close())
}
