package plan

import "github.com/kuai-robot/kuai/kernels"

// Form is a backend's number for how a weight is packed.
type Form int32

// Key tells the packed forms of one weight apart.
type Key struct {
	Weight *kernels.Weight
	Form   Form
	// Windows says that the inputs of a convolution come place after place with
	// all channels, not channel after channel.
	Windows bool
}

// ID is the same for keys of the same numbers, also of a file that was opened twice.
type ID struct {
	weight  *kernels.Weight // where the source is not known
	source  string
	kind    kernels.DType
	rows    int
	form    Form
	windows bool
}

// ID gives what a packed form goes by.
func (k Key) ID() ID {
	id := ID{form: k.Form, windows: k.Windows, source: k.Weight.Source}
	if id.source == "" {
		id.weight = k.Weight
		return id
	}
	id.kind, id.rows = k.Weight.Type, k.Weight.Rows()
	return id
}

// Kind is the type in which a product at a precision keeps a weight.
func Kind(w *kernels.Weight, p kernels.Precision, windows bool) kernels.DType {
	switch {
	case p == kernels.BFloat16:
		return kernels.BF16
	case p == kernels.Int8:
		return kernels.I8
	case p == kernels.Stored && !windows:
		return w.Type
	case w.Type == kernels.F16 && !windows:
		return kernels.F16
	}
	return kernels.F32
}

// Product is one or more matrix products of one input.
type Product struct {
	X        Value
	Rows     kernels.Dim
	Cols, Ld int // the inputs; from row to row
	Norm     *kernels.Norm
	Group    Form
	Limit    float32 // of Int8, as calibrated
	Segments []*Segment
}

// Segment is one matrix of a product, or two of which one gates the other, and
// what was taken in: To = Act(x·wᵀ+Bias)[·(x·w2ᵀ+Bias2)] + Residual.
type Segment struct {
	Key, Key2   Key
	Bias, Bias2 []float32
	Act         kernels.Activation
	Residual    Value
	To          Value // the result, or a state
	Row         kernels.Scalar
	State       *Use // of To, if it is a state
	Matrices    int

	node     int
	x        Value // as the graph has it: before a norm is taken in
	rows     kernels.Dim
	cols, ld int
	value    Value // the graph's name of the result
	limit    float32
}

// products makes all matrix products and fuses what stands around them.
func (l *Lowering) products() {
	var segments []*Segment
	for i, n := range l.Nodes {
		switch op := n.Op.(type) {
		case kernels.MatMul:
			s := l.product(i, op.X, op.W, n.Out)
			s.Act, s.Residual = op.Act, op.Residual
			s.setBias(op.Bias)
			segments = append(segments, l.absorb(s))
		case kernels.Conv1D:
			segments = append(segments, l.conv1D(i, op, n.Out))
		case kernels.Conv2D:
			segments = append(segments, l.conv2D(i, op, n.Out))
		case kernels.Slice, kernels.Reshape:
			l.reshape(i, n) // so that products read the view
		}
	}
	products := l.groups(l.gates(segments))
	l.takeNorms(products)
	for _, p := range products {
		l.addProduct(p)
	}
}

// product makes the segment of x·wᵀ.
func (l *Lowering) product(node int, x Value, w *kernels.Weight, out Value) *Segment {
	rows, cols := l.Size(x)
	return l.segment(node, w, out, &Segment{x: x, rows: rows, cols: cols, ld: l.Places[x].Ld})
}

// segment fills in what does not depend on where its input lies.
func (l *Lowering) segment(node int, w *kernels.Weight, out Value, s *Segment) *Segment {
	l.done[node] = true
	s.node, s.value, s.To, s.Matrices = node, out, out, 1
	s.Key = l.key(w, s.Key.Windows)
	if Kind(w, l.Options.Of(w), s.Key.Windows) == kernels.I8 {
		s.limit = l.Options.Range(w)
	}
	return s
}

func (l *Lowering) key(w *kernels.Weight, windows bool) Key {
	return Key{Weight: w, Form: l.rules.Form(w, l.Options.Of(w), windows), Windows: windows}
}

func (s *Segment) setBias(bias *kernels.Weight) {
	if bias != nil {
		s.Bias = bias.Float32()
	}
}

// absorb takes in the only reader of the result as long as it can.
func (l *Lowering) absorb(s *Segment) *Segment {
	for {
		u := l.onlyReader(s.value)
		if u < 0 || l.done[u] || s.State != nil || !l.take(s, u) {
			return s
		}
		l.done[u] = true
		s.value = l.Nodes[u].Out
		if s.State == nil {
			s.To = s.value
		}
	}
}

func (l *Lowering) take(s *Segment, u int) bool {
	switch op := l.Nodes[u].Op.(type) {
	case kernels.Activate:
		return s.takeAct(op.Act)
	case kernels.Binary:
		return op.Kind == kernels.Add && l.takeSum(s, op)
	case kernels.Store:
		if l.touched[op.State] > 1 {
			return false
		}
		s.To, s.Row, s.State = op.State, op.At, &Use{State: op.State, Node: u}
		l.Places[l.Nodes[u].Out] = l.Places[op.State]
		return true
	}
	return false
}

func (s *Segment) takeAct(act kernels.Activation) bool {
	if s.Act != kernels.Identity || s.Residual != 0 || s.Matrices > 1 {
		return false
	}
	s.Act = act
	return true
}

// takeSum takes in a bias or a residual.
func (l *Lowering) takeSum(s *Segment, op kernels.Binary) bool {
	other := op.Y
	if op.X != s.value {
		other = op.X
		if op.Act != kernels.Identity {
			return false // of the other operand
		}
	}
	plain := s.Act == kernels.Identity && s.Residual == 0 && s.Matrices == 1
	if op.Act != kernels.Identity && !plain {
		return false
	}
	rows, cols := l.Size(s.value)
	otherRows, otherCols := l.Size(other)
	if c := l.Consts[other]; c != nil && len(c) == cols && otherCols == cols && s.Bias == nil && plain &&
		op.Act == kernels.Identity && (op.Y == other || rows == otherRows) {
		s.Bias = c
		return true
	}
	if s.Residual != 0 || rows != otherRows || cols != otherCols {
		return false
	}
	if op.Act != kernels.Identity {
		s.Act = op.Act
	}
	s.Residual = other
	return true
}

// conv1D is a product of overlapping rows: a window is kernel frames, one after
// the other, stride frames from the next.
func (l *Lowering) conv1D(node int, op kernels.Conv1D, out Value) *Segment {
	rows, channels := l.Size(op.X)
	x := l.whole(node, op.X)
	if left := op.Left + op.Padding; left+op.Padding > 0 {
		padded := l.Temp(rows.Plus(left+op.Padding), channels)
		l.add(node, PadRows{From: x, To: padded, Left: left}, []Value{x}, []Value{padded})
		x = padded
	}
	return l.convolution(node, op.W, op.Bias, op.Act, out, x, max(1, op.Stride)*channels)
}

// conv2D gathers the windows first.
func (l *Lowering) conv2D(node int, op kernels.Conv2D, out Value) *Segment {
	rows, _ := l.Size(out)
	if l.Info(op.X).Type == kernels.F32 {
		op.X = l.whole(node, op.X)
	}
	x := l.Temp(rows, op.W.Cols())
	w := Windows{Conv2D: op, To: x, Wide: l.Info(out).Shape[1].Max()}
	reads := []Value{op.X}
	if w.Resize = l.takeResize(op); w.Resize != nil {
		reads = kernels.Operands(*w.Resize)
	}
	l.add(node, w, reads, []Value{x})
	return l.convolution(node, op.W, op.Bias, op.Act, out, x, op.W.Cols())
}

func (l *Lowering) convolution(node int, w, bias *kernels.Weight, act kernels.Activation, out, x Value, ld int) *Segment {
	rows, _ := l.Size(out)
	s := l.segment(node, w, out, &Segment{x: x, rows: rows, cols: w.Cols(), ld: ld, Key: Key{Windows: true}})
	s.Act = act
	s.setBias(bias)
	return l.absorb(s)
}

// takeResize lets the windows of a convolution resize the picture themselves where
// nothing else reads it and each number is needed once.
func (l *Lowering) takeResize(op kernels.Conv2D) *kernels.Resize {
	info := l.Info(op.X)
	if !l.rules.Resize || info.Kind != kernels.Computed || info.Node < 0 || l.onlyReader(op.X) < 0 || max(1, op.Stride) < max(op.W.Shape[2], op.W.Shape[3]) {
		return nil
	}
	from, ok := l.Nodes[info.Node].Op.(kernels.Resize)
	if !ok {
		return nil
	}
	l.done[info.Node] = true
	return &from
}
