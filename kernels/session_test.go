package kernels_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
)

func backends() []kernels.Backend {
	return []kernels.Backend{ref.New(), cpu.New(cpu.Options{Threads: 1})}
}

func newSession(t *testing.T, g *kernels.Graph, b kernels.Backend, o kernels.Options) *kernels.Session {
	t.Helper()
	p, err := kernels.Compile(g, b, o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// What only Run can know is refused before anything is computed, and the
// session goes on.
func TestRunRefuses(t *testing.T) {
	for _, b := range backends() {
		g := kernels.NewGraph("g")
		rows, at := g.Scalar("rows", 3), g.Scalar("at", 10)
		x := g.Input("x", kernels.F32, rows.Dim(), kernels.N(2))
		ids := g.Input("ids", kernels.I32, rows.Dim())
		state := g.State("state", kernels.F32, kernels.N(4), kernels.N(2))
		g.Add(kernels.Store{X: x, State: state, At: at})
		y := g.Add(kernels.Embed{Table: numbers(5, 2), IDs: ids})
		g.Output("y", y)
		s := newSession(t, g, b, kernels.Options{})
		for name, c := range map[string]struct {
			rows, at int
			id       int32
			want     string
		}{
			"too many rows":   {4, 0, 0, "scalar rows is 4, want 0 to 3"},
			"negative":        {-5, 0, 0, "scalar rows is -1"},
			"beyond the end":  {2, 3, 0, "rows 3 to 5 of a state of 4 rows"},
			"id too large":    {1, 0, 5, "ids[0] is 5, want 0 to 4"},
			"id below nought": {1, 0, -1, "ids[0] is -1"},
		} {
			s.Set(rows, c.rows)
			s.Set(at, c.at)
			for i := range s.F32(x) {
				s.F32(x)[i] = 9
			}
			for i := range s.I32(ids) {
				s.I32(ids)[i] = c.id
			}
			if err := s.Run(context.Background()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: error %v, want one that says %q", b.Name(), name, err, c.want)
			}
			for i, v := range s.F32(state) {
				if v != 0 {
					t.Errorf("%s, %s: state[%d] is %g after a refusal", b.Name(), name, i, v)
				}
			}
		}
		s.Set(rows, 1)
		s.Set(at, 3)
		s.I32(ids)[0] = 4
		if err := s.Run(context.Background()); err != nil {
			t.Errorf("%s: a sound run after refusals: %v", b.Name(), err)
		}
		if got := s.F32(state); got[6] != 9 || got[7] != 9 || got[5] != 0 {
			t.Errorf("%s: state %v, want the row 9, 9 at its end", b.Name(), got)
		}
	}
}

// A calibration sees what products multiply: the largest, what lies below it,
// and rows.
func TestCalibration(t *testing.T) {
	for _, b := range backends() {
		g := kernels.NewGraph("g")
		x := g.Input("x", kernels.F32, kernels.N(2), kernels.N(64))
		a := numbers(64, 64)
		a.Name = "a"
		for i := range 64 { // the identity, twice
			copy(a.Data[4*(64*i+i):], kernels.NewWeight("", []float32{2}, 1).Data)
		}
		w := numbers(3, 64)
		h := g.Add(kernels.Norm{X: g.Add(kernels.MatMul{X: x, W: a}), Kind: kernels.L2})
		g.Output("y", g.Add(kernels.MatMul{X: h, W: w}))
		c := &kernels.Calibration{}
		s := newSession(t, g, b, kernels.Options{Calibrate: c})
		for i := range s.F32(x) {
			s.F32(x)[i] = 1
		}
		s.F32(x)[7] = -100
		if err := s.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if names := c.Names(); len(names) != 2 || names[0] != "a" || names[1] != "w" {
			t.Fatalf("%s: products %v", b.Name(), names)
		}
		if got := c.Range("a", 1); got != 100 {
			t.Errorf("%s: largest input of a is %g, want 100", b.Name(), got)
		}
		if got := c.Range("a", 0.99); got < 1 || got > 1.1 {
			t.Errorf("%s: 99 %% of the inputs of a lie below %g, want 1 and an eighth of an octave", b.Name(), got)
		}
		// Row 0 of h is (2, …, −200, …) of unit length.
		if got, want := c.Range("w", 1), float32(200/math.Sqrt(200*200+63*4)); math.Abs(float64(got-want)) > 1e-6 {
			t.Errorf("%s: largest input of w is %g, want %g", b.Name(), got, want)
		}
		if rows := c.Rows("w"); len(rows) != 2 || len(rows[0]) != 64 {
			t.Errorf("%s: %d rows of w", b.Name(), len(rows))
		}
		s.F32(x)[3] = float32(math.NaN())
		if err := s.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "input of a") {
			t.Errorf("%s: error %v, want one about the input of a", b.Name(), err)
		}
	}
}

// A range beside the weight and one of the options round alike, and the options
// win.
func TestRanges(t *testing.T) {
	for _, b := range backends() {
		run := func(w *kernels.Weight, ranges map[string]float32) float32 {
			g := kernels.NewGraph("g")
			x := g.Input("x", kernels.F32, kernels.N(1), kernels.N(4))
			y := g.Add(kernels.MatMul{X: x, W: w})
			g.Output("y", y)
			s := newSession(t, g, b, kernels.Options{Ranges: ranges})
			copy(s.F32(x), []float32{1, 0, 0, 0})
			if err := s.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			return s.F32(y)[0]
		}
		w := &kernels.Weight{Name: "w", Type: kernels.I8, Shape: []int{1, 4}, Data: []byte{127, 0, 0, 0}, Scales: []float32{1. / 127}}
		if got := run(w, nil); math.Abs(float64(got-1)) > 1e-6 {
			t.Errorf("%s: by the row's own range 1 becomes %g", b.Name(), got)
		}
		w.Range = 0.5
		if got := run(w, nil); math.Abs(float64(got-0.5)) > 1e-6 {
			t.Errorf("%s: with a range of 0.5, 1 becomes %g", b.Name(), got)
		}
		if got := run(w, map[string]float32{"w": 0.25}); math.Abs(float64(got-0.25)) > 1e-6 {
			t.Errorf("%s: with a range of 0.25 in the options, 1 becomes %g", b.Name(), got)
		}
	}
}
