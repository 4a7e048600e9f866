package gpu

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels/cuda"
)

// failure explains a CUDA error of an operation; 0 gives nil. What another backend
// can make up for wraps cuda.ErrMemory or cuda.ErrLost.
func failure(card Card, what string, code int) error {
	switch code {
	case 0:
		return nil
	case outOfMemory:
		return fmt.Errorf("%s: %s: %w (its %d MB are shared by all processes; close others or use a smaller model)",
			card.Name, what, cuda.ErrMemory, card.Memory>>20)
	case deviceInUse:
		return fmt.Errorf("%s: %s: another process has the card for itself: %w (run: nvidia-smi -c DEFAULT)", card.Name, what, cuda.ErrLost)
	case unsupportedPTX, noBinary, invalidImage:
		return fmt.Errorf("%s: %s: the driver cannot compile the kernels: %w (CUDA error %d; is it older than CUDA %s?)",
			card.Name, what, cuda.ErrLost, code, version(oldestVersion))
	case illegalAddress, launchFailed, hardwareError, illegalOperation, misaligned, unknown, notInitialised:
		return fmt.Errorf("%s: %s: %w (CUDA error %d; the system's log says more)", card.Name, what, cuda.ErrLost, code)
	}
	return fmt.Errorf("%s: %s: CUDA error %d", card.Name, what, code)
}
