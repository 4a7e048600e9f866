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
