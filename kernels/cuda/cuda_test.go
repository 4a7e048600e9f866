package cuda_test

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels/cuda"
	"github.com/kuai-robot/kuai/kernels/cuda/emulate"
	"github.com/kuai-robot/kuai/kernels/kerneltest"
)

// emulated is the backend on an emulator of its own.
func emulated(t testing.TB, o emulate.Options) *cuda.Backend {
	t.Helper()
	e, err := emulate.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := e.Held(); n != 0 {
			t.Errorf("%d allocations are held after closing", n)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return cuda.NewBackend("cuda-emulated", e)
}

func TestEmulated(t *testing.T) { kerneltest.Run(t, emulated(t, emulate.Options{})) }

// TestDrawnGraphs fuses what nobody thought of, with all values in one block of memory.
func TestDrawnGraphs(t *testing.T) { kerneltest.RunDrawn(t, emulated(t, emulate.Options{Arena: true})) }

// TestLayouts compares the parameters of the host with those of the kernels.
func TestLayouts(t *testing.T) {
	e, err := emulate.New(emulate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	known, err := cuda.Kernels()
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]bool{}
	for name, want := range cuda.Layouts {
		params, threads, err := e.Describe(name)
		if err != nil || params != int(want) || params > 4096 {
			t.Errorf("%s has %d bytes of parameters, %v; the host's have %d", name, params, err, want)
		}
		if known[name].Threads != threads {
			t.Errorf("%s has blocks of %d threads, its PTX of %d", name, threads, known[name].Threads)
		}
		sizes[known[name].File] = true
	}
	for name, k := range known {
		if !sizes[k.File] {
			t.Errorf("no kernel of %s is compared (there is %s)", k.File, name)
		}
	}
}

// TestArena runs what fuses most with all values in one block of memory, as on a GPU.
func TestArena(t *testing.T) {
	backend := emulated(t, emulate.Options{Arena: true, SMs: 16})
	for _, c := range kerneltest.Cases() {
		if strings.HasPrefix(c.Name, "graph/") || strings.HasPrefix(c.Name, "Conv") || c.Name == "Slice" {
			t.Run(c.Name, func(t *testing.T) { kerneltest.Check(t, c, backend) })
		}
	}
}
