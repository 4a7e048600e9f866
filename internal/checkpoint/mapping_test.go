package checkpoint_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
)

// aMatrix opens a file that writeMatrix wrote.
func aMatrix(t *testing.T, path string) (*checkpoint.File, *kernels.Weight) {
	t.Helper()
	f, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := f.Tensor("w")
	if err != nil {
		t.Fatal(err)
	}
	weight, err := w.Weight()
	if err != nil {
		t.Fatal(err)
	}
	return f, weight
}

func writeMatrix(t *testing.T, path string) {
	t.Helper()
	data := make([]byte, 4*64*64)
	data[3] = 0x40 // the first number is 2
	tensors := []checkpoint.Tensor{{Name: "w", DType: checkpoint.F32, Shape: []int{64, 64}, Data: data}}
	if err := checkpoint.WriteSafetensors(path, tensors, nil); err != nil {
		t.Fatal(err)
	}
}

// TestOpenedTwiceIsPackedOnce: programs of one backend share the weights of a file
// whoever opened it, and only of that file.
func TestOpenedTwiceIsPackedOnce(t *testing.T) {
	path, other := filepath.Join(t.TempDir(), "a.safetensors"), filepath.Join(t.TempDir(), "b.safetensors")
	writeMatrix(t, path)
	writeMatrix(t, other)
	backend := cpu.New(cpu.Options{Threads: 1}).(*cpu.Backend)
	var held []int64
	for _, p := range []string{path, path, other} {
		f, w := aMatrix(t, p)
		g := kernels.NewGraph("product")
		g.Output("y", g.Add(kernels.MatMul{X: g.Input("x", kernels.F32, kernels.N(1), kernels.N(64)), W: w}))
		program, err := kernels.Compile(g, backend, kernels.Options{})
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		defer program.Close()
		weights, _ := backend.Held()
		held = append(held, weights)
	}
	if held[0] == 0 || held[1] != held[0] || held[2] != 2*held[0] {
		t.Errorf("bytes of weights after the file, the file again and another file: %v", held)
	}
}

// TestHold: what is held can be read after the file was closed.
func TestHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	writeMatrix(t, path)
	f, w := aMatrix(t, path)
	first, second := w.Hold(), w.Hold()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	first()
	if x := w.Float32(); x[0] != 2 || x[1] != 0 {
		t.Errorf("the numbers are %g, %g", x[0], x[1])
	}
	second()
}
