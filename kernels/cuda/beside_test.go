package cuda_test

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/kuai-robot/kuai/kernels"
)

// beside is a backend that runs every program on two and compares: what a whole
// model gives is then checked at each of its outputs and states, run by run. The
// results are those of the first.
type beside struct {
	first, second kernels.Backend
	tolerance     float64 // of the largest magnitude
	runs          atomic.Int64
}

func (b *beside) Name() string { return b.second.Name() }

func (b *beside) Build(g *kernels.Graph, o kernels.Options) (kernels.Executable, error) {
	p := &pairOf{owner: b, graph: g}
	var err error
	if p.first, err = b.first.Build(g, o); err != nil {
		return nil, err
	}
	p.second, err = b.second.Build(g, o)
	return p, err
}

type pairOf struct {
	owner         *beside
	graph         *kernels.Graph
	first, second kernels.Executable
}

func (p *pairOf) NewInstance(share []kernels.Instance) (kernels.Instance, error) {
	var first, second []kernels.Instance
	for _, s := range share {
		first, second = append(first, s.(*twins).first), append(second, s.(*twins).second)
	}
	t := &twins{program: p}
	var err error
	if t.first, err = p.first.NewInstance(first); err != nil {
		return nil, err
	}
	t.second, err = p.second.NewInstance(second)
	return t, err
}

func (p *pairOf) Close() error { return errors.Join(p.first.Close(), p.second.Close()) }

type twins struct {
	program       *pairOf
	first, second kernels.Instance
}

func (t *twins) Memory(v kernels.Value) []byte { return t.first.Memory(v) }

func (t *twins) MoveRow(v kernels.Value, to, from int) error {
	return errors.Join(t.first.MoveRow(v, to, from), t.second.MoveRow(v, to, from))
}

func (t *twins) Close() error { return errors.Join(t.first.Close(), t.second.Close()) }

func (t *twins) Run(s *kernels.Scalars) error {
	g := t.program.graph
	for v := kernels.Value(1); int(v) < g.Values(); v++ {
		if g.Info(v).Kind != kernels.Computed { // states too: the host may have changed them
			copy(t.second.Memory(v), t.first.Memory(v))
		}
	}
	if err := errors.Join(t.first.Run(s), t.second.Run(s)); err != nil {
		return err
	}
	t.program.owner.runs.Add(1)
	for v := kernels.Value(1); int(v) < g.Values(); v++ {
		info := g.Info(v)
		if info.Kind == kernels.IsInput || info.Name == "" {
			continue
		}
		n := info.Shape.Len(s)
		if err := t.program.owner.compare(numbers(t.first.Memory(v), info.Type, n), numbers(t.second.Memory(v), info.Type, n)); err != nil {
			return fmt.Errorf("graph %s: %s %v: %w", g.Name, info.Name, info.Shape, err)
		}
	}
	return nil
}

func numbers(b []byte, t kernels.DType, n int) []float32 {
	size, _ := t.RowBytes(n)
	w := kernels.Weight{Type: t, Shape: []int{n}, Data: b[:size]}
	if n == 0 {
		return nil
	}
	return w.Float32()
}

func (b *beside) compare(want, got []float32) error {
	most, worst, at := 0.0, 0.0, 0
	for i, w := range want {
		d := math.Abs(float64(w) - float64(got[i]))
		most = max(most, math.Abs(float64(w)))
		if d > worst || math.IsNaN(d) {
			worst, at = d, i
		}
	}
	if !(worst <= b.tolerance*most) {
		return fmt.Errorf("[%d] is %g, want %g (tolerance %g of %g)", at, got[at], want[at], b.tolerance, most)
	}
	return nil
}
