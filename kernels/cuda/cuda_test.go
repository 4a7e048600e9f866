package cuda_test

import (
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
