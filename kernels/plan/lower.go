package plan

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

// Rules are what a backend's kernels can do at once.
type Rules struct {
	// Form is how a product at a precision packs a weight. The inputs of a
	// convolution, windows, come place after place with all channels.
	Form func(w *kernels.Weight, p kernels.Precision, windows bool) Form
	// Group is how the input of a product with a form is prepared: products of
	// equal groups share a step.
	Group func(Form) Form
	// Segments is how many products share a step, 0 for any number.
	Segments int
	// Norms lets each of several steps normalise the same rows for itself.
	Norms bool
	// Resize lets the windows of a convolution resize the picture.
	Resize bool
	// Turns is how many rotary embeddings of one product's results share a step.
	Turns int
}

// Place is where a value lies: in the buffer of Root, from an offset on, with
// Ld numbers from row to row.
type Place struct {
	Root       Value
	Offset, Ld int
}

// Lowering is a graph and the steps that it became.
type Lowering struct {
	*kernels.Graph
	Options kernels.Options
	Steps   []*Step
	Places  []Place             // of each value
	Bytes   []int               // of the buffer of each root
	Consts  map[Value][]float32 // values known now

	rules   Rules
	added   []kernels.Info // of the values after those of the graph
	readers [][]int        // nodes that read each value
	output  []bool
	touched map[Value]int // nodes that name a state itself
	done    []bool        // nodes that another step has taken in
	tables  map[tableKey]Value
	turning map[tableKey]*Step // turns that another one may join
	made    map[Value]*Product // the product that gives a value
}

// Lower turns a graph into steps: products with all that they take in, then the
// rest. Their order is that of Order.
func Lower(g *kernels.Graph, options kernels.Options, rules Rules) (*Lowering, error) {
	l := newLowering(g, options, rules)
	for _, n := range l.Nodes {
		if c, ok := n.Op.(kernels.Const); ok {
			l.Consts[n.Out] = c.W.Float32()
		}
	}
	l.products()
	for i, n := range l.Nodes {
		if l.done[i] {
			continue
		}
		if err := l.node(i, n); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func newLowering(g *kernels.Graph, options kernels.Options, rules Rules) *Lowering {
	n := g.Values()
	l := &Lowering{
		Graph: g, Options: options, rules: rules,
		Places: make([]Place, n), Bytes: make([]int, n), readers: make([][]int, n), output: make([]bool, n),
		Consts: map[Value][]float32{}, touched: map[Value]int{}, done: make([]bool, len(g.Nodes)),
		tables: map[tableKey]Value{}, turning: map[tableKey]*Step{}, made: map[Value]*Product{},
	}
	for i, node := range g.Nodes {
		for _, v := range kernels.Operands(node.Op) {
			l.readers[v] = append(l.readers[v], i)
			if g.Info(v).Kind == kernels.IsState {
				l.touched[v]++
			}
		}
	}
	for _, v := range g.Outputs {
		l.output[v] = true
	}
	for v := Value(1); int(v) < n; v++ {
		info := g.Info(v)
		size, _ := info.Type.RowBytes(info.Shape.MaxLen())
		l.Places[v], l.Bytes[v] = Place{Root: v, Ld: info.Shape.Cols()}, size
	}
	return l
}

// Info describes a value, also one that lowering has added.
func (l *Lowering) Info(v Value) kernels.Info {
	if n := l.Graph.Values(); int(v) >= n {
		return l.added[int(v)-n]
	}
	return l.Graph.Info(v)
}

// Size is the shape of a value as rows and columns.
func (l *Lowering) Size(v Value) (rows kernels.Dim, cols int) {
	shape := l.Info(v).Shape
	return shape.Rows(), shape.Cols()
}

// IsState says whether v is a state or what a Store made of one.
func (l *Lowering) IsState(v Value) bool { return l.Info(l.Places[v].Root).Kind == kernels.IsState }

// Temp adds a value of f32.
func (l *Lowering) Temp(rows kernels.Dim, cols int) Value {
	v := l.Buffer(4 * rows.Max() * cols)
	l.added[int(v)-l.Graph.Values()].Shape = kernels.Shape{rows, kernels.N(cols)}
	l.Places[v].Ld = cols
	return v
}

// Buffer adds bytes without a shape.
func (l *Lowering) Buffer(bytes int) Value {
	v := Value(len(l.Places))
	l.added = append(l.added, kernels.Info{Type: kernels.F32, Node: -1})
	l.Places = append(l.Places, Place{Root: v})
	l.Bytes = append(l.Bytes, bytes)
	l.output = append(l.output, false)
	return v
}

// view adds a value that lies where another one does.
func (l *Lowering) view(at Place, rows kernels.Dim, cols int) Value {
	v := l.Temp(rows, cols)
	l.Places[v], l.Bytes[v] = at, 0
	return v
}

// whole gives v, or a copy of it in which row follows row.
func (l *Lowering) whole(node int, v Value) Value {
	rows, cols := l.Size(v)
	if l.Places[v].Ld == cols {
		return v
	}
	out := l.Temp(rows, cols)
	l.copy(node, v, out, kernels.N(0))
	return out
}

func (l *Lowering) copy(node int, from, to Value, after kernels.Dim) {
	l.add(node, Copy{From: from, To: to, After: after}, []Value{from}, []Value{to})
}

func (l *Lowering) add(node int, work any, reads, writes []Value) *Step {
	s := &Step{First: node, Work: work, Reads: reads, Writes: writes}
	l.Steps = append(l.Steps, s)
	return s
}

// onlyReader is the node that alone reads v, -1 where there is not just one.
func (l *Lowering) onlyReader(v Value) int {
	if int(v) >= len(l.readers) || l.output[v] || len(l.readers[v]) != 1 {
		return -1
	}
	return l.readers[v][0]
}

// storeOf gives the node of the Store that alone reads v, if a step may write v
// to its state instead.
func (l *Lowering) storeOf(v Value) (node int, store kernels.Store, ok bool) {
	if node = l.onlyReader(v); node < 0 {
		return node, store, false
	}
	store, ok = l.Nodes[node].Op.(kernels.Store)
	return node, store, ok && l.touched[store.State] == 1
}

// Schedule puts the steps into an order in which they can run.
func (l *Lowering) Schedule() error {
	order, err := Order(l.rooted())
	if err != nil {
		return err
	}
	steps := make([]*Step, len(order))
	for i, at := range order {
		steps[i] = l.Steps[at]
	}
	l.Steps = steps
	return nil
}

// Arena lays every buffer that the steps use, states and constants aside, into
// one block.
func (l *Lowering) Arena(align int) Layout {
	var inputs []Value
	for v := Value(1); int(v) < l.Graph.Values(); v++ {
		if l.Info(v).Kind == kernels.IsInput {
			inputs = append(inputs, v)
		}
	}
	return Lay(l.rooted(), l.roots(inputs), l.roots(l.Outputs), align, func(root Value) (int, bool) {
		return l.Bytes[root], l.Info(root).Kind != kernels.IsState && l.Consts[root] == nil
	})
}

// rooted are the steps with roots instead of values.
func (l *Lowering) rooted() []Step {
	steps := make([]Step, len(l.Steps))
	for i, s := range l.Steps {
		steps[i] = Step{First: s.First, Reads: l.roots(s.Reads), Writes: l.roots(s.Writes), Scratch: l.roots(s.Scratch), States: s.States}
	}
	return steps
}

func (l *Lowering) roots(values []Value) []Value {
	roots := make([]Value, len(values))
	for i, v := range values {
		roots[i] = l.Places[v].Root
	}
	return roots
}

// errUnknown is the error of an operator that is new to this package.
func errUnknown(op kernels.Op) error {
	return fmt.Errorf("%T is not an operator that can be compiled", op)
}
