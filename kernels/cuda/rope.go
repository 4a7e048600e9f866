package cuda

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/kuai-robot/kuai/kernels"
)

// tableKey tells rotary tables apart.
type tableKey struct {
	positions   value
	base, scale float32
	dims        int
	factors     *kernels.Weight
}

// turnTable computes cosines and sines.
type turnTable struct {
	positions   value
	frequencies []float64
	to          value
	device      Ptr
}

// turn is one RoPE, or two with one table, each perhaps into a state.
type turn struct {
	turns       []kernels.RoPE
	to          []value
	row         []kernels.Scalar
	table       value
	interleaved bool
}

// rope lowers a RoPE. One that follows another of the same table and the same
// product (keys after queries) joins its launch.
func (l *lowering) rope(i int, op kernels.RoPE, out value) {
	rows, cols := l.size(op.X)
	key := tableKey{op.Positions, op.Base, op.Scale, op.Dims, op.Factors}
	if op.Dims == 0 {
		key.dims = cols / op.Heads
	}
	table, ok := l.tables[key]
	if !ok {
		table = l.temp(rows, key.dims)
		l.tables[key] = table
		l.add(i, &turnTable{positions: op.Positions, frequencies: frequencies(op, key.dims), to: table}, "RoPE table", []value{op.Positions}, []value{table})
	}
	o := l.turning[key]
	if o == nil || !l.joins(o.work.(*turn), op) {
		o = l.add(i, &turn{table: table, interleaved: op.Interleaved}, fmt.Sprintf("RoPE %v", l.Shape(op.X)), []value{table}, nil)
		l.turning[key] = o
	}
	t := o.work.(*turn)
	to, row := out, kernels.Scalar{}
	if u := l.onlyReader(out); u >= 0 {
		if store, ok := l.Nodes[u].Op.(kernels.Store); ok && l.touched[store.State] == 1 {
			l.done[u] = true
			l.places[l.Nodes[u].Out] = l.places[store.State]
			to, row = store.State, store.At
			o.states = append(o.states, stateUse{State: store.State, Node: u})
		}
	}
	if to == out {
		o.writes = append(o.writes, out)
	}
	o.reads = append(o.reads, op.X)
	t.turns, t.to, t.row = append(t.turns, op), append(t.to, to), append(t.row, row)
}

// joins says whether op may turn in the launch of t: it waits for nothing else.
func (l *lowering) joins(t *turn, op kernels.RoPE) bool {
	p := l.made[op.X]
	return len(t.turns) == 1 && p != nil && l.made[t.turns[0].X] == p && t.interleaved == op.Interleaved
}

// frequencies gives the angle by which each pair turns per position.
func frequencies(op kernels.RoPE, dims int) []float64 {
	scale := float64(op.Scale)
	if scale == 0 {
		scale = 1
	}
	out := make([]float64, dims/2)
	for i := range out {
		out[i] = scale * math.Pow(float64(op.Base), -2*float64(i)/float64(dims))
	}
	if op.Factors != nil {
		for i, f := range op.Factors.Float32() {
			out[i] /= float64(f)
		}
	}
	return out
}

func (t *turnTable) load(e *executable) (err error) {
	t.device, err = e.bytes(unsafe.Slice((*byte)(unsafe.Pointer(&t.frequencies[0])), 8*len(t.frequencies)))
	return err
}

func (t *turnTable) command(r *recorder) Command {
	rows, cols := r.size(t.to)
	n := r.bound(rows) * cols / 2
	c := cRopeTable{positions: r.at(t.positions), frequencies: t.device, to: r.mat(t.to), scalars: r.scalars, pairs: int32(cols / 2)}
	return Command{
		Kernel: "rope_table", Grid: r.across(n, 128), Block: 128, Params: raw(&c),
		Cost: Cost{Bytes: 8 * float64(n), Operations: 40 * float64(n)},
	}
}

func (t *turn) load(*executable) error { return nil }

func (t *turn) command(r *recorder) Command {
	c := cRope{table: r.mat(t.table), scalars: r.scalars, count: int32(len(t.turns)), interleaved: flag(t.interleaved)}
	c.pairs = c.table.cols / 2
	most, cost := 0, Cost{}
	for i, op := range t.turns {
		rows, cols := r.size(op.X)
		n := r.bound(rows) * cols
		c.turns[i] = cTurn{x: r.mat(op.X), to: r.at(t.to[i]), toLd: int32(r.places[t.to[i]].ld), row: int32(t.row[i].ID), typ: int32(r.info(t.to[i]).Type), heads: int32(op.Heads)}
		most = max(most, n)
		cost.Bytes += 8 * float64(n)
		cost.Operations += 3 * float64(n)
	}
	grid := r.across(most, 128)
	grid[1] = len(t.turns)
	return Command{Kernel: "rope_turn", Grid: grid, Block: 128, Params: raw(&c), Cost: cost}
}
