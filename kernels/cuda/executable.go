package cuda

import (
	"unsafe"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

// executable is the launches of a program and where its values lie.
type executable struct {
	backend  *Backend
	graph    *kernels.Graph
	lowering *lowering
	lengths  [kernels.MaxScalars + 1]bool // scalars on which shapes depend
	offsets  map[value]int                // of each root in the arena
	arena    int                          // bytes
	consts   map[value]Ptr
	used     []plan.ID
	owned    []Ptr // constants
	closed   bool
}

// bytes puts constants on the device, for as long as the executable lives.
func (e *executable) bytes(b []byte) (Ptr, error) {
	p, err := e.backend.driver.Alloc(len(b))
	if err != nil {
		return 0, err
	}
	e.owned = append(e.owned, p)
	return p, e.backend.driver.Upload(p, b)
}

// floats does so with numbers; none give the null pointer.
func (e *executable) floats(x []float32) (Ptr, error) {
	if len(x) == 0 {
		return 0, nil
	}
	return e.bytes(unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x)))
}

func (e *executable) Close() error {
	if e.closed {
		return nil
	}
	e.closed = true
	for _, p := range e.owned {
		e.backend.driver.Free(p)
	}
	e.backend.release(e.used)
	return nil
}
