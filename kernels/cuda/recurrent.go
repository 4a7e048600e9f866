package cuda

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/kernels"
)

const lstmThreads = 256

// How a recurrent product rounds h, as recurrent.cu numbers it.
const (
	roundNot = iota
	roundBF16
	roundRow
	roundBlock
)

// cells is an LSTM whose products with x are computed.
type cells struct {
	kernels.LSTM
	gates, to value
	rounding  int
	limit     float32
	weights   []float32
	device    Ptr
}

// lstm computes all products with x at once, then row by row the rest.
func (l *lowering) lstm(i int, op kernels.LSTM, out value) {
	rows, inputs := l.size(op.X)
	hidden := op.WH.Cols()
	gates := l.temp(rows, 4*hidden)
	s := l.segment(i, op.WX, nil, kernels.Identity, 0, gates, op.X, rows, inputs, l.ld(op.X), false)
	s.bias = sum(op.BiasX, op.BiasH)
	l.addProduct(&product{x: op.X, rows: rows, cols: inputs, ld: s.ld, kind: s.key.kind, limit: s.limit, segments: []*segment{s}})
	c := &cells{LSTM: op, gates: gates, to: out, weights: op.WH.Float32()}
	switch kind := kindOf(op.WH, l.options.Of(op.WH), false); {
	case kind == kernels.BF16:
		c.rounding = roundBF16
		for k, x := range c.weights {
			c.weights[k] = math.Float32frombits(uint32(kernels.FloatToBrain(x)) << 16)
		}
	case kind == kernels.I8:
		c.rounding, c.limit = roundRow, l.options.Ranges[op.WH.Name]
		if op.WH.Type != kernels.I8 {
			for n := range op.WH.Rows() {
				roundRow8(c.weights[n*hidden : (n+1)*hidden])
			}
		}
	case isBlocks(kind):
		c.rounding = roundBlock
	}
	o := l.add(i, c, fmt.Sprintf("LSTM %s", op.WX.Name), []value{gates}, []value{out})
	o.states = []stateUse{{State: op.H, Node: i}, {State: op.C, Node: i}}
}

// roundRow8 rounds to multiples of a step.
func roundRow8(row []float32) {
	step := stepOf(row)
	for i, x := range row {
		row[i] = float32(round8(x, step)) * step
	}
}

func sum(a, b *kernels.Weight) []float32 {
	switch {
	case a == nil && b == nil:
		return nil
	case a == nil:
		return b.Float32()
	case b == nil:
		return a.Float32()
	}
	out := a.Float32()
	for i, v := range b.Float32() {
		out[i] += v
	}
	return out
}

func (o *cells) load(e *executable) (err error) {
	o.device, err = e.floats(o.weights)
	return err
}

func (o *cells) command(r *recorder) Command {
	hidden := o.WH.Cols()
	c := cLSTM{
		gates: r.mat(o.gates), to: r.mat(o.to), w: o.device, h: r.at(o.H), c: r.at(o.C), scalars: r.scalars,
		hidden: int32(hidden), rounding: int32(o.rounding), limit: o.limit,
	}
	rows, _ := r.size(o.gates)
	n := float64(r.bound(rows)) * float64(len(o.weights))
	return Command{
		Kernel: "lstm_rows", Grid: [3]int{1, 1, 1}, Block: lstmThreads, Shared: 4 * 6 * hidden, Params: raw(&c),
		Cost: Cost{Bytes: 4 * n, Operations: 2 * n},
	}
}

type meanRows struct {
	kernels.MeanRows
	to value
}

func (o *meanRows) load(*executable) error { return nil }

func (o *meanRows) command(r *recorder) Command {
	_, cols := r.size(o.X)
	c := cMean{x: r.mat(o.X), to: r.mat(o.to), scalars: r.scalars}
	n := float64(r.elements(o.X))
	return Command{Kernel: "mean_rows", Grid: [3]int{ceil(cols, 8), 1, 1}, Block: 256, Params: raw(&c), Cost: Cost{Bytes: 4 * n, Operations: n}}
}
