package plan

import "github.com/kuai-robot/kuai/kernels"

// tableKey tells rotary tables apart.
type tableKey struct {
	positions   Value
	base, scale float32
	dims        int
	factors     *kernels.Weight
}

// node lowers what no product has taken in.
func (l *Lowering) node(i int, n kernels.Node) error {
	switch op := n.Op.(type) {
	case kernels.Const: // known already
	case kernels.Embed, kernels.Gather, kernels.Softmax, kernels.LogProb, kernels.Activate, kernels.Binary, kernels.MeanRows, kernels.Norm,
		kernels.Resize, kernels.LogPower, kernels.Sample:
		l.add(i, Plain{op, n.Out}, kernels.Operands(op), []Value{n.Out})
	case kernels.MaxPool2D:
		op.X = l.whole(i, op.X)
		l.add(i, Plain{op, n.Out}, []Value{op.X}, []Value{n.Out})
	case kernels.RoPE:
		l.rope(i, op, n.Out)
	case kernels.Store:
		l.Places[n.Out] = l.Places[op.State]
		step := l.add(i, Keep{From: op.X, To: op.State, Row: op.At}, []Value{op.X}, nil)
		step.States = []Use{{State: op.State, Node: i}}
	case kernels.Attention:
		l.attention(i, op, n.Out)
	case kernels.Pad:
		x := l.whole(i, op.X)
		l.add(i, PadRows{From: x, To: n.Out, Left: op.Left, Mirror: true}, []Value{x}, []Value{n.Out})
	case kernels.LSTM:
		l.lstm(i, op, n.Out)
	case kernels.Concat:
		l.concat(i, op, n.Out)
	default:
		return errUnknown(op)
	}
	return nil
}

// reshape makes a slice or reshape a view, or a copy where an output must be
// contiguous or rows cannot be cut anew.
func (l *Lowering) reshape(i int, n kernels.Node) {
	l.done[i] = true
	var at Place
	switch op := n.Op.(type) {
	case kernels.Slice:
		at = l.Places[op.X]
		if op.Axis == 0 {
			at.Offset += op.Start * at.Ld
		} else {
			at.Offset += op.Start
		}
	case kernels.Reshape:
		at = l.Places[l.whole(i, op.X)]
		_, at.Ld = l.Size(n.Out)
	}
	rows, cols := l.Size(n.Out)
	if l.output[n.Out] && at.Ld != cols {
		l.copy(i, l.view(at, rows, cols), n.Out, kernels.N(0))
		return
	}
	l.Places[n.Out], l.Bytes[n.Out] = at, 0
}

// rope lowers a RoPE. One that follows another of the same table and the same
// product (keys after queries) joins its step where the backend turns several.
func (l *Lowering) rope(i int, op kernels.RoPE, out Value) {
	rows, cols := l.Size(op.X)
	key := tableKey{op.Positions, op.Base, op.Scale, op.Dims, op.Factors}
	if op.Dims == 0 {
		key.dims = cols / op.Heads
	}
	table, ok := l.tables[key]
	if !ok {
		table = l.Temp(rows, key.dims)
		l.tables[key] = table
		l.add(i, Table{Positions: op.Positions, Frequencies: frequencies(op, key.dims), To: table}, []Value{op.Positions}, []Value{table})
	}
	step := l.turning[key]
	if step == nil || !l.joins(step.Work.(*Turn), op) {
		step = l.add(i, &Turn{Table: table, Interleaved: op.Interleaved}, []Value{table}, nil)
		l.turning[key] = step
	}
	to, row := out, kernels.Scalar{}
	if u, store, ok := l.storeOf(out); ok {
		l.done[u] = true
		l.Places[l.Nodes[u].Out] = l.Places[store.State]
		to, row = store.State, store.At
		step.States = append(step.States, Use{State: store.State, Node: u})
	} else {
		step.Writes = append(step.Writes, out)
	}
	step.Reads = append(step.Reads, op.X)
	t := step.Work.(*Turn)
	t.Turns, t.To, t.Row = append(t.Turns, op), append(t.To, to), append(t.Row, row)
}

// joins says whether op may turn in the step of t: it waits for nothing else.
func (l *Lowering) joins(t *Turn, op kernels.RoPE) bool {
	p := l.made[op.X]
	return len(t.Turns) < l.rules.Turns && p != nil && l.made[t.Turns[0].X] == p && t.Interleaved == op.Interleaved
}

func (l *Lowering) attention(i int, op kernels.Attention, out Value) {
	_, cols := l.Size(op.Q)
	keys, _ := l.Size(op.K)
	step := l.add(i, Attend{Attention: op, To: out, Keys: keys, Head: cols / op.Heads}, []Value{op.Q}, []Value{out})
	if l.IsState(op.K) {
		step.States = []Use{{State: l.Places[op.K].Root, Node: i}, {State: l.Places[op.V].Root, Node: i}}
	} else {
		step.Reads = append(step.Reads, op.K, op.V)
	}
	if op.Mask != 0 {
		step.Reads = append(step.Reads, op.Mask)
	}
}

// lstm computes all products with x at once, then row by row the rest.
func (l *Lowering) lstm(i int, op kernels.LSTM, out Value) {
	rows, _ := l.Size(op.X)
	gates := l.Temp(rows, 4*op.WH.Cols())
	s := l.product(i, op.X, op.WX, gates)
	s.Bias = sum(op.BiasX, op.BiasH)
	l.addProduct(l.productOf(s))
	c := Cells{LSTM: op, Gates: gates, To: out, Key: l.key(op.WH, false)}
	if Kind(op.WH, l.Options.Of(op.WH), false) == kernels.I8 {
		c.Limit = l.Options.Range(op.WH)
	}
	step := l.add(i, c, []Value{gates}, []Value{out})
	step.States = []Use{{State: op.H, Node: i}, {State: op.C, Node: i}}
}

// concat copies each value to its place.
func (l *Lowering) concat(i int, op kernels.Concat, out Value) {
	after, start := kernels.N(0), 0
	for _, v := range op.Xs {
		rows, cols := l.Size(v)
		if op.Axis == 1 {
			at := l.Places[out]
			at.Offset += start
			outRows, _ := l.Size(out)
			l.add(i, Copy{From: v, To: l.view(at, outRows, cols), After: kernels.N(0)}, []Value{v}, []Value{out})
			start += cols
			continue
		}
		l.copy(i, v, out, after)
		if rows.Static() {
			after = after.Plus(rows.Max())
		} else {
			after = rows.Plus(after.Max())
		}
	}
}
