package kerneltest

import (
	"context"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// drawnWeight is a small matrix or vector, different for each name.
func drawnWeight(name string, shape ...int) *kernels.Weight {
	w := kernels.NewWeight(name, nil, shape...)
	numbers := make([]float32, w.Len())
	for i := range numbers {
		numbers[i] = float32(math.Sin(float64(i*7+len(name)*13+int(name[len(name)-1])))) / 4
	}
	return kernels.NewWeight(name, numbers, shape...)
}

// Draw makes a graph of any operators on values of some rows.
func Draw(t *rapid.T) *kernels.Graph {
	g := kernels.NewGraph("drawn")
	n := g.Scalar("n", 9)
	widths := []int{4, 8, 12}
	values := []kernels.Value{}
	for i, w := range widths {
		values = append(values, g.Input(fmt.Sprintf("x%d", i), kernels.F32, n.Dim(), kernels.N(w)))
	}
	for i := range rapid.IntRange(1, 14).Draw(t, "nodes") {
		x := values[rapid.IntRange(0, len(values)-1).Draw(t, "x")]
		cols := g.Shape(x).Cols()
		like := []kernels.Value{}
		for _, v := range values {
			if g.Shape(v).Cols() == cols {
				like = append(like, v)
			}
		}
		other := like[rapid.IntRange(0, len(like)-1).Draw(t, "other")]
		act := kernels.Activation(rapid.IntRange(0, int(kernels.Tanh)).Draw(t, "act"))
		name, outputs := fmt.Sprintf("w%d", i), widths[rapid.IntRange(0, 2).Draw(t, "outputs")]
		var op kernels.Op
		switch rapid.IntRange(0, 9).Draw(t, "op") {
		case 0, 1, 2:
			op = kernels.MatMul{X: x, W: drawnWeight(name, outputs, cols), Act: act}
		case 3:
			op = kernels.MatMul{X: x, W: drawnWeight(name, cols, cols), Bias: drawnWeight("b"+name, cols), Residual: other}
		case 4:
			op = kernels.Norm{X: x, Kind: kernels.NormKind(rapid.IntRange(0, 1).Draw(t, "kind")), Gain: drawnWeight(name, cols), Epsilon: 0.1}
		case 5:
			op = kernels.Binary{Kind: kernels.BinaryKind(rapid.IntRange(0, 1).Draw(t, "kind")), X: x, Y: other, Act: act}
		case 6:
			op = kernels.Activate{X: x, Act: act}
		case 7:
			op = kernels.Attention{Q: x, K: other, V: other, Heads: 2, KVHeads: 2}
		case 8:
			op = kernels.Slice{X: x, Axis: 1, Start: cols - 4, Len: 4}
		default:
			op = kernels.Concat{Xs: []kernels.Value{x, other}, Axis: 1}
		}
		values = append(values, g.Add(op))
	}
	g.Output("last", values[len(values)-1])
	if v := values[rapid.IntRange(3, len(values)-1).Draw(t, "output")]; v != values[len(values)-1] {
		g.Output("another", v)
	}
	return g
}

// RunDrawn holds a backend to what ref gives for graphs that are drawn: whatever is
// fused and wherever it lies.
func RunDrawn(t *testing.T, backend kernels.Backend) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		g, rows := Draw(t), rapid.IntRange(0, 9).Draw(t, "rows")
		want, got := outputs(t, g, ref.Exact(), rows), outputs(t, g, backend, rows)
		for i := range want {
			if off := math.Abs(float64(want[i] - got[i])); !(off <= 1e-4*(1+math.Abs(float64(want[i])))) {
				t.Fatalf("number %d is %g, ref says %g; steps of a %d-node graph", i, got[i], want[i], len(g.Nodes))
			}
		}
	})
}

// outputs runs a graph on some rows and gives all outputs, one after the other.
func outputs(t *rapid.T, g *kernels.Graph, b kernels.Backend, rows int) []float32 {
	p, err := kernels.Compile(g, b, kernels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	s, err := p.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Set(g.Scalars[0].Scalar, rows)
	for v := kernels.Value(1); int(v) < g.Values(); v++ {
		if g.Info(v).Kind != kernels.IsInput {
			continue
		}
		x := s.F32(v)
		for i := range x {
			x[i] = float32(math.Cos(float64(i*3 + int(v))))
		}
	}
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	var out []float32
	for _, v := range g.Outputs {
		out = append(out, s.F32(v)...)
	}
	return out
}
