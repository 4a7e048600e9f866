package ref_test

import (
	"context"
	"math"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// graph adds constants, so that a formula needs no inputs.
type graph struct{ *kernels.Graph }

func (g graph) rows(cols int, numbers ...float32) kernels.Value {
	return g.Add(kernels.Const{W: weight(numbers, len(numbers)/cols, cols)})
}

func weight(numbers []float32, shape ...int) *kernels.Weight {
	return kernels.NewWeight("w", numbers, shape...)
}

// formulas are operators with results worked out by hand, or with the
// functions of another language's library.
var formulas = []struct {
	name  string
	build func(g graph) kernels.Value
	want  []float32
}{
	{"MatMul", func(g graph) kernels.Value {
		return g.Add(kernels.MatMul{
			X: g.rows(2, 1, 2, -1, 0), W: weight([]float32{3, 4, 5, 6, -1, -1}, 3, 2), Bias: weight([]float32{1, -1, 2}, 3),
			Act: kernels.ReLU, Residual: g.rows(3, 10, 20, 30, 40, 50, 60),
		})
	}, []float32{22, 36, 30, 40, 50, 63}},
	{"Norm/layer", func(g graph) kernels.Value {
		return g.Add(kernels.Norm{X: g.rows(4, 1, 2, 3, 4), Kind: kernels.Layer, Gain: weight([]float32{1, 1, 2, 1}, 4), Bias: weight([]float32{0, 0, 0, 5}, 4)})
	}, []float32{-1.3416408, -0.4472136, 0.8944272, 6.3416408}},
	{"Norm/rms", func(g graph) kernels.Value {
		return g.Add(kernels.Norm{X: g.rows(2, 3, 4), Kind: kernels.RMS, Gain: weight([]float32{0, 1}, 2), GainOffset: 1})
	}, []float32{0.84852814, 2.2627417}},
	{"Norm/l2 groups", func(g graph) kernels.Value {
		return g.Add(kernels.Norm{X: g.rows(4, 3, 4, 0, 5), Kind: kernels.L2, Groups: 2})
	}, []float32{0.6, 0.8, 0, 1}},
	{"Softmax", func(g graph) kernels.Value { return g.Add(kernels.Softmax{X: g.rows(2, 0, 1.0986123, 5, 5)}) }, []float32{.25, .75, .5, .5}},
	{"Softmax/log", func(g graph) kernels.Value { return g.Add(kernels.Softmax{X: g.rows(2, 0, 1.0986123), Log: true}) }, []float32{-1.3862944, -0.2876821}},
	{"GELU", activation(kernels.GELU), []float32{0.8413447, -0.04550026}},
	{"GELUTanh", activation(kernels.GELUTanh), []float32{0.841192, -0.045402306}},
	{"QuickGELU", activation(kernels.QuickGELU), []float32{0.84579577, -0.06434138}},
	{"SiLU", activation(kernels.SiLU), []float32{0.7310586, -0.23840584}},
	{"ReLU", activation(kernels.ReLU), []float32{1, 0}},
	{"Sigmoid", activation(kernels.Sigmoid), []float32{0.7310586, 0.11920292}},
	{"Tanh", activation(kernels.Tanh), []float32{0.7615942, -0.9640276}},
	{"Attention", attention(kernels.Attention{}), []float32{1.6604769, 0.6790462, 2.8883856, -1.7767712}},
	{"Attention/causal", attention(kernels.Attention{Causal: true}), []float32{1, 2, 2.8883856, -1.7767712}},
	{"Attention/window", attention(kernels.Attention{Causal: true, Window: 1}), []float32{1, 2, 3, -2}},
	{"Attention/softcap", attention(kernels.Attention{Causal: true, SoftCap: 5}), []float32{1, 2, 2.7766666, -1.5533333}},
	{"Conv1D", func(g graph) kernels.Value {
		return g.Add(kernels.Conv1D{X: g.rows(1, 1, 2, 3), W: weight([]float32{1, 0, -1}, 1, 1, 3), Padding: 1})
	}, []float32{-2, -2, 2}},
	{"Conv1D/stride", func(g graph) kernels.Value {
		return g.Add(kernels.Conv1D{X: g.rows(2, 1, 10, 2, 20, 3, 30), W: weight([]float32{1, 2, 3, 4}, 1, 2, 2), Stride: 2, Left: 1})
	}, []float32{42, 188}},
	{"Conv2D", func(g graph) kernels.Value {
		x := g.Add(kernels.Reshape{X: g.rows(1, 1, 2, 3, 4), Shape: kernels.Shape{kernels.N(2), kernels.N(2), kernels.N(1)}})
		return g.Add(kernels.Conv2D{X: x, W: weight([]float32{1, 10, 100, 1000}, 1, 1, 2, 2), Stride: 2, Padding: 1})
	}, []float32{1000, 200, 30, 4}},
	{"MaxPool2D", func(g graph) kernels.Value {
		x := g.Add(kernels.Reshape{X: g.rows(1, -1, -2, -3, -4, -5, -6), Shape: kernels.Shape{kernels.N(2), kernels.N(3), kernels.N(1)}})
		return g.Add(kernels.MaxPool2D{X: x, Kernel: 2, Stride: 1})
	}, []float32{-1, -2}},
	{"LSTM", func(g graph) kernels.Value {
		ones := weight([]float32{1, 1, 1, 1}, 4, 1)
		h, c := g.State("h", kernels.F32, kernels.N(1), kernels.N(1)), g.State("c", kernels.F32, kernels.N(1), kernels.N(1))
		return g.Add(kernels.LSTM{X: g.rows(1, 1, 1), WX: ones, WH: ones, H: h, C: c})
	}, []float32{0.36960635, 0.6505352}},
	{"Pad", func(g graph) kernels.Value {
		return g.Add(kernels.Pad{X: g.rows(1, 1, 2, 3), Left: 2, Right: 1})
	}, []float32{3, 2, 1, 2, 3, 2}},
	{"Binary/column", func(g graph) kernels.Value {
		return g.Add(kernels.Binary{Kind: kernels.Mul, X: g.rows(2, -1, 2, 3, 4), Y: g.rows(1, 10, 100), Act: kernels.ReLU})
	}, []float32{0, 20, 300, 400}},
	{"Binary/hypot", func(g graph) kernels.Value {
		return g.Add(kernels.Binary{Kind: kernels.Hypot, X: g.rows(2, 3, 5), Y: g.rows(2, 4, 12)})
	}, []float32{5, 13}},
	{"MeanRows", func(g graph) kernels.Value { return g.Add(kernels.MeanRows{X: g.rows(2, 1, 2, 3, 4)}) }, []float32{2, 3}},
	{"Concat/channels", func(g graph) kernels.Value {
		return g.Add(kernels.Concat{Xs: []kernels.Value{g.rows(1, 1, 2), g.rows(2, 3, 4, 5, 6)}, Axis: 1})
	}, []float32{1, 3, 4, 2, 5, 6}},
	{"Slice", func(g graph) kernels.Value {
		return g.Add(kernels.Slice{X: g.rows(3, 1, 2, 3, 4, 5, 6), Axis: 1, Start: 1, Len: 2})
	}, []float32{2, 3, 5, 6}},
}

func activation(act kernels.Activation) func(g graph) kernels.Value {
	return func(g graph) kernels.Value { return g.Add(kernels.Activate{X: g.rows(2, 1, -2), Act: act}) }
}

func attention(op kernels.Attention) func(g graph) kernels.Value {
	return func(g graph) kernels.Value {
		op.Q, op.K, op.V, op.Heads, op.KVHeads = g.rows(2, 1, 0, 0, 2), g.rows(2, 1, 1, 0, 3), g.rows(2, 1, 2, 3, -2), 1, 1
		return g.Add(op)
	}
}

func TestFormulas(t *testing.T) {
	for _, f := range formulas {
		t.Run(f.name, func(t *testing.T) {
			g := graph{kernels.NewGraph(f.name)}
			y := f.build(g)
			g.Output("y", y)
			check(t, g.Graph, y, nil, f.want)
		})
	}
}

// check runs a graph with its i32 inputs filled and compares.
func check(t *testing.T, g *kernels.Graph, y kernels.Value, inputs map[kernels.Value][]int32, want []float32) {
	t.Helper()
	program, err := kernels.Compile(g, ref.New(), kernels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	session, err := program.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	for v, numbers := range inputs {
		copy(session.I32(v), numbers)
	}
	if err := session.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := session.F32(y)
	if len(got) != len(want) {
		t.Fatalf("%d numbers %v, want %v", len(got), got, want)
	}
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 2e-6*max(1, math.Abs(float64(want[i]))) {
			t.Errorf("[%d] is %v, want %v", i, got[i], want[i])
		}
	}
}

// TestIndexed works out the operators that read i32 inputs.
func TestIndexed(t *testing.T) {
	g := graph{kernels.NewGraph("indexed")}
	one, two := g.Input("one", kernels.I32, kernels.N(1)), g.Input("two", kernels.I32, kernels.N(1))
	inputs := map[kernels.Value][]int32{one: {1}, two: {2}}
	x := g.rows(4, 9, 9, 9, 9, 1, 0, 0, 1)
	row := g.Add(kernels.Gather{X: x, Rows: one})
	y := g.Add(kernels.Concat{Axis: 1, Xs: []kernels.Value{
		g.Add(kernels.RoPE{X: row, Positions: one, Heads: 1, Base: 1e4}),                    // pairs (0,2) by 1 and (1,3) by 0.01
		g.Add(kernels.RoPE{X: row, Positions: two, Heads: 1, Base: 1e4, Interleaved: true}), // pairs (0,1) by 2 and (2,3) by 0.02
		g.Add(kernels.RoPE{X: row, Positions: two, Heads: 2, Base: 1e4, Scale: 0.5}),        // each head's one pair by 1
		g.Add(kernels.LogProb{X: g.rows(3, 0, 0, 0, 0, 1.0986123, 0), Rows: one, Cols: two}),
		g.Add(kernels.Embed{Table: weight([]float32{1, 2, 3, 4, 5, 6}, 3, 2), IDs: two, Scale: 2}),
	}})
	g.Output("y", y)
	check(t, g.Graph, y, inputs, []float32{
		0.5403023, -0.0099998333, 0.841471, 0.99995,
		-0.41614684, 0.9092974, -0.019998667, 0.9998,
		0.5403023, 0.841471, -0.841471, 0.5403023,
		-1.609438,
		10, 12,
	})
}
