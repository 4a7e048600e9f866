package cuda

import (
	"math"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
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
	plan.Cells
	rounding int
	weights  []float32
	device   Ptr
}

// newCells rounds the recurrent weights as a product would that packs them.
func newCells(planned plan.Cells) *cells {
	c := &cells{Cells: planned, weights: planned.WH.Float32()}
	hidden := c.WH.Cols()
	switch kind := kernels.DType(c.Key.Form); {
	case kind == kernels.BF16:
		c.rounding = roundBF16
		for k, x := range c.weights {
			c.weights[k] = math.Float32frombits(uint32(kernels.FloatToBrain(x)) << 16)
		}
	case kind == kernels.I8:
		c.rounding = roundRow
		if c.WH.Type != kernels.I8 {
			for n := range c.WH.Rows() {
				roundRow8(c.weights[n*hidden : (n+1)*hidden])
			}
		}
	case isBlocks(kind):
		c.rounding = roundBlock
	}
	return c
}

// roundRow8 rounds to multiples of a step.
func roundRow8(row []float32) {
	step := stepOf(row)
	for i, x := range row {
		row[i] = float32(round8(x, step)) * step
	}
}

func (o *cells) load(e *executable) (err error) {
	o.device, err = e.floats(o.weights)
	return err
}

func (o *cells) command(r *recorder) Command {
	hidden := o.WH.Cols()
	c := cLSTM{
		gates: r.mat(o.Gates), to: r.mat(o.To), w: o.device, h: r.at(o.H), c: r.at(o.C), scalars: r.scalars,
		hidden: int32(hidden), rounding: int32(o.rounding), limit: o.Limit,
	}
	rows, _ := r.Size(o.Gates)
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
	_, cols := r.Size(o.X)
	c := cMean{x: r.mat(o.X), to: r.mat(o.to), scalars: r.scalars}
	n := float64(r.elements(o.X))
	return Command{Kernel: "mean_rows", Grid: [3]int{ceil(cols, 8), 1, 1}, Block: 256, Params: raw(&c), Cost: Cost{Bytes: 4 * n, Operations: n}}
}
