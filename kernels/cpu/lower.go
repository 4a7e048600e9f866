package cpu

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

// value is a graph's value, or one that lowering adds after them.
type value = kernels.Value

// op is a step before it is emitted.
type op struct {
	first   int     // index of the node, or the first of the nodes, that it computes
	reads   []value // that must have been computed
	writes  []value
	states  []stateUse
	scratch []value // buffers that live during the step only
	what    any     // a kernels operator, *product, or a struct of this file
}

// stateUse orders the steps that touch a state as their nodes were.
type stateUse = plan.Use

// place is where a value lies: in the buffer of root, from an offset on, with
// ld numbers from row to row.
type place struct {
	root       value
	offset, ld int
}

// lowering turns a graph into ops.
type lowering struct {
	*kernels.Graph
	options kernels.Options
	halves  bool // what is to be multiplied in bf16 is so in f16
	ops     []*op
	infos   []kernels.Info // of the values that lowering adds
	places  []place
	bytes   []int               // of the buffer of each root
	consts  map[value][]float32 // values known now
	readers [][]int             // nodes that read each value
	output  []bool
	touched map[value]int // nodes that name a state itself
	done    []bool        // nodes that another op has taken in
	tables  map[tableKey]value
}

// tableKey tells rotary tables apart.
type tableKey struct {
	positions   value
	base, scale float32
	dims        int
	factors     *kernels.Weight
}

func newLowering(g *kernels.Graph, options kernels.Options) *lowering {
	n := g.Values()
	l := &lowering{
		Graph: g, options: options,
		places: make([]place, n), bytes: make([]int, n), readers: make([][]int, n), output: make([]bool, n),
		consts: map[value][]float32{}, touched: map[value]int{}, done: make([]bool, len(g.Nodes)), tables: map[tableKey]value{},
	}
	for i, node := range g.Nodes {
		for _, v := range operands(node.Op) {
			l.readers[v] = append(l.readers[v], i)
			if g.Info(v).Kind == kernels.IsState {
				l.touched[v]++
			}
		}
	}
	for _, v := range g.Outputs {
		l.output[v] = true
	}
	for v := value(1); int(v) < n; v++ {
		info := g.Info(v)
		size, _ := info.Type.RowBytes(info.Shape.MaxLen())
		l.places[v], l.bytes[v] = place{root: v, ld: info.Shape.Cols()}, size
	}
	return l
}

// temp adds a value of f32.
func (l *lowering) temp(rows kernels.Dim, cols int) value {
	v := l.buffer(4 * rows.Max() * cols)
	l.infos[int(v)-l.Graph.Values()].Shape = kernels.Shape{rows, kernels.N(cols)}
	l.places[v].ld = cols
	return v
}

// buffer adds bytes without a shape.
func (l *lowering) buffer(bytes int) value {
	v := value(len(l.places))
	l.infos = append(l.infos, kernels.Info{Type: kernels.F32, Node: -1})
	l.places = append(l.places, place{root: v})
	l.bytes = append(l.bytes, bytes)
	l.output = append(l.output, false)
	return v
}

// part adds a view of some columns of v.
func (l *lowering) part(v value, start, cols int) value {
	rows, _ := l.size(v)
	view := l.temp(rows, cols)
	l.places[view] = l.places[v]
	l.places[view].offset += start
	l.bytes[view] = 0
	return view
}

func (l *lowering) info(v value) kernels.Info {
	if n := l.Graph.Values(); int(v) >= n {
		return l.infos[int(v)-n]
	}
	return l.Graph.Info(v)
}

func (l *lowering) size(v value) (rows kernels.Dim, cols int) {
	shape := l.info(v).Shape
	return shape.Rows(), shape.Cols()
}

// contiguous says whether row follows row.
func (l *lowering) contiguous(v value) bool {
	_, cols := l.size(v)
	return l.places[v].ld == cols
}

// whole gives v, or a copy of it whose rows follow each other.
func (l *lowering) whole(node int, v value) value {
	if l.contiguous(v) {
		return v
	}
	rows, cols := l.size(v)
	out := l.temp(rows, cols)
	l.add(node, copyRows{from: v, to: out, after: kernels.N(0)}, []value{v}, []value{out})
	return out
}

func (l *lowering) add(node int, what any, reads, writes []value, scratch ...value) *op {
	o := &op{first: node, what: what, reads: reads, writes: writes, scratch: scratch}
	l.ops = append(l.ops, o)
	return o
}

// lower goes through the nodes twice: products with all that they take in, then
// the rest.
func (l *lowering) lower() error {
	for _, n := range l.Nodes {
		if c, ok := n.Op.(kernels.Const); ok {
			l.consts[n.Out] = c.W.Float32()
		}
	}
	if err := l.products(); err != nil {
		return err
	}
	for i, n := range l.Nodes {
		if l.done[i] {
			continue
		}
		if err := l.node(i, n); err != nil {
			return err
		}
	}
	return nil
}

// copyRows is the step of Concat and of slices that cannot be views.
type copyRows struct {
	from, to value
	after    kernels.Dim // rows of to before the first
}

// padRows puts rows before and after those of x.
type padRows struct {
	from, to value
	left     int
	mirror   bool
}

// turnTable computes cosines and sines.
type turnTable struct {
	positions   value
	frequencies []float64
	to          value
}

// turn is a RoPE with its table, perhaps into a state.
type turn struct {
	kernels.RoPE
	table, to value
	row       kernels.Scalar
}

// keep is a Store that could not be taken in.
type keep struct {
	from, to value
	row      kernels.Scalar
}

// attend is an Attention.
type attend struct {
	kernels.Attention
	to, packed value
	keys       kernels.Dim // rows of K
}

// cells is an LSTM whose products with x are computed.
type cells struct {
	kernels.LSTM
	gates, to, row value
	kind           packKey
}

// windows are the places of a Conv2D's kernel as rows.
type windows struct {
	kernels.Conv2D
	to value
}

// unary is an operator of one value that is emitted as it is.
type unary struct {
	op kernels.Op
	to value
}

// choose is a Sample with memory for a row.
type choose struct {
	kernels.Sample
	to, row value
}

// operands lists what an operator reads.
func operands(op kernels.Op) []value {
	switch op := op.(type) {
	case kernels.MatMul:
		return some(op.X, op.Residual)
	case kernels.Embed:
		return some(op.IDs)
	case kernels.Gather:
		return some(op.X, op.Rows)
	case kernels.Norm:
		return some(op.X)
	case kernels.RoPE:
		return some(op.X, op.Positions)
	case kernels.Store:
		return some(op.X, op.State)
	case kernels.Attention:
		return some(op.Q, op.K, op.V, op.Mask)
	case kernels.Softmax:
		return some(op.X)
	case kernels.LogProb:
		return some(op.X, op.Rows, op.Cols)
	case kernels.Sample:
		return some(op.X, op.Recent, op.How)
	case kernels.Resize:
		return some(op.X, op.Across, op.Down)
	case kernels.LogPower:
		return some(op.X)
	case kernels.Activate:
		return some(op.X)
	case kernels.Binary:
		return some(op.X, op.Y)
	case kernels.Conv1D:
		return some(op.X)
	case kernels.Conv2D:
		return some(op.X)
	case kernels.Pad:
		return some(op.X)
	case kernels.LSTM:
		return some(op.X, op.H, op.C)
	case kernels.MeanRows:
		return some(op.X)
	case kernels.MaxPool2D:
		return some(op.X)
	case kernels.Concat:
		return op.Xs
	case kernels.Slice:
		return some(op.X)
	case kernels.Reshape:
		return some(op.X)
	}
	return nil
}

func some(vs ...value) []value {
	out := vs[:0]
	for _, v := range vs {
		if v != 0 {
			out = append(out, v)
		}
	}
	return out
}

// notKnown is the error of an operator that is new to this backend.
func notKnown(op kernels.Op) error { return fmt.Errorf("%T is not an operator that cpu knows", op) }
