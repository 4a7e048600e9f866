package gpu

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels/cuda"
)

// unusable is an error that another backend makes up for as if the device were lost, and
// whose text says what it is.
type unusable struct{ text string }

func (u unusable) Error() string { return u.text }
func (u unusable) Unwrap() error { return cuda.ErrLost }

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
		return unusable{fmt.Sprintf("%s: %s: another process has the card for itself (run: nvidia-smi -c DEFAULT)", card.Name, what)}
	case unsupportedPTX, noBinary, invalidImage:
		return unusable{fmt.Sprintf("%s: %s: the driver cannot compile the kernels (CUDA error %d; is it older than CUDA %s?)",
			card.Name, what, code, version(oldestVersion))}
	case illegalAddress, launchFailed, hardwareError, illegalOperation, misaligned, unknown, notInitialised:
		return fmt.Errorf("%s: %s: %w (CUDA error %d; the system's log says more)", card.Name, what, cuda.ErrLost, code)
	}
	return fmt.Errorf("%s: %s: CUDA error %d", card.Name, what, code)
}
