package gpu

import (
	"errors"
	"fmt"
)

// ErrNone is wrapped by errors of Open that mean: this machine has no GPU that can
// be used.
var ErrNone = errors.New("no GPU")

// Facts are what the driver says of the machine.
type Facts struct {
	// Status is what initialising the driver gave: 0, -1 where there is none, or
	// the number of a CUDA error.
	Status  int
	Version int // of CUDA, 12040 for 12.4
	Cards   []Card
}

// Card is a GPU.
type Card struct {
	Name        string
	Capability  int // 87 for 8.7
	SMs, Shared int
	Memory      int64
	Unified     bool // shares the host's memory
	Prohibited  bool // compute mode: no process may use it
	Exclusive   bool // compute mode: one process only
	// Rates from which a roofline is made.
	ClockKHz, MemoryKHz, BusBits int
}

// The oldest driver and card that the PTX runs on.
const (
	oldestVersion    = 11080
	oldestCapability = 80
	leastMemory      = 512 << 20
)

// choose gives the index of the first card that can be used.
func (f Facts) choose() (int, error) {
	switch {
	case f.Status == -1:
		return 0, fmt.Errorf("cuda: %w: libcuda.so.1 was not found (is the NVIDIA driver installed?)", ErrNone)
	case f.Status == noDevice:
		return 0, fmt.Errorf("cuda: %w: the driver finds no device (is a card there? in a container: was it passed in?)", ErrNone)
	case f.Status != 0:
		return 0, fmt.Errorf("cuda: %w: the driver does not start: CUDA error %d (run: nvidia-smi)", ErrNone, f.Status)
	case f.Version < oldestVersion:
		return 0, fmt.Errorf("cuda: %w: the driver is for CUDA %s, the kernels need %s (install a newer driver; on a Jetson, JetPack 6)",
			ErrNone, version(f.Version), version(oldestVersion))
	case len(f.Cards) == 0:
		return 0, fmt.Errorf("cuda: %w: the driver finds no device", ErrNone)
	}
	var reasons []error
	for i, c := range f.Cards {
		err := c.usable()
		if err == nil {
			return i, nil
		}
		reasons = append(reasons, err)
	}
	return 0, fmt.Errorf("cuda: %w: %w", ErrNone, errors.Join(reasons...))
}

func (c Card) usable() error {
	switch {
	case c.Capability < oldestCapability:
		return fmt.Errorf("%s is of compute capability %d.%d, the kernels need 8.0 or newer", c.Name, c.Capability/10, c.Capability%10)
	case c.Prohibited:
		return fmt.Errorf("%s is closed to compute processes (run: nvidia-smi -c DEFAULT)", c.Name)
	case c.Memory < leastMemory:
		return fmt.Errorf("%s has %d MB of memory, at least %d are needed", c.Name, c.Memory>>20, leastMemory>>20)
	}
	return nil
}

func version(v int) string { return fmt.Sprintf("%d.%d", v/1000, v%1000/10) }

// Numbers of CUDA errors (cuda.h, CUresult).
const (
	outOfMemory      = 2
	notInitialised   = 3
	noDevice         = 100
	invalidImage     = 200
	deviceInUse      = 46 // and 708 on old drivers
	noBinary         = 209
	unsupportedPTX   = 222
	illegalAddress   = 700
	launchFailed     = 719
	hardwareError    = 710
	illegalOperation = 715
	misaligned       = 716
	unknown          = 999
)

// Usable says why no card can be used, nil if one can.
func (f Facts) Usable() error {
	_, err := f.choose()
	return err
}
