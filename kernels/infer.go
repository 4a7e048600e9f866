package kernels

import (
	"errors"
	"fmt"
)

func present(vs ...Value) []Value {
	out := vs[:0]
	for _, v := range vs {
		if v != 0 {
			out = append(out, v)
		}
	}
	return out
}

func (o MatMul) operands() []Value    { return present(o.X, o.Residual) }
func (o Embed) operands() []Value     { return []Value{o.IDs} }
func (o Gather) operands() []Value    { return []Value{o.X, o.Rows} }
func (o Const) operands() []Value     { return nil }
func (o Norm) operands() []Value      { return []Value{o.X} }
func (o RoPE) operands() []Value      { return []Value{o.X, o.Positions} }
func (o Store) operands() []Value     { return []Value{o.X, o.State} }
func (o Attention) operands() []Value { return append([]Value{o.Q, o.K, o.V}, present(o.Mask)...) }
func (o Softmax) operands() []Value   { return []Value{o.X} }
func (o LogProb) operands() []Value   { return []Value{o.X, o.Rows, o.Cols} }
func (o Activate) operands() []Value  { return []Value{o.X} }
func (o Sample) operands() []Value    { return []Value{o.X, o.Recent, o.How} }
func (o Resize) operands() []Value    { return []Value{o.X, o.Across, o.Down} }
func (o LogPower) operands() []Value  { return []Value{o.X} }
func (o Binary) operands() []Value    { return []Value{o.X, o.Y} }
func (o Conv1D) operands() []Value    { return []Value{o.X} }
func (o Conv2D) operands() []Value    { return []Value{o.X} }
func (o Pad) operands() []Value       { return []Value{o.X} }
func (o LSTM) operands() []Value      { return []Value{o.X, o.H, o.C} }
func (o MeanRows) operands() []Value  { return []Value{o.X} }
func (o MaxPool2D) operands() []Value { return []Value{o.X} }
func (o Concat) operands() []Value    { return o.Xs }
func (o Slice) operands() []Value     { return []Value{o.X} }
func (o Reshape) operands() []Value   { return []Value{o.X} }

func weightName(op string, w *Weight) string {
	if w == nil {
		return op
	}
	return op + " " + w.Name
}

func (o MatMul) named() string  { return weightName("MatMul", o.W) }
func (o Embed) named() string   { return weightName("Embed", o.Table) }
func (Gather) named() string    { return "Gather" }
func (o Const) named() string   { return weightName("Const", o.W) }
func (o Norm) named() string    { return weightName("Norm", o.Gain) }
func (RoPE) named() string      { return "RoPE" }
func (Store) named() string     { return "Store" }
func (Attention) named() string { return "Attention" }
func (Softmax) named() string   { return "Softmax" }
func (LogProb) named() string   { return "LogProb" }
func (Activate) named() string  { return "Activate" }
func (Sample) named() string    { return "Sample" }
func (Resize) named() string    { return "Resize" }
func (LogPower) named() string  { return "LogPower" }
func (Binary) named() string    { return "Binary" }
func (o Conv1D) named() string  { return weightName("Conv1D", o.W) }
func (o Conv2D) named() string  { return weightName("Conv2D", o.W) }
func (Pad) named() string       { return "Pad" }
func (o LSTM) named() string    { return weightName("LSTM", o.WX) }
func (MeanRows) named() string  { return "MeanRows" }
func (MaxPool2D) named() string { return "MaxPool2D" }
func (Concat) named() string    { return "Concat" }
func (Slice) named() string     { return "Slice" }
func (Reshape) named() string   { return "Reshape" }

// matrix checks a weight of n columns.
func matrix(w *Weight, cols int) error {
	if w == nil {
		return errors.New("no weight")
	}
	if err := w.Check(); err != nil {
		return err
	}
	if w.Cols() != cols {
		return fmt.Errorf("weight %v has %d inputs a row, the value has %d", w.Shape, w.Cols(), cols)
	}
	return nil
}

// vector checks an optional weight of n numbers.
func vector(what string, w *Weight, n int) error {
	if w == nil {
		return nil
	}
	if err := w.Check(); err != nil {
		return err
	}
	if w.Len() != n {
		return fmt.Errorf("%s %s %v has %d numbers, want %d", what, w.Name, w.Shape, w.Len(), n)
	}
	return nil
}

// float checks that operands hold f32 activations.
func (g *Graph) float(vs ...Value) error {
	for _, v := range vs {
		if info := g.Info(v); info.Type != F32 || info.Kind == IsState {
			return fmt.Errorf("operand %s %v %v is not an f32 activation", info.Name, info.Type, info.Shape)
		}
	}
	return nil
}

// index checks an i32 input vector.
func (g *Graph) index(what string, v Value, n Dim) error {
	info := g.Info(v)
	if info.Kind != IsInput || info.Type != I32 || len(info.Shape) != 1 {
		return fmt.Errorf("%s must be an i32 input [n], not %v %v", what, info.Type, info.Shape)
	}
	if info.Shape[0] != n {
		return fmt.Errorf("%s %v for %v rows", what, info.Shape, n)
	}
	return nil
}

// withCols is the shape s with another number of channels.
func withCols(s Shape, cols int) Shape {
	out := append(Shape{}, s...)
	if len(out) == 1 {
		out = Shape{N(1), s[0]}
	}
	out[len(out)-1] = N(cols)
	return out
}

func (o MatMul) infer(g *Graph) (Shape, error) {
	if err := g.float(o.operands()...); err != nil {
		return nil, err
	}
	x := g.Shape(o.X)
	if err := matrix(o.W, x.Cols()); err != nil {
		return nil, err
	}
	if err := vector("bias", o.Bias, o.W.Rows()); err != nil {
		return nil, err
	}
	out := withCols(x, o.W.Rows())
	if o.Residual != 0 && !g.Shape(o.Residual).Equal(out) {
		return nil, fmt.Errorf("residual %v, result %v", g.Shape(o.Residual), out)
	}
	return out, nil
}

func (o Embed) infer(g *Graph) (Shape, error) {
	if o.Table == nil {
		return nil, errors.New("no table")
	}
	if err := o.Table.Check(); err != nil {
		return nil, err
	}
	ids := g.Shape(o.IDs)
	if err := g.index("ids", o.IDs, ids[0]); err != nil {
		return nil, err
	}
	return Shape{ids[0], N(o.Table.Cols())}, nil
}

func (o Gather) infer(g *Graph) (Shape, error) {
	if err := g.float(o.X); err != nil {
		return nil, err
	}
	rows := g.Shape(o.Rows)
	if err := g.index("rows", o.Rows, rows[0]); err != nil {
		return nil, err
	}
	return Shape{rows[0], N(g.Shape(o.X).Cols())}, nil
}

func (o Const) infer(*Graph) (Shape, error) {
	if o.W == nil {
		return nil, errors.New("no weight")
	}
	if err := o.W.Check(); err != nil {
		return nil, err
	}
	return Shape{N(o.W.Rows()), N(o.W.Cols())}, nil
}

func (o Norm) infer(g *Graph) (Shape, error) {
	if err := g.float(o.X); err != nil {
		return nil, err
	}
	x, groups := g.Shape(o.X), max(1, o.Groups)
	if x.Cols()%groups != 0 {
		return nil, fmt.Errorf("%v in %d groups", x, groups)
	}
	return x, errors.Join(vector("gain", o.Gain, x.Cols()/groups), vector("bias", o.Bias, x.Cols()/groups))
}

func (o RoPE) infer(g *Graph) (Shape, error) {
	if err := g.float(o.X); err != nil {
		return nil, err
	}
	x := g.Shape(o.X)
	if o.Heads < 1 || x.Cols()%o.Heads != 0 {
		return nil, fmt.Errorf("%v in %d heads", x, o.Heads)
	}
	head := x.Cols() / o.Heads
	if o.Dims < 0 || o.Dims > head || o.Dims%2 != 0 || head%2 != 0 || o.Base <= 0 {
		return nil, fmt.Errorf("%v, head %d, turns %d, base %g", x, head, o.Dims, o.Base)
	}
	turns := o.Dims
	if turns == 0 {
		turns = head
	}
	return x, errors.Join(vector("factors", o.Factors, turns/2), g.index("positions", o.Positions, x.Rows()))
}

func (o Store) infer(g *Graph) (Shape, error) {
	state, x := g.Info(o.State), g.Shape(o.X)
	if state.Kind != IsState {
		return nil, errors.New("the target is not a state")
	}
	if err := g.float(o.X); err != nil {
		return nil, err
	}
	if len(state.Shape) != 2 || state.Shape.Cols() != x.Cols() || x.Rows().Max() > state.Shape[0].Max() {
		return nil, fmt.Errorf("%v into state %s %v", x, state.Name, state.Shape)
	}
	return state.Shape, nil
}

func (o LSTM) infer(g *Graph) (Shape, error) {
	if err := g.float(o.X); err != nil {
		return nil, err
	}
	x := g.Shape(o.X)
	if err := matrix(o.WX, x.Cols()); err != nil {
		return nil, err
	}
	hidden := o.WX.Rows() / 4
	if err := matrix(o.WH, hidden); err != nil {
		return nil, err
	}
	if o.WX.Rows() != 4*hidden || o.WH.Rows() != 4*hidden {
		return nil, fmt.Errorf("weights %v and %v are not four gates of one size", o.WX.Shape, o.WH.Shape)
	}
	for _, s := range []Value{o.H, o.C} {
		if info := g.Info(s); info.Kind != IsState || info.Type != F32 || info.Shape.MaxLen() != hidden {
			return nil, fmt.Errorf("state %s %v %v, want an f32 state of %d", info.Name, info.Type, info.Shape, hidden)
		}
	}
	return withCols(x, hidden), errors.Join(vector("bias", o.BiasX, 4*hidden), vector("bias", o.BiasH, 4*hidden))
}
