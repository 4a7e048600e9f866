package kerneltest

import (
	"fmt"
	"sync/atomic"

	"github.com/kuai-robot/kuai/kernels"
)

// Failing is a backend of which every run fails from one on, as on a device that is
// lost.
type Failing struct {
	kernels.Backend
	from int64
	err  error
	runs atomic.Int64
}

// NewFailing lets run number from, counted from 1, and all that follow fail with err.
func NewFailing(b kernels.Backend, from int, err error) *Failing {
	return &Failing{Backend: b, from: int64(from), err: err}
}

// Runs counts those that were asked for.
func (f *Failing) Runs() int { return int(f.runs.Load()) }

// Build implements kernels.Backend.
func (f *Failing) Build(g *kernels.Graph, o kernels.Options) (kernels.Executable, error) {
	e, err := f.Backend.Build(g, o)
	return failingProgram{e, f}, err
}

type failingProgram struct {
	kernels.Executable
	owner *Failing
}

func (p failingProgram) NewInstance(share []kernels.Instance) (kernels.Instance, error) {
	var own []kernels.Instance
	for _, s := range share {
		own = append(own, s.(failingSession).Instance)
	}
	in, err := p.Executable.NewInstance(own)
	return failingSession{in, p.owner}, err
}

type failingSession struct {
	kernels.Instance
	owner *Failing
}

func (s failingSession) Run(scalars *kernels.Scalars) error {
	if n := s.owner.runs.Add(1); n >= s.owner.from {
		return fmt.Errorf("a device for tests, in run %d: %w", n, s.owner.err)
	}
	return s.Instance.Run(scalars)
}
