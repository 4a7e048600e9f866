package cuda

import (
	"unsafe"

	"github.com/kuai-robot/kuai/kernels/plan"
)

// mostTurns is the number of rotary embeddings that one launch turns.
const mostTurns = len(cRope{}.turns)

// turnTable computes cosines and sines.
type turnTable struct {
	plan.Table
	device Ptr
}

type turn struct{ *plan.Turn }

func (t *turnTable) load(e *executable) (err error) {
	t.device, err = e.bytes(unsafe.Slice((*byte)(unsafe.Pointer(&t.Frequencies[0])), 8*len(t.Frequencies)))
	return err
}

func (t *turnTable) command(r *recorder) Command {
	rows, cols := r.Size(t.To)
	n := r.bound(rows) * cols / 2
	c := cRopeTable{positions: r.at(t.Positions), frequencies: t.device, to: r.mat(t.To), scalars: r.scalars, pairs: int32(cols / 2)}
	return Command{
		Kernel: "rope_table", Grid: r.across(n, 128), Block: 128, Params: raw(&c),
		Cost: Cost{Bytes: 8 * float64(n), Operations: 40 * float64(n)},
	}
}

func (t *turn) load(*executable) error { return nil }

func (t *turn) command(r *recorder) Command {
	c := cRope{table: r.mat(t.Table), scalars: r.scalars, count: int32(len(t.Turns)), interleaved: flag(t.Interleaved)}
	c.pairs = c.table.cols / 2
	most, cost := 0, Cost{}
	for i, op := range t.Turns {
		rows, cols := r.Size(op.X)
		n := r.bound(rows) * cols
		c.turns[i] = cTurn{x: r.mat(op.X), to: r.at(t.To[i]), toLd: int32(r.Places[t.To[i]].Ld), row: int32(t.Row[i].ID), typ: int32(r.Info(t.To[i]).Type), heads: int32(op.Heads)}
		most = max(most, n)
		cost.Bytes += 8 * float64(n)
		cost.Operations += 3 * float64(n)
	}
	grid := r.across(most, 128)
	grid[1] = len(t.Turns)
	return Command{Kernel: "rope_turn", Grid: grid, Block: 128, Params: raw(&c), Cost: cost}
}
