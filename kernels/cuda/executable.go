package cuda

import (
	"sync"
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

// state is memory that sessions share; the last one frees it. What the host asks
// for is a copy: it is read when it is asked for and written back before the next
// run of any session that has the state.
type state struct {
	mu     sync.Mutex
	driver Driver
	at     Ptr
	bytes  int
	users  int
	mirror []byte
	lent   bool // the host may have written to the mirror
}

func newState(d Driver, bytes int) (*state, error) {
	s := &state{driver: d, bytes: bytes, users: 1}
	var err error
	if s.at, err = d.Alloc(bytes); err != nil {
		return nil, err
	}
	if err = d.Upload(s.at, make([]byte, bytes)); err != nil {
		d.Free(s.at)
		return nil, err
	}
	return s, nil
}

// memory is the host's copy, up to date.
func (s *state) memory() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mirror == nil {
		s.mirror = make([]byte, s.bytes)
	}
	if !s.lent {
		if s.driver.Download(s.mirror, s.at) != nil {
			return nil
		}
		s.lent = true
	}
	return s.mirror
}

// move copies bytes from one place of the state to another.
func (s *state) move(to, from, bytes int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lent {
		copy(s.mirror[to:to+bytes], s.mirror[from:from+bytes])
		return nil
	}
	return s.driver.Copy(s.at+Ptr(to), s.at+Ptr(from), bytes)
}

// settle writes back what the host may have changed.
func (s *state) settle() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.lent {
		return nil
	}
	s.lent = false
	return s.driver.Upload(s.at, s.mirror)
}

func (s *state) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users == 0 {
		s.driver.Free(s.at)
	}
}

func (s *state) share() *state {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users++
	return s
}
