package cuda

import (
	"errors"
	"fmt"
	"sync"

	"github.com/kuai-robot/kuai/kernels"
)

// Fallback is a backend that goes on with another one where the GPU cannot: a
// program that does not fit is built there, and after the GPU was lost all are.
//
// A session whose GPU is lost goes on by itself if its program has no states;
// otherwise its Run returns the error, because what it had in its cache is lost,
// and new sessions of the program run on the other backend.
type Fallback struct {
	first, second kernels.Backend
	event         func(error)

	mu   sync.Mutex
	lost error
}

// NewFallback prefers first. event is called with what went wrong, once for each
// program that goes to second, from the goroutine that met it.
func NewFallback(first, second kernels.Backend, event func(error)) *Fallback {
	return &Fallback{first: first, second: second, event: event}
}

// Name is that of the backend that new programs are built for.
func (f *Fallback) Name() string {
	if f.isLost() != nil {
		return f.second.Name()
	}
	return f.first.Name()
}

func (f *Fallback) isLost() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost
}

// mended says whether the other backend can make up for an error, and remembers
// the loss of the device.
func (f *Fallback) mended(err error) bool {
	if errors.Is(err, ErrLost) {
		f.mu.Lock()
		f.lost = err
		f.mu.Unlock()
		return true
	}
	return errors.Is(err, ErrMemory)
}

// Build compiles on the first backend, or on the second.
func (f *Fallback) Build(g *kernels.Graph, options kernels.Options) (kernels.Executable, error) {
	e := &either{owner: f, graph: g, options: options}
	if lost := f.isLost(); lost == nil {
		var err error
		if e.first, err = f.first.Build(g, options); err == nil {
			return e, nil
		}
		if !f.mended(err) {
			return nil, err
		}
		f.tell(g, err)
	}
	_, err := e.other()
	return e, err
}

func (f *Fallback) tell(g *kernels.Graph, err error) {
	f.event(fmt.Errorf("graph %s goes on with %s: %w", g.Name, f.second.Name(), err))
}

// either is a program on one backend, or on both after the first failed.
type either struct {
	owner   *Fallback
	graph   *kernels.Graph
	options kernels.Options

	mu            sync.Mutex
	first, second kernels.Executable
}

// other is the program on the second backend, built when it is needed.
func (e *either) other() (kernels.Executable, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.second != nil {
		return e.second, nil
	}
	var err error
	e.second, err = e.owner.second.Build(e.graph, e.options)
	return e.second, err
}

// NewInstance allocates where the parents are; without parents where there is room.
func (e *either) NewInstance(share []kernels.Instance) (kernels.Instance, error) {
	var onFirst, onSecond []kernels.Instance
	for _, s := range share {
		p, ok := s.(*eitherInstance)
		switch {
		case !ok:
			return nil, fmt.Errorf("a parent session is of another backend than %s", e.owner.Name())
		case p.second != nil:
			onSecond = append(onSecond, p.second)
		default:
			onFirst = append(onFirst, p.first)
		}
	}
	in := &eitherInstance{program: e}
	if e.first != nil && len(onSecond) == 0 && (len(onFirst) > 0 || e.owner.isLost() == nil) {
		var err error
		if in.first, err = e.first.NewInstance(onFirst); err == nil {
			return in, nil
		}
		if !e.owner.mended(err) || len(onFirst) > 0 {
			return nil, err
		}
		e.owner.tell(e.graph, err)
	}
	return in, in.move(onSecond)
}

func (e *either) Close() error {
	var err error
	for _, x := range []kernels.Executable{e.first, e.second} {
		if x != nil {
			err = errors.Join(err, x.Close())
		}
	}
	return err
}

// eitherInstance is a session on one of the backends.
type eitherInstance struct {
	program       *either
	first, second kernels.Instance
	memory        map[kernels.Value][]byte // inputs and outputs after a move: where they were
}

// move makes the session on the second backend.
func (in *eitherInstance) move(share []kernels.Instance) error {
	other, err := in.program.other()
	if err == nil {
		in.second, err = other.NewInstance(share)
	}
	return err
}

// Memory is that of the session. Inputs and outputs stay where they were after a
// move, as kernels.Instance promises.
func (in *eitherInstance) Memory(v kernels.Value) []byte {
	if b := in.memory[v]; b != nil {
		return b
	}
	if in.second != nil {
		return in.second.Memory(v)
	}
	return in.first.Memory(v)
}

// MoveRow moves where the session is.
func (in *eitherInstance) MoveRow(v kernels.Value, to, from int) error {
	if in.second != nil {
		return in.second.MoveRow(v, to, from)
	}
	return in.first.MoveRow(v, to, from)
}

// Run goes on with the second backend after the device was lost or full.
func (in *eitherInstance) Run(s *kernels.Scalars) error {
	if in.second != nil {
		return in.runMoved(s)
	}
	err := in.first.Run(s)
	if err == nil || !in.program.owner.mended(err) {
		return err
	}
	in.program.owner.tell(in.program.graph, err)
	if name := in.program.state(); name != "" {
		return fmt.Errorf("what the session had in %s is lost; a new session runs on %s: %w", name, in.program.owner.second.Name(), err)
	}
	if err := in.move(nil); err != nil {
		return err
	}
	in.memory = map[kernels.Value][]byte{}
	for v := kernels.Value(1); int(v) < in.program.graph.Values(); v++ {
		if b := in.first.Memory(v); b != nil {
			in.memory[v] = b
		}
	}
	return in.runMoved(s)
}

// runMoved copies inputs and outputs of a session that was moved.
func (in *eitherInstance) runMoved(s *kernels.Scalars) error {
	g := in.program.graph
	for v, b := range in.memory {
		if g.Info(v).Kind == kernels.IsInput {
			copy(in.second.Memory(v), b)
		}
	}
	if err := in.second.Run(s); err != nil {
		return err
	}
	for v, b := range in.memory {
		if g.Info(v).Kind == kernels.Computed {
			copy(b, in.second.Memory(v))
		}
	}
	return nil
}

// state names a state of the program, "" if it has none.
func (e *either) state() string {
	for v := kernels.Value(1); int(v) < e.graph.Values(); v++ {
		if info := e.graph.Info(v); info.Kind == kernels.IsState {
			return info.Name
		}
	}
	return ""
}

func (in *eitherInstance) Close() error {
	var err error
	for _, x := range []kernels.Instance{in.first, in.second} {
		if x != nil {
			err = errors.Join(err, x.Close())
		}
	}
	return err
}
