package cpu

import (
	"context"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// weight is a small matrix or vector, different for each name.
func weight(name string, shape ...int) *kernels.Weight {
	w := kernels.NewWeight(name, nil, shape...)
	numbers := make([]float32, w.Len())
	for i := range numbers {
		numbers[i] = float32(math.Sin(float64(i*7+len(name)*13+int(name[len(name)-1])))) / 4
	}
	return kernels.NewWeight(name, numbers, shape...)
}

// lowered gives the steps of a graph in their order.
func lowered(t interface{ Fatal(...any) }, g *kernels.Graph, o kernels.Options) (*lowering, []*op) {
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	l := newLowering(g, o)
	if err := l.lower(); err != nil {
		t.Fatal(err)
	}
	ops, err := l.schedule()
	if err != nil {
		t.Fatal(err)
	}
	return l, ops
}

func kindsOf(ops []*op) []string {
	var out []string
	for _, o := range ops {
		name := fmt.Sprintf("%T", o.what)
		if p, ok := o.what.(*product); ok {
			name = fmt.Sprintf("product of %d", len(p.segments))
			if p.norm != nil {
				name += ", normed"
			}
			for _, s := range p.segments {
				if s.matrices == 2 {
					name += ", gated"
				}
				if s.residual != 0 {
					name += ", residual"
				}
				if s.bias != nil {
					name += ", bias"
				}
				if s.state != nil {
					name += ", stored"
				}
				if s.act != kernels.Identity {
					name += fmt.Sprintf(", act %d", s.act)
				}
			}
		}
		out = append(out, name)
	}
	return out
}

// A block of a decoder becomes four products, two turns and an attention: all
// else is taken in.
func TestFusion(t *testing.T) {
	const width = 16
	g := kernels.NewGraph("block")
	n, past := g.Scalar("n", 4), g.Scalar("past", 8)
	x := g.Input("x", kernels.F32, n.Dim(), kernels.N(width))
	positions := g.Input("positions", kernels.I32, n.Dim())
	keys := g.State("keys", kernels.F32, kernels.N(8), kernels.N(width))
	values := g.State("values", kernels.F32, kernels.N(8), kernels.N(width))
	product := func(name string, x kernels.Value) kernels.Value {
		return g.Add(kernels.MatMul{X: x, W: weight(name, width, width)})
	}
	turn := func(x kernels.Value) kernels.Value {
		return g.Add(kernels.RoPE{X: x, Positions: positions, Heads: 2, Base: 1e4})
	}
	h := g.Add(kernels.Norm{X: x, Kind: kernels.RMS, Gain: weight("gain", width)})
	q, k, v := turn(product("q", h)), turn(product("k", h)), product("v", h)
	v = g.Add(kernels.Binary{X: v, Y: g.Add(kernels.Const{W: weight("vb", width)})})
	a := g.Add(kernels.Attention{Q: q, K: g.Add(kernels.Store{X: k, State: keys, At: past}),
		V: g.Add(kernels.Store{X: v, State: values, At: past}), Heads: 2, KVHeads: 2, Causal: true, Past: past})
	x = g.Add(kernels.Binary{X: x, Y: product("o", a)})
	h = g.Add(kernels.Norm{X: x, Kind: kernels.RMS, Gain: weight("gain2", width)})
	h = g.Add(kernels.Binary{Kind: kernels.Mul, X: product("gate", h), Y: product("up", h), Act: kernels.SiLU})
	g.Output("y", g.Add(kernels.Binary{X: product("down", h), Y: x}))
	_, ops := lowered(t, g, kernels.Options{})
	want := []string{
		"product of 3, normed, bias, stored", "cpu.turnTable", "cpu.turn", "cpu.turn", "cpu.attend",
		"product of 1, residual", "product of 1, normed, gated, act 4", "product of 1, residual",
	}
	if got := kindsOf(ops); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("steps\n%q\nwant\n%q", got, want)
	}
}

// What somebody else reads is not taken in.
func TestFusionKeepsWhatIsRead(t *testing.T) {
	g := kernels.NewGraph("shared")
	x := g.Input("x", kernels.F32, kernels.N(3), kernels.N(8))
	h := g.Add(kernels.Norm{X: x})
	y := g.Add(kernels.MatMul{X: h, W: weight("a", 8, 8)})
	z := g.Add(kernels.Activate{X: y, Act: kernels.ReLU})
	g.Output("h", h)
	g.Output("y", y)
	g.Output("z", z)
	_, ops := lowered(t, g, kernels.Options{})
	if got, want := fmt.Sprint(kindsOf(ops)), "[cpu.unary product of 1 cpu.unary]"; got != want {
		t.Errorf("steps %s, want %s", got, want)
	}
}

// drawGraph makes a graph of any operators on values of some rows.
func drawGraph(t *rapid.T) *kernels.Graph {
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
			op = kernels.MatMul{X: x, W: weight(name, outputs, cols), Act: act}
		case 3:
			op = kernels.MatMul{X: x, W: weight(name, cols, cols), Bias: weight("b"+name, cols), Residual: other}
		case 4:
			op = kernels.Norm{X: x, Kind: kernels.NormKind(rapid.IntRange(0, 1).Draw(t, "kind")), Gain: weight(name, cols), Epsilon: 0.1}
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

// Buffers that live at the same time never overlap, whatever the graph, and all
// lie within the arena.
func TestArena(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, ops := lowered(t, drawGraph(t), kernels.Options{Precision: kernels.Precision(rapid.IntRange(0, 3).Draw(t, "precision"))})
		block := l.arena(ops)
		for i, a := range block.Spans {
			to := a.At + l.bytes[a.Root]
			if a.At%align != 0 || to > block.Size {
				t.Fatalf("value %d lies at %d to %d of %d", a.Root, a.At, to, block.Size)
			}
			for _, b := range block.Spans[:i] {
				end := b.At + l.bytes[b.Root]
				if a.First <= b.Last && b.First <= a.Last && a.At < end && b.At < to {
					t.Fatalf("values %d (steps %d to %d, bytes %d to %d) and %d (%d to %d, %d to %d) overlap",
						a.Root, a.First, a.Last, a.At, to, b.Root, b.First, b.Last, b.At, end)
				}
			}
		}
	})
}

// Any graph gives what ref gives, whatever was fused and wherever it lies.
func TestDrawnGraphs(t *testing.T) {
	backend := New(Options{Threads: 2})
	rapid.Check(t, func(t *rapid.T) {
		g, rows := drawGraph(t), rapid.IntRange(0, 9).Draw(t, "rows")
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
