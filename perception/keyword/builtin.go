package keyword

import (
	_ "embed" // for the weights
	"fmt"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

//go:embed weights/keyword.safetensors
var builtin []byte

// Builtin loads the weights that are part of the program.
func Builtin(backend kernels.Backend) (*Model, error) {
	f, err := checkpoint.ParseSafetensors(builtin)
	if err != nil {
		return nil, fmt.Errorf("built-in stop word detector: %w", err)
	}
	f.Path = "built-in stop word detector"
	return load(f, backend)
}
