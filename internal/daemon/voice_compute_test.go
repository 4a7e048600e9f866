package daemon

import (
	"errors"
	"testing"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/kernels/cuda/gpu"
	"github.com/kuai-robot/kuai/perception/vad"
)

// TestEarsWithoutAGPU: speech asked of a GPU that is not there is the processor's, and
// the reason is told.
func TestEarsWithoutAGPU(t *testing.T) {
	if facts, err := gpu.Look(); err == nil && facts.Usable() == nil {
		t.Skip("this machine has a GPU")
	}
	for _, backend := range []string{config.BackendCPU, config.BackendCUDA} {
		var told []error
		ears, err := newEars("../../perception/encoder/testdata/whisper", &config.Voice{Backend: backend, Threads: 1}, func(err error) { told = append(told, err) })
		if err != nil {
			t.Fatal(err)
		}
		voice, err := ears.Voice()
		if err != nil {
			t.Fatal(err)
		}
		if p, err := voice.Hear(t.Context(), make([]float32, vad.Chunk)); err != nil || p > 0.5 {
			t.Errorf("%s: silence is speech with %g, %v", backend, p, err)
		}
		if asked := backend == config.BackendCUDA; asked != (len(told) == 1 && errors.Is(told[0], gpu.ErrNone)) {
			t.Errorf("%s: told %v", backend, told)
		}
		if err := ears.Close(); err != nil {
			t.Error(err)
		}
	}
}
