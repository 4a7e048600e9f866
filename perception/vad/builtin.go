package vad

import (
	_ "embed" // for the weights
	"fmt"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// weights are those of the Python package silero-vad 6.2.3; weights/README.md
// says where they come from.
//
//go:embed weights/silero_vad_16k.safetensors
var weights []byte

// BuiltIn compiles the weights that the program carries for backend.
func BuiltIn(backend kernels.Backend) (*Model, error) {
	f, err := checkpoint.ParseSafetensors(weights)
	if err != nil {
		return nil, fmt.Errorf("built-in voice activity detector: %w", err)
	}
	return load(f, backend)
}
