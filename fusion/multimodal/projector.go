package multimodal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/encoder"
)

// Projector turns rows of an encoder into rows of a decoder.
type Projector struct {
	Config        ProjectorConfig
	first, second encoder.Linear // second is empty where it is linear
}

func loadProjector(l *encoder.Loader, name string, width int, c ProjectorConfig) *Projector {
	p, at, outputs := &Projector{Config: c}, "projectors."+name+".", c.Rows*width
	if c.Hidden == 0 {
		p.first = l.Linear(at+"linear1", outputs, c.Inputs)
		return p
	}
	p.first = l.Linear(at+"linear1", c.Hidden, c.Inputs)
	p.second = l.Linear(at+"linear2", outputs, c.Hidden)
	return p
}

// Build adds the projector to a graph: x is [n, Inputs], the result
// [n, Rows·width], which read row by row is [n·Rows, width].
func (p *Projector) Build(g *kernels.Graph, x kernels.Value) kernels.Value {
	if p.second.W == nil {
		return p.first.Apply(g, x, kernels.Identity)
	}
	return p.second.Apply(g, p.first.Apply(g, x, kernels.GELU), kernels.Identity)
}

// Projectors are those of a model, compiled. They are safe for use from many
// goroutines.
type Projectors struct {
	programs map[string]*projection
}

type projection struct {
	*kernels.Program
	config ProjectorConfig
	rows   kernels.Scalar
	in     kernels.Value
	out    kernels.Value
}

// maxRows bounds the rows of one call.
const maxRows = 4096

// Compile builds the projectors for backend.
func (m *Model) Compile(backend kernels.Backend, o kernels.Options) (*Projectors, error) {
	all := &Projectors{programs: map[string]*projection{}}
	for _, name := range slices.Sorted(maps.Keys(m.Projectors)) {
		p := m.Projectors[name]
		g, c := kernels.NewGraph(name+" projector"), &projection{config: p.Config}
		c.rows = g.Scalar("rows", maxRows)
		c.in = g.Input("rows", kernels.F32, c.rows.Dim(), kernels.N(p.Config.Inputs))
		c.out = p.Build(g, c.in)
		g.Output("projected", c.out)
		var err error
		if c.Program, err = kernels.Compile(g, backend, o); err != nil {
			return nil, errors.Join(err, all.Close())
		}
		all.programs[name] = c
	}
	return all, nil
}

// Close frees the weights once no Project runs.
func (p *Projectors) Close() error {
	var errs []error
	for _, program := range p.programs {
		errs = append(errs, program.Close())
	}
	return errors.Join(errs...)
}

// Project gives the rows of the decoder for rows of an encoder, one after the
// other. Errors: an unknown name, rows that are not whole, NaN.
func (p *Projectors) Project(ctx context.Context, name string, rows []float32) (out []float32, err error) {
	c := p.programs[name]
	if c == nil {
		return nil, fmt.Errorf("no projector is called %q, there are %v", name, slices.Sorted(maps.Keys(p.programs)))
	}
	n := len(rows) / c.config.Inputs
	if n == 0 || n > maxRows || n*c.config.Inputs != len(rows) {
		return nil, fmt.Errorf("projector %s: %d numbers, want 1 to %d rows of %d", name, len(rows), maxRows, c.config.Inputs)
	}
	if err := finite(rows); err != nil {
		return nil, fmt.Errorf("projector %s: %w", name, err)
	}
	s, err := c.NewSession()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	s.Set(c.rows, n)
	copy(s.F32(c.in), rows)
	if err := s.Run(ctx); err != nil {
		return nil, err
	}
	return append([]float32(nil), s.F32(c.out)...), nil
}

func finite(numbers []float32) error {
	for i, x := range numbers {
		if x != x || math.IsInf(float64(x), 0) {
			return fmt.Errorf("number %d is NaN or infinite", i)
		}
	}
	return nil
}
