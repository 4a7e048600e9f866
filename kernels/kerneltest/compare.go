package kerneltest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// runner is one backend's session of a case.
type runner struct {
	*Builder
	program *kernels.Program
	session *kernels.Session
}

func start(t testing.TB, c Case, backend kernels.Backend) *runner {
	t.Helper()
	r := &runner{Builder: newBuilder(c.Name)}
	c.Build(r.Builder)
	var err error
	if r.program, err = kernels.Compile(r.Graph, backend, c.Options); err != nil {
		t.Fatal(err)
	}
	if r.session, err = r.program.NewSession(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.session.Close(); err != nil {
			t.Error(err)
		}
		if err := r.program.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// run sets the lengths, fills the inputs from the seed and runs.
func (r *runner) run(t testing.TB, lengths Lengths, seed uint64) {
	t.Helper()
	for name, n := range lengths {
		r.session.Set(r.dims[name], n)
	}
	random := rand.New(rand.NewPCG(seed, 3))
	for v := kernels.Value(1); int(v) < r.Values(); v++ {
		if r.Info(v).Kind == kernels.IsInput {
			r.fill(v, random)
		}
	}
	if err := r.session.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func (r *runner) fill(v kernels.Value, random *rand.Rand) {
	if fill := r.fills[v]; fill != nil {
		fill(r.session, random)
		return
	}
	for i := range r.session.F32(v) {
		r.session.F32(v)[i] = float32(random.NormFloat64())
	}
	for i := range r.session.I32(v) {
		r.session.I32(v)[i] = int32(random.IntN(r.limits[v]))
	}
	for i := range r.session.U8(v) {
		r.session.U8(v)[i] = uint8(random.IntN(r.limits[v]))
	}
}

// results are the outputs and states, widened.
func (r *runner) results() map[string][]float32 {
	out := map[string][]float32{}
	for v := kernels.Value(1); int(v) < r.Values(); v++ {
		info := r.Info(v)
		if info.Kind == kernels.IsInput || info.Name == "" {
			continue
		}
		x := append([]float32{}, r.session.F32(v)...)
		for _, token := range r.session.I32(v) {
			x = append(x, float32(token))
		}
		for _, b := range r.session.U8(v) {
			x = append(x, float32(b))
		}
		for _, h := range r.session.Half(v) {
			if info.Type == kernels.F16 {
				x = append(x, kernels.HalfToFloat(h))
			} else {
				x = append(x, math.Float32frombits(uint32(h)<<16))
			}
		}
		out[info.Name] = x
	}
	return out
}

// Check runs one case and compares.
func Check(t *testing.T, c Case, backend kernels.Backend) {
	t.Helper()
	truth, plain, mine := start(t, c, ref.Exact()), start(t, c, ref.New()), start(t, c, backend)
	runs := c.Runs
	if runs == nil {
		runs = []Lengths{nil}
	}
	unit := step(c, truth.Graph)
	for i, lengths := range runs {
		for _, r := range []*runner{truth, plain, mine} {
			r.run(t, lengths, uint64(i))
		}
		want, base, got := truth.results(), plain.results(), mine.results()
		for name := range want {
			if err := compare(want[name], base[name], got[name], unit); err != nil {
				t.Errorf("run %d %v: %s: %v", i, lengths, name, err)
			}
		}
	}
}

// step is the relative size of one rounding at the lowest precision in a case.
func step(c Case, g *kernels.Graph) float64 {
	unit := 0x1p-22
	for v := range g.Values() {
		switch info := g.Info(kernels.Value(v)); {
		case info.Kind == kernels.IsState && info.Type == kernels.F16:
			unit = max(unit, 0x1p-11)
		case info.Kind == kernels.IsState && info.Type == kernels.BF16:
			unit = max(unit, 0x1p-8)
		}
	}
	for _, n := range g.Nodes {
		for _, w := range multiplied(n.Op) {
			switch p := c.Options.Of(w); {
			case p == kernels.Int8, p == kernels.Stored:
				unit = max(unit, 0x1p-9)
			case p == kernels.BFloat16:
				unit = max(unit, 0x1p-10)
			}
		}
	}
	return unit
}

// multiplied lists the weights of products.
func multiplied(op kernels.Op) []*kernels.Weight {
	switch op := op.(type) {
	case kernels.MatMul:
		return []*kernels.Weight{op.W}
	case kernels.Conv1D:
		return []*kernels.Weight{op.W}
	case kernels.Conv2D:
		return []*kernels.Weight{op.W}
	case kernels.LSTM:
		return []*kernels.Weight{op.WX, op.WH}
	}
	return nil
}

// compare holds got to twice the error of base, with a floor of one step of
// the typical (for the mean) or largest (for the worst) magnitude.
func compare(want, base, got []float32, unit float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d elements, want %d", len(got), len(want))
	}
	plain, mine := measure(want, base), measure(want, got)
	if allowed := 2*plain.rms + unit*plain.typical; !(mine.rms <= allowed) {
		return fmt.Errorf("error %.3g in the root mean square, plain %.3g, allowed %.3g, typical value %.3g", mine.rms, plain.rms, allowed, plain.typical)
	}
	if allowed := 2*plain.worst + 2*unit*plain.largest; !(mine.worst <= allowed) {
		return fmt.Errorf("[%d] is %g, want %g: error %.3g, plain %.3g, allowed %.3g", mine.at, got[mine.at], want[mine.at], mine.worst, plain.worst, allowed)
	}
	return nil
}

type errorSize struct {
	rms, worst       float64 // of the differences
	typical, largest float64 // of the true values
	at               int     // of the worst
}

func measure(want, got []float32) errorSize {
	var e errorSize
	for i, w := range want {
		d := math.Abs(float64(got[i]) - float64(w))
		if w == got[i] {
			d = 0 // infinities
		}
		e.rms += d * d
		e.typical += float64(w) * float64(w)
		e.largest = max(e.largest, math.Abs(float64(w)))
		if d > e.worst || math.IsNaN(d) {
			e.worst, e.at = d, i
		}
	}
	n := float64(max(1, len(want)))
	e.rms, e.typical = math.Sqrt(e.rms/n), math.Sqrt(e.typical/n)
	return e
}

// address tells whether two sessions share memory.
func address(x []float32) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(x))) }
