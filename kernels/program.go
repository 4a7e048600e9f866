package kernels

import (
	"errors"
	"fmt"
	"sync"
)

// ErrClosed is returned by a program or session after Close.
var ErrClosed = errors.New("kernels: closed")

// ErrStatesLost is wrapped by the error of a Run after which the states of the
// session, and of those that share them, are zero, because the device that had them
// is gone. The sessions can be used from then on.
var ErrStatesLost = errors.New("kernels: what the session had read is lost")

// Program is a graph compiled for a backend.
type Program struct {
	Graph      *Graph
	executable Executable
	checks     []check
	watched    []watch

	mu       sync.Mutex
	sessions int
	closed   bool
}

// Compile checks the graph and builds it on the backend. Errors name the
// operator, its weight and the shapes.
func Compile(g *Graph, backend Backend, options Options) (*Program, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	watched := options.Calibrate.watch(g)
	executable, err := backend.Build(g, options)
	if err != nil {
		return nil, fmt.Errorf("graph %s on %s: %w", g.Name, backend.Name(), err)
	}
	return &Program{Graph: g, executable: executable, checks: g.runChecks(), watched: watched}, nil
}

// NewSession allocates the memory of one user of the program. States are
// shared with parents where name, type and size agree; sessions that share a
// state belong to the same goroutine.
func (p *Program) NewSession(parents ...*Session) (*Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	var share []Instance
	for _, parent := range parents {
		if parent.instance == nil {
			return nil, fmt.Errorf("graph %s: parent session: %w", p.Graph.Name, ErrClosed)
		}
		share = append(share, parent.instance)
	}
	instance, err := p.executable.NewInstance(share)
	if err != nil {
		return nil, fmt.Errorf("graph %s: new session: %w", p.Graph.Name, err)
	}
	p.sessions++
	return &Session{program: p, instance: instance}, nil
}

// Close frees the packed weights once the last session is closed.
func (p *Program) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	return p.free()
}

func (p *Program) release() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions--
	return p.free()
}

func (p *Program) free() error {
	if !p.closed || p.sessions > 0 {
		return nil
	}
	return p.executable.Close()
}
