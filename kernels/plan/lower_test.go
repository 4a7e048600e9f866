package plan

import (
	"fmt"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
)

func weight(name string, shape ...int) *kernels.Weight {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return kernels.NewWeight(name, make([]float32, n), shape...)
}

// steps lowers a graph and tells the steps in their order. A form is the type that a
// weight is kept in, and types with the same rounding of rows are of one group.
func steps(t *testing.T, g *kernels.Graph, r Rules) []string {
	t.Helper()
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	r.Form = func(w *kernels.Weight, p kernels.Precision, windows bool) Form { return Form(Kind(w, p, windows)) }
	if r.Group == nil {
		r.Group = func(f Form) Form { return f }
	}
	l, err := Lower(g, kernels.Options{}, r)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Schedule(); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range l.Steps {
		out = append(out, tell(s.Work))
	}
	return out
}

func tell(work any) string {
	p, ok := work.(*Product)
	if turn, ok := work.(*Turn); ok {
		return fmt.Sprintf("turn of %d", len(turn.Turns))
	}
	if !ok {
		return fmt.Sprintf("%T", work)
	}
	name := fmt.Sprintf("product of %d", len(p.Segments))
	if p.Norm != nil {
		name += ", normed"
	}
	for _, s := range p.Segments {
		if s.Matrices == 2 {
			name += ", gated"
		}
		if s.Residual != 0 {
			name += ", residual"
		}
		if s.Bias != nil {
			name += ", bias"
		}
		if s.State != nil {
			name += ", stored"
		}
		if s.Act != kernels.Identity {
			name += fmt.Sprintf(", act %d", s.Act)
		}
	}
	return name
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
	for turns, turned := range map[int][]string{1: {"turn of 1", "turn of 1"}, 2: {"turn of 2"}} {
		want := append(append([]string{"product of 3, normed, bias, stored", "plan.Table"}, turned...), "plan.Attend",
			"product of 1, residual", "product of 1, normed, gated, act 4", "product of 1, residual")
		if got := steps(t, g, Rules{Turns: turns}); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("steps\n%q\nwant\n%q", got, want)
		}
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
	if got, want := fmt.Sprint(steps(t, g, Rules{Turns: 1})), "[plan.Plain product of 1 plan.Plain]"; got != want {
		t.Errorf("steps %s, want %s", got, want)
	}
}

// What a backend's kernels cannot do at once is not joined.
func TestRules(t *testing.T) {
	g := kernels.NewGraph("rules")
	x := g.Input("x", kernels.F32, kernels.N(3), kernels.N(8))
	h := g.Add(kernels.Norm{X: x})
	for i := range 4 {
		w := weight(fmt.Sprint("w", i), 8, 8)
		if i == 3 {
			w.Type, w.Data = kernels.F16, w.Data[:len(w.Data)/2]
		}
		g.Output(fmt.Sprint("y", i), g.Add(kernels.MatMul{X: h, W: w}))
	}
	for _, c := range []struct {
		rules Rules
		want  string
	}{
		{Rules{}, "[plan.Plain product of 3 product of 1]"},
		{Rules{Norms: true}, "[product of 3, normed product of 1, normed]"},
		{Rules{Norms: true, Segments: 2}, "[product of 2, normed product of 1, normed product of 1, normed]"},
		{Rules{Group: func(Form) Form { return 0 }}, "[product of 4, normed]"},
	} {
		if got := fmt.Sprint(steps(t, g, c.rules)); got != c.want {
			t.Errorf("%+v: steps %s, want %s", c.rules, got, c.want)
		}
	}
}

// A picture is resized where its windows are cut if they do not overlap.
func TestResize(t *testing.T) {
	for stride, want := range map[int]string{4: "[plan.Windows product of 1]", 2: "[plan.Plain plan.Windows product of 1]"} {
		g := kernels.NewGraph("picture")
		width := g.Scalar("width", 64)
		x := g.Input("x", kernels.U8, g.Scalar("pixels", 4096).Dim(), kernels.N(3))
		across, down := g.Input("across", kernels.I32, kernels.N(8), kernels.N(6)), g.Input("down", kernels.I32, kernels.N(8), kernels.N(6))
		small := g.Add(kernels.Resize{X: x, Across: across, Down: down, Width: width})
		g.Output("y", g.Add(kernels.Conv2D{X: small, W: weight("w", 8, 3, 4, 4), Stride: stride}))
		if got := fmt.Sprint(steps(t, g, Rules{Resize: true})); got != want {
			t.Errorf("stride %d: steps %s, want %s", stride, got, want)
		}
		if got := fmt.Sprint(steps(t, g, Rules{})); got != "[plan.Plain plan.Windows product of 1]" {
			t.Errorf("stride %d, where a backend does not resize: steps %s", stride, got)
		}
	}
}
