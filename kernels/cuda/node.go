package cuda

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

// node lowers what no product has taken in.
func (l *lowering) node(i int, n kernels.Node) error {
	one := func(w work, name string, reads ...value) { l.add(i, w, name, reads, []value{n.Out}) }
	switch op := n.Op.(type) {
	case kernels.Const: // known already
	case kernels.Embed:
		one(&embedRows{Embed: op, to: n.Out}, "Embed "+op.Table.Name, op.IDs)
	case kernels.Gather:
		one(&gather{op, n.Out}, "Gather", op.X, op.Rows)
	case kernels.Softmax:
		one(&softmax{op, n.Out}, "Softmax", op.X)
	case kernels.LogProb:
		one(&logProb{op, n.Out}, "LogProb", op.X, op.Rows, op.Cols)
	case kernels.Sample:
		l.sample(i, op, n.Out)
	case kernels.Resize:
		one(&resizeBytes{op, n.Out}, "Resize", op.X, op.Across, op.Down)
	case kernels.LogPower:
		one(&logPower{op, n.Out}, "LogPower", op.X)
	case kernels.Activate:
		one(&activateEach{op, n.Out}, "Activate", op.X)
	case kernels.Binary:
		one(&binaryEach{op, n.Out}, "Binary", op.X, op.Y)
	case kernels.MeanRows:
		one(&meanRows{op, n.Out}, "MeanRows", op.X)
	case kernels.Norm:
		one(&normRows{normOf{Norm: op}, n.Out}, "Norm", op.X)
	case kernels.RoPE:
		l.rope(i, op, n.Out)
	case kernels.Store:
		l.places[n.Out] = l.places[op.State]
		o := l.add(i, &copyRows{from: op.X, to: op.State, after: kernels.N(0), row: op.At}, "Store "+l.info(op.State).Name, []value{op.X}, nil)
		o.states = []stateUse{{State: op.State, Node: i}}
	case kernels.Attention:
		return l.attention(i, op, n.Out)
	case kernels.Pad:
		x := l.whole(i, op.X)
		l.add(i, &padRows{from: x, to: n.Out, left: op.Left, mirror: true}, "Pad", []value{x}, []value{n.Out})
	case kernels.LSTM:
		l.lstm(i, op, n.Out)
	case kernels.MaxPool2D:
		op.X = l.whole(i, op.X)
		one(&maxPool{op, n.Out}, "MaxPool2D", op.X)
	case kernels.Concat:
		l.concat(i, op, n.Out)
	default:
		return fmt.Errorf("%T is not an operator that cuda knows", op)
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
	rows, cols := l.size(n.Out)
	if l.output[n.Out] && at.ld != cols {
		part := l.temp(rows, cols)
		l.places[part], l.bytes[part] = at, 0
		l.copy(i, part, n.Out, kernels.N(0))
		return
	}
	l.places[n.Out], l.bytes[n.Out] = at, 0
}

// isState says whether v is a state or what a Store made of one.
func (l *lowering) isState(v value) bool { return l.info(l.places[v].root).Kind == kernels.IsState }

// concat copies each value to its place.
func (l *lowering) concat(i int, op kernels.Concat, out value) {
	after, start := kernels.N(0), 0
	for _, v := range op.Xs {
		rows, cols := l.size(v)
		if op.Axis == 1 {
			part := l.part(out, start, cols)
			l.add(i, &copyRows{from: v, to: part, after: kernels.N(0)}, "Concat", []value{v}, []value{out})
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
