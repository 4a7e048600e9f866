package cuda

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

// Backend compiles for a GPU. Backends of one driver that is a Shelf share what they
// packed of the same weight.
type Backend struct {
	driver Driver
	name   string
	*Packed
}

// Shelf is a driver that several backends have: it keeps their weights.
type Shelf interface{ Packed() *Packed }

// NewBackend compiles for the device of a driver; name is that of the backend.
func NewBackend(name string, driver Driver) *Backend {
	if shelf, ok := driver.(Shelf); ok {
		return &Backend{driver: driver, name: name, Packed: shelf.Packed()}
	}
	return &Backend{driver: driver, name: name, Packed: &Packed{}}
}

// Name tells backends apart: "cuda", or "cuda-emulated".
func (b *Backend) Name() string { return b.name }

// Device is the GPU that programs are compiled for.
func (b *Backend) Device() Device { return b.driver.Device() }

// Close gives the device back; programs must have been closed.
func (b *Backend) Close() error { return b.driver.Close() }

// Build compiles the graph and puts its weights on the device.
func (b *Backend) Build(g *kernels.Graph, options kernels.Options) (kernels.Executable, error) {
	e := &executable{backend: b, graph: g}
	if err := e.build(options); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *executable) build(options kernels.Options) error {
	l, err := lower(e.graph, options, e.backend.driver.Device())
	if err != nil {
		return err
	}
	e.lowering, e.lengths = l, lengthScalars(l)
	block := l.Arena(align)
	e.offsets, e.arena = block.Offsets(), block.Size
	for v, numbers := range l.Consts {
		if e.consts == nil {
			e.consts = map[value]Ptr{}
		}
		if e.consts[v], err = e.floats(numbers); err != nil {
			return err
		}
	}
	for _, o := range l.ops {
		if err := o.work.load(e); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
	}
	return nil
}
