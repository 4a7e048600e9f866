package generate

import (
	"context"
	"fmt"

	"github.com/kuai-robot/kuai/fusion/multimodal"
	"github.com/kuai-robot/kuai/kernels"
)

// mediaInputs are what tells a graph which media its rows see; absent without
// Options.Cross.
type mediaInputs struct {
	mask   kernels.Value
	filled kernels.Scalar
}

// declare adds the inputs to a graph and gives what stands before the layers.
func (m *mediaInputs) declare(g *kernels.Graph, o Options, tokens kernels.Scalar) func(*kernels.Graph, int, kernels.Value) kernels.Value {
	if o.Cross == nil {
		return nil
	}
	m.filled = g.Scalar("media", o.Cross.Rows())
	m.mask = g.Input("media mask", kernels.U8, tokens.Dim(), kernels.N(o.Cross.Rows()))
	seen := multimodal.Seen{Mask: m.mask, Filled: m.filled, Type: o.Cache}
	return func(g *kernels.Graph, layer int, x kernels.Value) kernels.Value {
		return o.Cross.Before(g, layer, x, seen)
	}
}

// set makes all rows of the next run see medium last of seen; -1: none.
func (m *mediaInputs) set(s *kernels.Session, cross *multimodal.Cross, rows, seen int) {
	if cross == nil {
		return
	}
	latents, all := cross.Config.Latents, cross.Rows()
	s.Set(m.filled, seen*latents)
	mask := s.U8(m.mask)
	clear(mask)
	for i := range rows {
		for j := (seen - 1) * latents; seen > 0 && j < seen*latents; j++ {
			mask[i*all+j] = 1
		}
	}
}

// mix adds to a graph what puts given rows in place of those of ids.
func (p *nextProgram) mix(g *kernels.Graph, x kernels.Value, width int) kernels.Value {
	p.isToken = g.Input("is token", kernels.F32, p.tokens.Dim(), kernels.N(1))
	p.given = g.Input("given", kernels.F32, p.tokens.Dim(), kernels.N(width))
	return g.Add(kernels.Binary{X: g.Add(kernels.Binary{Kind: kernels.Mul, X: x, Y: p.isToken}), Y: p.given})
}

// watchProgram turns the features of a medium into keys and values.
type watchProgram struct {
	*kernels.Program
	rows, at kernels.Scalar
	features kernels.Value
}

func compileWatch(cross *multimodal.Cross, backend kernels.Backend, o Options) (*watchProgram, error) {
	g, p := kernels.NewGraph("media"), &watchProgram{}
	p.rows, p.at = g.Scalar("rows", cross.Config.Features), g.Scalar("at", cross.Rows())
	p.features = g.Input("features", kernels.F32, p.rows.Dim(), kernels.N(cross.Config.Inputs))
	cross.Watch(g, p.features, p.at, o.Cache)
	var err error
	p.Program, err = kernels.Compile(g, backend, o.Compile)
	return p, err
}

// see computes the keys and values of one more medium.
func (s *Session) see(ctx context.Context, features []float32) error {
	c, p := &s.model.base.options.Cross.Config, s.model.watch
	s.watch.Set(p.rows, len(features)/c.Inputs)
	s.watch.Set(p.at, s.seen*c.Latents)
	copy(s.watch.F32(p.features), features)
	if err := s.watch.Run(ctx); err != nil {
		return err
	}
	s.seen++
	return nil
}

// checkParts says why parts cannot be read.
func (s *Session) checkParts(parts []multimodal.Part) error {
	o, width, media := &s.model.base.options, s.model.config.Width, 0
	for i, p := range parts {
		given := 0
		for _, n := range []int{len(p.Tokens), len(p.Embeddings), len(p.Medium)} {
			if n > 0 {
				given++
			}
		}
		switch {
		case given != 1:
			return fmt.Errorf("part %d: want one of tokens, embeddings and a medium", i)
		case len(p.Embeddings) > 0 && !o.Mixed:
			return fmt.Errorf("part %d: embeddings, and the model was opened without Options.Mixed", i)
		case len(p.Embeddings)%width != 0:
			return fmt.Errorf("part %d: %d numbers are not rows of %d", i, len(p.Embeddings), width)
		case len(p.Medium) > 0 && o.Cross == nil:
			return fmt.Errorf("part %d: a medium, and the model was opened without Options.Cross", i)
		}
		if err := s.checkTokens(p.Tokens); err != nil {
			return fmt.Errorf("part %d: %w", i, err)
		}
		for j, x := range p.Embeddings {
			if x-x != 0 {
				return fmt.Errorf("part %d: number %d of the embeddings is NaN or infinite", i, j)
			}
		}
		if len(p.Medium) > 0 {
			media++
			if err := checkMedium(&o.Cross.Config, p.Medium, media); err != nil {
				return fmt.Errorf("part %d: %w", i, err)
			}
		}
	}
	return nil
}

func checkMedium(c *multimodal.CrossConfig, features []float32, media int) error {
	switch n := len(features); {
	case media > c.Media:
		return fmt.Errorf("medium %d, and cross.media is %d", media, c.Media)
	case n%c.Inputs != 0 || n > c.Features*c.Inputs:
		return fmt.Errorf("a medium of %d numbers, want 1 to %d rows of %d", n, c.Features, c.Inputs)
	}
	for j, x := range features {
		if x-x != 0 {
			return fmt.Errorf("number %d of the medium is NaN or infinite", j)
		}
	}
	return nil
}
