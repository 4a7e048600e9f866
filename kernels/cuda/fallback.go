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
// A session that meets the failure goes on by itself if its program has no states, or
// if they can still be read (memory ran out). Where they are lost, it and the sessions
// that share them move, their states zero, and Run returns an error that wraps
// kernels.ErrStatesLost: who uses it reads again what it had read.
type Fallback struct {
	first, second kernels.Backend
	event         func(error)

	mu   sync.Mutex
	lost error
}

// NewFallback prefers first. event is called with what went wrong, once for each
// program that does not fit and once when the device is lost, from the goroutine that
// met it.
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

// lose is for a device that does not give a state back.
func (f *Fallback) lose(g *kernels.Graph) {
	if f.isLost() != nil {
		return
	}
	err := fmt.Errorf("its states cannot be read: %w", ErrLost)
	f.mended(err)
	f.tell(g, err)
}

// Build compiles on the first backend, or on the second.
func (f *Fallback) Build(g *kernels.Graph, options kernels.Options) (kernels.Executable, error) {
	e := &either{owner: f, graph: g, options: options}
	if lost := f.isLost(); lost == nil {
		var err error
		if e.first, err = f.first.Build(g, options); err == nil {
			e.hold()
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
	held          []func() // lets go of the weights, which second may still have to pack
}

// hold keeps the weights readable after their files were closed.
func (e *either) hold() {
	for _, n := range e.graph.Nodes {
		for _, w := range kernels.Weights(n.Op) {
			if w.Hold != nil {
				e.held = append(e.held, w.Hold())
			}
		}
	}
}

func (e *either) letGo() {
	for _, release := range e.held {
		release()
	}
	e.held = nil
}

// other is the program on the second backend, built when it is needed.
func (e *either) other() (kernels.Executable, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.second != nil {
		return e.second, nil
	}
	var err error
	if e.second, err = e.owner.second.Build(e.graph, e.options); err == nil {
		e.letGo()
	}
	return e.second, err
}

// NewInstance allocates where the parents are; without parents where there is room.
func (e *either) NewInstance(share []kernels.Instance) (kernels.Instance, error) {
	in := &eitherInstance{program: e}
	for _, s := range share {
		p, ok := s.(*eitherInstance)
		if !ok {
			return nil, fmt.Errorf("a parent session is of another backend than %s", e.owner.Name())
		}
		in.parents = append(in.parents, p)
	}
	in.joinFamily()
	if e.first != nil && !in.family.moved && e.owner.isLost() == nil {
		var onFirst []kernels.Instance
		for _, p := range in.parents {
			onFirst = append(onFirst, p.first)
		}
		var err error
		if in.first, err = e.first.NewInstance(onFirst); err == nil {
			return in, nil
		}
		if !e.owner.mended(err) {
			in.leaveFamily()
			return nil, err
		}
		e.owner.tell(e.graph, err)
	}
	if err := in.family.move(); err != nil {
		in.leaveFamily()
		return nil, err
	}
	return in, nil
}

// Close ends both programs.
func (e *either) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.letGo()
	var err error
	for _, x := range []kernels.Executable{e.first, e.second} {
		if x != nil {
			err = errors.Join(err, x.Close())
		}
	}
	return err
}
