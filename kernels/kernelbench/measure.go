package kernelbench

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/kuai-robot/kuai/kernels"
)

// Row is one figure.
type Row struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Peak is the rate that the processor or its memory cannot exceed, measured
	// in the same run; 0 where there is no instruction to compare with.
	Peak float64 `json:"peak"`
}

// repetitions of a measurement, of which the fastest counts, because all else
// that a machine does only slows it; and the least time that one takes.
const (
	repetitions = 9
	shortest    = 5 * time.Millisecond
)

// Measure runs every benchmark on a backend that computes with so many threads.
// name stands for it in the rows.
func Measure(backend kernels.Backend, name string, threads int, now func() time.Duration) ([]Row, error) {
	var rows []Row
	all, peaks := benchmarks(), measurePeaks(threads, now)
	for _, b := range all {
		seconds, err := b.seconds(backend, now)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", b.op, err)
		}
		row := Row{Name: fmt.Sprintf("kernel.%s.%s.%s", b.op, name, b.precision), Unit: "GB/s", Value: b.bytes / seconds / 1e9}
		if b.flops > 0 {
			row.Unit, row.Value = "GFLOP/s", b.flops/seconds/1e9
		}
		rows = append(rows, row)
	}
	// What else the machine does slows the peaks too: the higher of two counts.
	peaks.raise(measurePeaks(threads, now))
	for i := range rows {
		rows[i].Peak = peaks.of(&all[i])
	}
	return rows, nil
}

// benchmark is a graph that repeats one operator, on different weights so that
// they come from memory as in a model.
type benchmark struct {
	op, precision string
	build         func(g *kernels.Graph)
	scalars       map[string]int
	options       kernels.Options
	flops, bytes  float64           // of one run
	multiplies    kernels.Precision // that its arithmetic has
	cached        bool              // what it moves is in a cache
	// fill, if any, sets the inputs that must not be just numbers.
	fill func(s *kernels.Session, name string, v kernels.Value)
}

func (b benchmark) seconds(backend kernels.Backend, now func() time.Duration) (float64, error) {
	g := kernels.NewGraph(b.op)
	b.build(g)
	program, err := kernels.Compile(g, backend, b.options)
	if err != nil {
		return 0, err
	}
	defer program.Close()
	session, err := program.NewSession()
	if err != nil {
		return 0, err
	}
	defer session.Close()
	for _, s := range g.Scalars {
		session.Set(s.Scalar, b.scalars[s.Name])
	}
	for v := kernels.Value(1); int(v) < g.Values(); v++ {
		if g.Info(v).Kind == kernels.IsInput {
			for i := range session.F32(v) {
				session.F32(v)[i] = float32(i%17)/8 - 1
			}
			for i := range session.I32(v) {
				session.I32(v)[i] = int32(i)
			}
			if b.fill != nil {
				b.fill(session, g.Info(v).Name, v)
			}
		}
	}
	return fastest(session, now)
}

func fastest(session *kernels.Session, now func() time.Duration) (float64, error) {
	ctx := context.Background()
	if err := session.Run(ctx); err != nil { // warms caches and threads
		return 0, err
	}
	best := math.Inf(1)
	for range repetitions {
		start, runs := now(), 0
		for runs == 0 || now()-start < shortest {
			if err := session.Run(ctx); err != nil {
				return 0, err
			}
			runs++
		}
		best = min(best, (now()-start).Seconds()/float64(runs))
	}
	return best, nil
}
