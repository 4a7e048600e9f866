package cpu

// #include "kc.h"
// #cgo noescape kc_run
// #cgo nocallback kc_run
import "C"

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

// executable is the steps of a program and where its values lie.
type executable struct {
	backend *Backend
	graph   *kernels.Graph
	used    []plan.ID
	owned   []unsafe.Pointer // C memory of the steps
	steps   *C.kc_step
	count   int
	slots   []slot // by value, those that lowering added included
	arena   int    // bytes
	scratch int    // bytes for each thread
	closed  bool
}

// slot tells where a value of an instance lies.
type slot struct {
	constant unsafe.Pointer // known when compiled
	state    value          // root, if it is a state
	offset   int            // in the arena, or in the constant or state
	bytes    int            // of inputs, outputs and states
}

// lay gives every value its slot.
func (e *executable) lay(l *lowering) {
	block := l.Arena(align)
	offsets := block.Offsets()
	e.arena, e.slots = block.Size, make([]slot, len(l.Places))
	constants := map[value]unsafe.Pointer{}
	for v, numbers := range l.Consts {
		constants[v] = e.floats(numbers)
	}
	for v := 1; v < len(l.Places); v++ {
		info, p := l.Info(value(v)), l.Places[v]
		s := slot{constant: constants[p.Root], offset: 4 * p.Offset}
		if l.Info(p.Root).Kind == kernels.IsState {
			s.state = p.Root
		} else if s.constant == nil {
			s.offset += offsets[p.Root]
		}
		if v < l.Graph.Values() && (info.Kind != kernels.Computed || slices.Contains(l.Outputs, value(v))) {
			s.bytes, _ = info.Type.RowBytes(info.Shape.MaxLen())
		}
		e.slots[v] = s
	}
}

// own gives zeroed C memory that lives as long as the executable. An
// allocation that fails here is of a few kilobytes: nothing else would work.
func (e *executable) own(bytes int) unsafe.Pointer {
	p := C.kc_alloc(C.size_t(bytes))
	if p == nil {
		panic("cpu: no memory for a step of a program")
	}
	e.owned = append(e.owned, p)
	return p
}

// floats copies numbers to C memory, padded to a panel.
func (e *executable) floats(numbers []float32) unsafe.Pointer {
	p := e.own(4 * (len(numbers) + C.KC_PANEL))
	copy(unsafe.Slice((*float32)(p), len(numbers)), numbers)
	return p
}

func (e *executable) Close() error {
	if e.closed {
		return nil
	}
	e.closed = true
	for _, p := range e.owned {
		C.kc_free(p)
	}
	e.backend.release(e.used)
	return nil
}

// state is memory that sessions share; the last one frees it.
type state struct {
	memory unsafe.Pointer
	bytes  int
	users  atomic.Int32
	held   *atomic.Int64 // the backend's count of bytes
}

func (s *state) release() {
	if s.users.Add(-1) == 0 {
		C.kc_free(s.memory)
		s.held.Add(-int64(s.bytes))
	}
}

// instance is the memory of one session.
type instance struct {
	executable *executable
	arena      unsafe.Pointer
	scratch    unsafe.Pointer
	table      unsafe.Pointer // pointers by value
	scalars    unsafe.Pointer
	states     map[value]*state
}

func (e *executable) NewInstance(share []kernels.Instance) (kernels.Instance, error) {
	in := &instance{executable: e, states: map[value]*state{}}
	for _, parent := range share {
		if _, ok := parent.(*instance); !ok {
			return nil, fmt.Errorf("a parent session is of another backend than cpu")
		}
	}
	in.arena = C.kc_alloc(C.size_t(e.arena))
	in.scratch = C.kc_alloc(C.size_t(e.scratch * e.backend.threads))
	in.table = C.kc_alloc(C.size_t(len(e.slots)) * C.size_t(unsafe.Sizeof(uintptr(0))))
	in.scalars = C.kc_alloc(4 * (kernels.MaxScalars + 1))
	e.backend.sessions.Add(e.sessionBytes())
	if in.arena == nil || in.scratch == nil || in.table == nil || in.scalars == nil {
		in.Close()
		return nil, noMemory("session of graph "+e.graph.Name, e.sessionBytes())
	}
	if err := in.attach(share); err != nil {
		in.Close()
		return nil, err
	}
	for v := range e.slots[1:] {
		in.pointers()[v+1] = in.address(value(v + 1))
	}
	return in, nil
}

// sessionBytes is what an instance takes beside its states.
func (e *executable) sessionBytes() int64 { return int64(e.arena + e.scratch*e.backend.threads) }

// attach finds each state in a parent or allocates it.
func (in *instance) attach(share []kernels.Instance) error {
	e := in.executable
	for v := value(1); int(v) < e.graph.Values(); v++ {
		info := e.graph.Info(v)
		if info.Kind != kernels.IsState {
			continue
		}
		s := shared(info, share)
		if s == nil {
			s = &state{bytes: e.slots[v].bytes, memory: C.kc_alloc(C.size_t(e.slots[v].bytes)), held: e.backend.sessions}
			if s.memory == nil {
				return noMemory("state "+info.Name, int64(s.bytes))
			}
			s.held.Add(int64(s.bytes))
		}
		s.users.Add(1)
		in.states[v] = s
	}
	return nil
}

func shared(info kernels.Info, share []kernels.Instance) *state {
	for _, parent := range share {
		p := parent.(*instance)
		for v, s := range p.states {
			if o := p.executable.graph.Info(v); o.Name == info.Name && o.Type == info.Type && o.Shape.Equal(info.Shape) {
				return s
			}
		}
	}
	return nil
}

func (in *instance) pointers() []unsafe.Pointer {
	return unsafe.Slice((*unsafe.Pointer)(in.table), len(in.executable.slots))
}

func (in *instance) address(v value) unsafe.Pointer {
	s := in.executable.slots[v]
	base := in.arena
	switch {
	case s.constant != nil:
		base = s.constant
	case s.state != 0:
		base = in.states[s.state].memory
	}
	return unsafe.Add(base, s.offset)
}

// Memory is empty for values that fusion has removed.
func (in *instance) Memory(v value) []byte {
	if v <= 0 || int(v) >= in.executable.graph.Values() || in.arena == nil || in.executable.slots[v].bytes == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(in.address(v)), in.executable.slots[v].bytes)
}

func (in *instance) MoveRow(v value, to, from int) error {
	if in.arena == nil {
		return kernels.ErrClosed
	}
	kernels.MoveBytes(in.Memory(v), in.executable.graph.Info(v), to, from)
	return nil
}

func (in *instance) Run(s *kernels.Scalars) error {
	if in.arena == nil {
		return kernels.ErrClosed
	}
	e := in.executable
	copy(unsafe.Slice((*int32)(in.scalars), len(s)), s[:])
	C.kc_run(e.backend.pool, e.backend.level, e.steps, C.int32_t(e.count), (*unsafe.Pointer)(in.table),
		(*C.int32_t)(in.scalars), (*C.char)(in.scratch), C.int64_t(e.scratch))
	runtime.KeepAlive(in)
	return nil
}

func (in *instance) Close() error {
	if in.executable == nil || in.states == nil {
		return nil
	}
	for _, p := range []unsafe.Pointer{in.arena, in.scratch, in.table, in.scalars} {
		C.kc_free(p)
	}
	for _, s := range in.states {
		s.release()
	}
	in.executable.backend.sessions.Add(-in.executable.sessionBytes())
	in.arena, in.states = nil, nil
	return nil
}
