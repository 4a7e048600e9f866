//go:build !cuda

package gpu

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels/cuda"
)

// Built says whether this binary can use a GPU.
const Built = false

// Look says what the machine has.
func Look() (Facts, error) {
	return Facts{}, fmt.Errorf("cuda: %w: this kuai was built without CUDA (make build-cuda)", ErrNone)
}

// Open starts the first card that can be used.
func Open(Options) (cuda.Driver, error) {
	_, err := Look()
	return nil, err
}
