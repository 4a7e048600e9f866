package cpu

// #include "kc.h"
import "C"

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/kernels"
)

// node lowers what no product has taken in.
func (l *lowering) node(i int, n kernels.Node) error {
	switch op := n.Op.(type) {
	case kernels.Const: // known already
	case kernels.Embed, kernels.Gather, kernels.Softmax, kernels.LogProb, kernels.Activate, kernels.Binary, kernels.MeanRows, kernels.Norm,
		kernels.Resize, kernels.LogPower:
		l.add(i, unary{op, n.Out}, operands(op), []value{n.Out})
	case kernels.Sample:
		row := l.buffer(4 * l.info(op.X).Shape.Cols())
		l.add(i, choose{op, n.Out, row}, operands(op), []value{n.Out}, row)
	case kernels.RoPE:
		return l.rope(i, op, n.Out)
	case kernels.Store:
		l.places[n.Out] = l.places[op.State]
		o := l.add(i, keep{op.X, op.State, op.At}, []value{op.X}, nil)
		o.states = []stateUse{{State: op.State, Node: i}}
	case kernels.Attention:
		l.attention(i, op, n.Out)
	case kernels.Pad:
		l.add(i, padRows{l.whole(i, op.X), n.Out, op.Left, true}, []value{op.X}, []value{n.Out})
	case kernels.LSTM:
		l.lstm(i, op, n.Out)
	case kernels.MaxPool2D:
		op.X = l.whole(i, op.X)
		l.add(i, unary{op, n.Out}, []value{op.X}, []value{n.Out})
	case kernels.Concat:
		l.concat(i, op, n.Out)
	default:
		return notKnown(op)
	}
	return nil
}

// view makes a slice or reshape a view, or a copy where an output must be
// contiguous or rows cannot be cut anew.
func (l *lowering) view(i int, n kernels.Node) {
	l.done[i] = true
	var at place
	switch op := n.Op.(type) {
	case kernels.Slice:
		at = l.places[op.X]
		if op.Axis == 0 {
			at.offset += op.Start * at.ld
		} else {
			at.offset += op.Start
		}
	case kernels.Reshape:
		at = l.places[l.whole(i, op.X)]
		_, at.ld = l.size(n.Out)
	}
	_, cols := l.size(n.Out)
	if l.output[n.Out] && at.ld != cols {
		rows, _ := l.size(n.Out)
		part := l.temp(rows, cols)
		l.places[part], l.bytes[part] = at, 0
		l.add(i, copyRows{part, n.Out, kernels.N(0)}, []value{part}, []value{n.Out})
		return
	}
	l.places[n.Out], l.bytes[n.Out] = at, 0
}

// widestHead bounds the channels of a head that turns.
const widestHead = 1024

func (l *lowering) rope(i int, op kernels.RoPE, out value) error {
	rows, cols := l.size(op.X)
	head := cols / op.Heads
	if head > widestHead {
		return fmt.Errorf("RoPE: a head of %d channels, at most %d", head, widestHead)
	}
	key := tableKey{op.Positions, op.Base, op.Scale, op.Dims, op.Factors}
	if op.Dims == 0 {
		key.dims = head
	}
	table, ok := l.tables[key]
	if !ok {
		table = l.temp(rows, key.dims)
		l.tables[key] = table
		l.add(i, turnTable{op.Positions, frequencies(op, key.dims), table}, []value{op.Positions}, []value{table})
	}
	t := turn{RoPE: op, table: table, to: out}
	o := l.add(i, nil, []value{op.X, table}, []value{out})
	if u := l.onlyReader(out); u >= 0 {
		if store, ok := l.Nodes[u].Op.(kernels.Store); ok && l.touched[store.State] == 1 {
			l.done[u] = true
			l.places[l.Nodes[u].Out] = l.places[store.State]
			t.to, t.row = store.State, store.At
			o.writes, o.states = nil, []stateUse{{State: store.State, Node: u}}
		}
	}
	o.what = t
	return nil
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

func (l *lowering) attention(i int, op kernels.Attention, out value) {
	rows, cols := l.size(op.Q)
	keys, _ := l.size(op.K)
	head := cols / op.Heads
	a := attend{Attention: op, to: out, keys: keys}
	o := l.add(i, nil, []value{op.Q}, []value{out})
	if l.isState(op.K) {
		o.states = []stateUse{{State: l.places[op.K].root, Node: i}, {State: l.places[op.V].root, Node: i}}
	} else {
		o.reads = append(o.reads, op.K, op.V)
	}
	if op.Mask != 0 {
		o.reads = append(o.reads, op.Mask)
	}
	if rows.Max()*op.Heads/op.KVHeads > 1 {
		a.packed = l.buffer(int(C.kc_attention_bytes(C.int32_t(head), C.int32_t(op.KVHeads), C.int64_t(keys.Max()))))
		o.scratch = []value{a.packed}
	}
	o.what = a
}

// isState says whether v is a state or what a Store made of one.
func (l *lowering) isState(v value) bool { return l.info(l.places[v].root).Kind == kernels.IsState }

// lstm computes all products with x at once, then step by step the rest.
func (l *lowering) lstm(i int, op kernels.LSTM, out value) {
	rows, inputs := l.size(op.X)
	hidden := op.WH.Cols()
	gates := l.temp(rows, 4*hidden)
	s := l.segment(i, op.WX, nil, kernels.Identity, 0, gates, op.X, rows, inputs, l.ld(op.X), false)
	s.bias = sum(op.BiasX, op.BiasH)
	l.addProduct(&product{x: op.X, rows: rows, cols: inputs, ld: s.ld, format: formatOf(s.key.kind), limit: s.limit, segments: []*segment{s}})
	c := cells{LSTM: op, gates: gates, to: out, kind: packKey{w: op.WH, kind: l.kindOf(op.WH, false)}}
	c.row = l.buffer(int(C.kc_prepared_bytes(formatOf(c.kind.kind), C.int32_t(hidden), 1)) + 4*(4*hidden+C.KC_PANEL))
	o := l.add(i, c, []value{gates}, []value{out}, c.row)
	o.states = []stateUse{{State: op.H, Node: i}, {State: op.C, Node: i}}
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

// concat copies each value to its place.
func (l *lowering) concat(i int, op kernels.Concat, out value) {
	after, start := kernels.N(0), 0
	for _, v := range op.Xs {
		rows, cols := l.size(v)
		if op.Axis == 1 {
			l.add(i, copyRows{v, l.part(out, start, cols), kernels.N(0)}, []value{v}, []value{out})
			start += cols
			continue
		}
		l.add(i, copyRows{v, out, after}, []value{v}, []value{out})
		if rows.Static() {
			after = after.Plus(rows.Max())
		} else {
			after = rows.Plus(after.Max())
		}
	}
}
