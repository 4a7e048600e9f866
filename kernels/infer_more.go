package kernels

import (
	"errors"
	"fmt"
)

func (o Attention) infer(g *Graph) (Shape, error) {
	if err := g.float(o.Q); err != nil {
		return nil, err
	}
	q, k, v := g.Shape(o.Q), g.Shape(o.K), g.Shape(o.V)
	if o.Heads < 1 || o.KVHeads < 1 || o.Heads%o.KVHeads != 0 || q.Cols()%o.Heads != 0 {
		return nil, fmt.Errorf("operand Q %v in %d heads, %d key heads", q, o.Heads, o.KVHeads)
	}
	head := q.Cols() / o.Heads
	if k.Cols() != head*o.KVHeads || !k.Equal(v) {
		return nil, fmt.Errorf("operands Q %v, K %v, V %v with %d and %d heads of %d", q, k, v, o.Heads, o.KVHeads, head)
	}
	if err := o.checkKeys(g); err != nil {
		return nil, err
	}
	if o.Mask != 0 {
		m := g.Info(o.Mask)
		if m.Type != U8 || m.Kind != IsInput || !m.Shape.Equal(Shape{q.Rows(), k.Rows()}) {
			return nil, fmt.Errorf("mask %v %v, want a u8 input [%v×%v]", m.Type, m.Shape, q.Rows(), k.Rows())
		}
	}
	return q, nil
}

// checkKeys settles where keys come from and how many there are.
func (o Attention) checkKeys(g *Graph) error {
	q, k, batch := g.Shape(o.Q).Rows(), g.Shape(o.K).Rows(), max(1, o.Batch)
	cached := g.isState(o.K)
	switch {
	case cached != g.isState(o.V) || g.Info(o.K).Type != g.Info(o.V).Type:
		return errors.New("operands K and V must both be states of one type, or neither")
	case !cached && (o.Past.ID != 0 || o.Length.ID != 0):
		return errors.New("scalars Past and Length are for keys in a state")
	case cached && batch > 1:
		return errors.New("field Batch is for keys that are not in a state")
	case batch > 1 && (!q.Static() || !k.Static() || q.Max()%batch != 0 || k.Max()%batch != 0):
		return fmt.Errorf("%v queries and %v keys in %d sequences", q, k, batch)
	case o.Mask != 0 && batch > 1:
		return errors.New("a mask and a batch")
	case !cached && o.Causal && q != k:
		return fmt.Errorf("causal with %v queries and %v keys", q, k)
	case cached && o.Length.Max > int32(k.Max()):
		return fmt.Errorf("length to %d of %v keys", o.Length.Max, k)
	}
	return nil
}

// isState says whether v is a state or what a Store made of one.
func (g *Graph) isState(v Value) bool {
	info := g.Info(v)
	if info.Kind != Computed {
		return info.Kind == IsState
	}
	_, ok := g.Nodes[info.Node].Op.(Store)
	return ok
}

func (o Softmax) infer(g *Graph) (Shape, error) { return g.Shape(o.X), g.float(o.X) }

func (o Activate) infer(g *Graph) (Shape, error) { return g.Shape(o.X), g.float(o.X) }

func (o LogProb) infer(g *Graph) (Shape, error) {
	n := g.Shape(o.Rows)[0]
	err := errors.Join(g.float(o.X), g.index("rows", o.Rows, n), g.index("cols", o.Cols, n))
	return Shape{n, N(1)}, err
}

func (o Binary) infer(g *Graph) (Shape, error) {
	x, y := g.Shape(o.X), g.Shape(o.Y)
	sameRows := x.Rows() == y.Rows() || y.Rows() == N(1)
	sameCols := x.Cols() == y.Cols() || y.Cols() == 1
	if !sameRows || !sameCols {
		return nil, fmt.Errorf("%v and %v", x, y)
	}
	return x, g.float(o.X, o.Y)
}

func (o Conv1D) infer(g *Graph) (Shape, error) {
	x := g.Shape(o.X)
	if err := g.float(o.X); err != nil {
		return nil, err
	}
	if o.W == nil || len(x) != 2 || len(o.W.Shape) != 3 || o.W.Shape[1] != x.Cols() {
		return nil, fmt.Errorf("operand X %v, want [frames, Cin] and a weight [Cout, Cin, kernel]", x)
	}
	if o.Padding < 0 || o.Left < 0 || o.Stride < 0 {
		return nil, fmt.Errorf("stride %d, padding %d, left %d", o.Stride, o.Padding, o.Left)
	}
	frames := x[0].window(o.W.Shape[2], max(1, o.Stride), o.Left+2*o.Padding)
	return Shape{frames, N(o.W.Shape[0])}, errors.Join(o.W.Check(), vector("bias", o.Bias, o.W.Shape[0]))
}

func (o Conv2D) infer(g *Graph) (Shape, error) {
	info := g.Info(o.X)
	x := info.Shape
	if o.W == nil || len(x) != 3 || !x[0].Static() || len(o.W.Shape) != 4 || o.W.Shape[1] != x.Cols() {
		return nil, fmt.Errorf("operand X %v, want a static [H, W, Cin] and a weight [Cout, Cin, KH, KW]", x)
	}
	if info.Type != F32 && info.Type != U8 || info.Kind == IsState {
		return nil, fmt.Errorf("operand X is %v, want f32 or u8", info.Type)
	}
	for _, p := range [][]float32{o.PixelScale, o.PixelShift} {
		if p != nil && (len(p) != x.Cols() || info.Type != U8) {
			return nil, fmt.Errorf("%d pixel factors for %v %v", len(p), info.Type, x)
		}
	}
	if o.Padding < 0 || o.Stride < 0 {
		return nil, fmt.Errorf("stride %d, padding %d", o.Stride, o.Padding)
	}
	h := x[0].window(o.W.Shape[2], max(1, o.Stride), 2*o.Padding)
	w := x[1].window(o.W.Shape[3], max(1, o.Stride), 2*o.Padding)
	return Shape{h, w, N(o.W.Shape[0])}, errors.Join(o.W.Check(), vector("bias", o.Bias, o.W.Shape[0]))
}

func (o MaxPool2D) infer(g *Graph) (Shape, error) {
	x := g.Shape(o.X)
	if len(x) != 3 || !x[0].Static() || o.Kernel < 1 || o.Stride < 0 || o.Padding < 0 || o.Padding >= o.Kernel {
		return nil, fmt.Errorf("operand X %v, kernel %d, stride %d, padding %d", x, o.Kernel, o.Stride, o.Padding)
	}
	s := max(1, o.Stride)
	return Shape{x[0].window(o.Kernel, s, 2*o.Padding), x[1].window(o.Kernel, s, 2*o.Padding), x[2]}, g.float(o.X)
}

func (o Pad) infer(g *Graph) (Shape, error) {
	x := g.Shape(o.X)
	if len(x) != 2 || !x[0].Static() || o.Left < 0 || o.Right < 0 || max(o.Left, o.Right) >= x[0].Max() {
		return nil, fmt.Errorf("operand X %v by %d and %d mirrored frames", x, o.Left, o.Right)
	}
	return Shape{x[0].Plus(o.Left + o.Right), x[1]}, g.float(o.X)
}

func (o MeanRows) infer(g *Graph) (Shape, error) {
	return Shape{N(1), N(g.Shape(o.X).Cols())}, g.float(o.X)
}

func (o Concat) infer(g *Graph) (Shape, error) {
	if len(o.Xs) == 0 || o.Axis < 0 || o.Axis > 1 {
		return nil, fmt.Errorf("%d values along axis %d", len(o.Xs), o.Axis)
	}
	rows, cols := g.Shape(o.Xs[0]).Rows(), g.Shape(o.Xs[0]).Cols()
	for _, v := range o.Xs[1:] {
		s := g.Shape(v)
		switch {
		case o.Axis == 1 && s.Rows() == rows:
			cols += s.Cols()
		case o.Axis == 0 && s.Cols() == cols && s.Rows().Static():
			rows = rows.Plus(s.Rows().Max())
		case o.Axis == 0 && s.Cols() == cols && rows.Static():
			rows = s.Rows().Plus(rows.Max())
		default:
			return nil, fmt.Errorf("%v after [%v×%d] along axis %d (one varying length at most)", s, rows, cols, o.Axis)
		}
	}
	return Shape{rows, N(cols)}, g.float(o.Xs...)
}

func (o Slice) infer(g *Graph) (Shape, error) {
	x := g.Shape(o.X)
	limit := x.Cols()
	if o.Axis == 0 && o.Len == 0 && o.Start >= 0 && o.Start <= x.Rows().At(&Scalars{}) {
		return Shape{x.Rows().Plus(-o.Start), N(x.Cols())}, g.float(o.X)
	}
	if o.Axis == 0 {
		limit = x.Rows().At(&Scalars{}) // rows that are there whatever the scalars
	}
	if o.Axis < 0 || o.Axis > 1 || o.Start < 0 || o.Len < 1 || o.Start+o.Len > limit {
		return nil, fmt.Errorf("[%d:%d] of %v along axis %d", o.Start, o.Start+o.Len, x, o.Axis)
	}
	if o.Axis == 0 {
		return Shape{N(o.Len), N(x.Cols())}, g.float(o.X)
	}
	return withCols(x, o.Len), g.float(o.X)
}

func (o Reshape) infer(g *Graph) (Shape, error) {
	x := g.Shape(o.X)
	if err := o.Shape.check(); err != nil {
		return nil, err
	}
	if o.Shape.MaxLen() != x.MaxLen() || x.Rows().Static() != o.Shape.Rows().Static() {
		return nil, fmt.Errorf("%v as %v", x, o.Shape)
	}
	if !x.Rows().Static() {
		a, errA := x.Rows().Times(x.Cols())
		b, errB := o.Shape.Rows().Times(o.Shape.Cols())
		if errA != nil || errB != nil || a != b {
			return nil, fmt.Errorf("%v as %v for every length", x, o.Shape)
		}
	}
	return o.Shape, g.float(o.X)
}
