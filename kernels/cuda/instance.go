package cuda

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/kuai-robot/kuai/kernels"
)

// instance is the memory of one session and its recordings.
type instance struct {
	executable *executable
	driver     Driver
	arena      Ptr
	counters   Ptr
	alone      map[value]Ptr // of roots, on devices that are checked
	states     map[value]*state
	inputs     map[value]*hostBuffer
	outputs    map[value]*hostBuffer
	scalars    *hostBuffer
	recordings map[classKey]Recording
	closed     bool
}

// NewInstance allocates what one session needs.
func (e *executable) NewInstance(share []kernels.Instance) (kernels.Instance, error) {
	for _, parent := range share {
		p, ok := parent.(*instance)
		if !ok || p.driver != e.backend.driver {
			return nil, fmt.Errorf("a parent session is of another backend than %s", e.backend.name)
		}
	}
	in := &instance{
		executable: e, driver: e.backend.driver, alone: map[value]Ptr{}, states: map[value]*state{},
		inputs: map[value]*hostBuffer{}, outputs: map[value]*hostBuffer{}, recordings: map[classKey]Recording{},
	}
	if err := in.allocate(share); err != nil {
		in.Close()
		return nil, err
	}
	return in, nil
}

func (in *instance) allocate(share []kernels.Instance) (err error) {
	e, d := in.executable, in.driver
	if in.scalars, err = newHostBuffer(d, 4*(kernels.MaxScalars+1)); err != nil {
		return fmt.Errorf("scalars: %w", err)
	}
	counters := make([]byte, 4*mostCounters(d.Device()))
	if in.counters, err = d.Alloc(len(counters)); err != nil {
		return fmt.Errorf("counters: %w", err)
	}
	if err = d.Upload(in.counters, counters); err != nil {
		return fmt.Errorf("counters: %w", err)
	}
	if err = in.allocateValues(); err != nil {
		return err
	}
	for v := value(1); int(v) < e.graph.Values(); v++ {
		info := e.graph.Info(v)
		switch {
		case info.Kind == kernels.IsState:
			err = in.attach(v, info, share)
		case info.Kind == kernels.IsInput:
			in.inputs[v], err = newHostBuffer(d, e.lowering.Bytes[v])
		}
		if err != nil {
			return fmt.Errorf("%s %v: %w", info.Name, info.Shape, err)
		}
	}
	for _, v := range e.graph.Outputs {
		info := e.graph.Info(v)
		size, _ := info.Type.RowBytes(info.Shape.MaxLen())
		b := &hostBuffer{}
		if b.host, b.at, err = d.HostAlloc(size); err != nil {
			return fmt.Errorf("output %s %v: %w", info.Name, info.Shape, err)
		}
		b.same = b.at != 0 && e.lowering.writtenOnly(v)
		in.outputs[v] = b
	}
	return nil
}

// allocateValues makes the arena, or a place for each value.
func (in *instance) allocateValues() (err error) {
	e, d := in.executable, in.driver
	if !d.Device().Checked {
		if in.arena, err = d.Alloc(max(e.arena, align)); err != nil {
			return fmt.Errorf("%d bytes of values: %w", e.arena, err)
		}
		return nil
	}
	for root := range e.offsets {
		if e.lowering.Info(root).Kind == kernels.IsInput {
			continue
		}
		if in.alone[root], err = d.Alloc(max(1, e.lowering.Bytes[root])); err != nil {
			return fmt.Errorf("%d bytes of a value: %w", e.lowering.Bytes[root], err)
		}
	}
	return nil
}

// attach finds a state in a parent or allocates it.
func (in *instance) attach(v value, info kernels.Info, share []kernels.Instance) (err error) {
	for _, parent := range share {
		p := parent.(*instance)
		for o, s := range p.states {
			if other := p.executable.graph.Info(o); other.Name == info.Name && other.Type == info.Type && other.Shape.Equal(info.Shape) {
				in.states[v] = s.share()
				return nil
			}
		}
	}
	in.states[v], err = newState(in.driver, in.executable.lowering.Bytes[v])
	return err
}

// address is where a value lies on the device.
func (in *instance) address(v value) Ptr {
	e := in.executable
	p := e.lowering.Places[v]
	size, _ := e.lowering.Info(p.Root).Type.RowBytes(1)
	return in.root(p.Root) + Ptr(size*p.Offset)
}

func (in *instance) root(v value) Ptr {
	if s := in.states[v]; s != nil {
		return s.at
	}
	if b := in.inputs[v]; b != nil {
		return b.at
	}
	if b := in.outputs[v]; b != nil && b.same {
		return b.at
	}
	if p, ok := in.executable.consts[v]; ok {
		return p
	}
	if p, ok := in.alone[v]; ok {
		return p
	}
	return in.arena + Ptr(in.executable.offsets[v])
}

// Memory is empty for values that fusion has removed.
func (in *instance) Memory(v value) []byte {
	if s := in.states[v]; s != nil {
		return s.memory()
	}
	if b := in.inputs[v]; b != nil {
		return b.host
	}
	if b := in.outputs[v]; b != nil {
		return b.host
	}
	return nil
}

// MoveRow copies on the device, and in the host's copy if the host may have changed it.
func (in *instance) MoveRow(v value, to, from int) error {
	if in.closed {
		return kernels.ErrClosed
	}
	info := in.executable.graph.Info(v)
	size, _ := info.Type.RowBytes(info.Shape.Cols())
	return in.states[v].move(to*size, from*size, size)
}

// Run sets the scalars and runs the recording for lengths of their classes; the
// first run of a class records it.
func (in *instance) Run(s *kernels.Scalars) error {
	if in.closed {
		return kernels.ErrClosed
	}
	for _, state := range in.states {
		if err := state.settle(); err != nil {
			return err
		}
	}
	copy(unsafe.Slice((*int32)(unsafe.Pointer(&in.scalars.host[0])), len(s)), s[:])
	key := in.executable.key(s)
	recording := in.recordings[key]
	if recording == nil {
		var err error
		if recording, err = in.driver.Record(in.commands(key)); err != nil {
			return err
		}
		in.recordings[key] = recording
	}
	return recording.Run()
}

// commands lists what a run does: inputs in, launches, outputs out.
func (in *instance) commands(key classKey) []Command {
	e := in.executable
	r := &recorder{lowering: e.lowering, instance: in, bounds: e.boundsOf(key), scalars: in.scalars.at, counters: in.counters}
	var out []Command
	in.forget(&out)
	copyIn := func(b *hostBuffer, n int) {
		if !b.same && n > 0 {
			out = append(out, Command{Action: CopyIn, Host: b.host[:n], At: b.at, Bytes: n})
		}
	}
	copyIn(in.scalars, len(in.scalars.host))
	for v := value(1); int(v) < e.graph.Values(); v++ {
		if b := in.inputs[v]; b != nil {
			copyIn(b, r.sizeOf(v))
		}
	}
	for _, o := range e.lowering.ops {
		c := o.work.command(r)
		c.Op = e.graph.Name + ": " + o.name
		if c.Grid[0] > 0 && c.Grid[1] > 0 {
			out = append(out, c)
		}
	}
	for _, v := range e.graph.Outputs {
		if n := r.sizeOf(v); n > 0 && !in.outputs[v].same {
			out = append(out, Command{Action: CopyOut, Host: in.outputs[v].host[:n], At: in.address(v), Bytes: n})
		}
	}
	return out
}

// forget says, to devices that check, that no value has been computed yet.
func (in *instance) forget(out *[]Command) {
	for root, at := range in.alone {
		*out = append(*out, Command{Action: Forget, At: at, Bytes: in.executable.lowering.Bytes[root]})
	}
}

// sizeOf is the bytes of a value at the recorder's bounds.
func (r *recorder) sizeOf(v value) int {
	info := r.Info(v)
	n, _ := info.Type.RowBytes(info.Shape.Len(&r.bounds))
	return n
}

func (in *instance) Close() error {
	if in.closed {
		return nil
	}
	in.closed = true
	var err error
	for _, r := range in.recordings {
		err = errors.Join(err, r.Close())
	}
	d := in.driver
	for _, p := range append([]Ptr{in.arena, in.counters}, values(in.alone)...) {
		if p != 0 {
			d.Free(p)
		}
	}
	for _, b := range append(append(values(in.inputs), values(in.outputs)...), in.scalars) {
		b.free(d)
	}
	for _, s := range in.states {
		s.release()
	}
	return err
}

func values[K comparable, V any](m map[K]V) (out []V) {
	for _, v := range m {
		out = append(out, v)
	}
	return out
}
