package cuda_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cuda"
	"github.com/kuai-robot/kuai/kernels/cuda/emulate"
)

// weighed is an emulator that knows where weights lie: all that is allocated while a
// program is built of products alone.
type weighed struct {
	*emulate.Emulator
	building bool
	planes   map[cuda.Ptr]int // bytes
}

func (w *weighed) Alloc(bytes int) (cuda.Ptr, error) {
	p, err := w.Emulator.Alloc(bytes)
	if w.building {
		w.planes[p] = bytes
	}
	return p, err
}

// TestWeightsAreReadOnce counts what products of a few rows read of their weights, in
// every type that they are stored in: each byte once, whatever the number of rows and
// whether a second matrix gates the first.
func TestWeightsAreReadOnce(t *testing.T) {
	e, err := emulate.New(emulate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	for _, c := range []struct {
		stored    kernels.DType
		precision kernels.Precision
		unused    int // bytes of a matrix that are there for alignment
	}{
		{kernels.F32, kernels.Float32, 0}, {kernels.F16, kernels.Stored, 0}, {kernels.BF16, kernels.Stored, 0}, {kernels.F32, kernels.BFloat16, 0},
		{kernels.F32, kernels.Int8, 0}, {kernels.Q4_0, kernels.Stored, 0}, {kernels.Q4_1, kernels.Stored, 0}, {kernels.Q8_0, kernels.Stored, 0},
		{kernels.Q4_K, kernels.Stored, 0}, {kernels.Q6_K, kernels.Stored, 2 * outputsRead * inputsRead / 256},
	} {
		for _, rows := range []int{1, 4} {
			for _, gated := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v/%v/%d rows/gated %v", c.stored, c.precision, rows, gated), func(t *testing.T) {
					w := &weighed{Emulator: e, planes: map[cuda.Ptr]int{}}
					readOnce(t, w, c.stored, c.precision, rows, gated, c.unused)
				})
			}
		}
	}
}

// The matrices are of several turns of a warp, and of rows that no warp has whole.
const outputsRead, inputsRead = 37, 1536

func readOnce(t *testing.T, w *weighed, stored kernels.DType, precision kernels.Precision, rows int, gated bool, unused int) {
	g := kernels.NewGraph("product")
	x := g.Input("x", kernels.F32, kernels.N(rows), kernels.N(inputsRead))
	y, matrices := g.Add(kernels.MatMul{X: x, W: zeros("w", stored)}), 1
	if gated {
		up := g.Add(kernels.MatMul{X: x, W: zeros("up", stored)})
		y, matrices = g.Add(kernels.Binary{Kind: kernels.Mul, X: y, Y: up, Act: kernels.SiLU}), 2
	}
	g.Output("y", y)
	w.building = true
	p, err := kernels.Compile(g, cuda.NewBackend("cuda-emulated", w), kernels.Options{Precision: precision})
	w.building = false
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	s, err := p.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for run := range 2 {
		if err := s.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		left := unused * matrices
		for at, bytes := range w.planes {
			r, err := w.Reads(at, bytes)
			if err != nil {
				t.Fatal(err)
			}
			left -= bytes - int(r.All)
			if r.Most != 1 || unused == 0 && r.Least != 1 {
				t.Errorf("run %d: of a plane of %d bytes one is read %d times, one %d times", run, bytes, r.Least, r.Most)
			}
		}
		if left != 0 || len(w.planes) == 0 {
			t.Errorf("run %d: %d planes; %d bytes more are read than those that mean something", run, len(w.planes), left)
		}
	}
}

// zeros is a weight whose numbers do not matter.
func zeros(name string, stored kernels.DType) *kernels.Weight {
	size, _ := stored.RowBytes(inputsRead)
	return &kernels.Weight{Name: name, Type: stored, Shape: []int{outputsRead, inputsRead}, Data: make([]byte, outputsRead*size)}
}
