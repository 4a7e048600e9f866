//go:build cuda

package cuda_test

import (
	"errors"
	"os"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/cuda"
	"github.com/kuai-robot/kuai/kernels/cuda/gpu"
	"github.com/kuai-robot/kuai/kernels/kerneltest"
)

// device is the backend of the machine's GPU. make gpu-check sets KUAI_GPU=must,
// so that a missing one fails. KUAI_GPU_STEP=1 makes errors name the operator.
func device(t *testing.T) *cuda.Backend {
	t.Helper()
	d, err := gpu.Open(gpu.Options{Step: os.Getenv("KUAI_GPU_STEP") != ""})
	if errors.Is(err, gpu.ErrNone) && os.Getenv("KUAI_GPU") != "must" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return cuda.NewBackend("cuda", d)
}

func TestDevice(t *testing.T) { kerneltest.Run(t, device(t)) }

// TestDeviceShares: all backends of a process have one card, and weights once.
func TestDeviceShares(t *testing.T) {
	first, second := device(t), device(t)
	w := kernels.NewWeight("w", make([]float32, 64*64), 64, 64)
	for i, b := range []*cuda.Backend{first, second} {
		g := kernels.NewGraph("product")
		g.Output("y", g.Add(kernels.MatMul{X: g.Input("x", kernels.F32, kernels.N(1), kernels.N(64)), W: w}))
		p, err := kernels.Compile(g, b, kernels.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if held := first.Held(); held != 64*64*4 || second.Held() != held {
			t.Errorf("after program %d %d bytes of weights are on the card, want %d", i+1, held, 64*64*4)
		}
	}
}

// TestDeviceModels runs whole models on the GPU beside the processor.
func TestDeviceModels(t *testing.T) {
	backend := device(t)
	for _, c := range []struct {
		precision kernels.Precision
		tolerance float64
	}{{kernels.Float32, 1e-4}, {kernels.Stored, 0.02}, {kernels.BFloat16, 0.04}, {kernels.Int8, 0.06}} {
		for name, use := range models {
			t.Run(name+"/"+c.precision.String(), func(t *testing.T) {
				both := &beside{first: cpu.New(cpu.Options{}), second: backend, tolerance: c.tolerance}
				use(t, both, kernels.Options{Precision: c.precision})
				if both.runs.Load() == 0 {
					t.Error("nothing was compared")
				}
			})
		}
	}
}
