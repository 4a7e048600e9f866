package generate

import (
	"context"

	"github.com/kuai-robot/kuai/fusion/transformer"
	"github.com/kuai-robot/kuai/kernels"
)

// drawProgram reads one token and draws the next, so that the logits stay where the
// backend computed them.
type drawProgram struct {
	*kernels.Program
	past, recent            kernels.Scalar
	ids, positions          kernels.Value
	recentTokens, how, next kernels.Value
}

// mostRecent is the longest window of a repetition penalty that a backend counts.
const mostRecent = 256

// compileDraw makes the program for models whose rows are tokens and nothing else.
func (model *Model) compileDraw(m *transformer.Model, backend kernels.Backend, o Options) (err error) {
	if !o.Draw || o.Mixed || o.Cross != nil {
		return nil
	}
	g, p := kernels.NewGraph(m.Config.Family+" draw"), &drawProgram{}
	p.past, p.recent = g.Scalar("past", o.Context), g.Scalar("recent", mostRecent)
	p.ids, p.positions = g.Input("ids", kernels.I32, kernels.N(1)), g.Input("positions", kernels.I32, kernels.N(1))
	p.recentTokens = g.Input("recent tokens", kernels.I32, p.recent.Dim())
	p.how = g.Input("how", kernels.F32, kernels.N(1), kernels.N(4))
	x := m.Blocks(g, m.Embed(g, p.ids), transformer.Cache{Rows: o.Context, Type: o.Cache, Past: p.past, Positions: p.positions})
	logits := m.Head(g, x)
	if n := model.vocabulary(); n < g.Shape(logits).Cols() {
		logits = g.Add(kernels.Slice{X: logits, Axis: 1, Len: n})
	}
	p.next = g.Add(kernels.Sample{X: logits, Recent: p.recentTokens, How: p.how})
	g.Output("next", p.next)
	if p.Program, err = kernels.Compile(g, backend, o.Compile); err == nil {
		model.draw = p
	}
	return err
}

// vocabulary is how many tokens there are to choose from: an embedding may be padded.
func (model *Model) vocabulary() int {
	if model.tokenizer != nil {
		return model.tokenizer.Len()
	}
	return model.config.Vocab
}

func (p *drawProgram) close() error {
	if p == nil {
		return nil
	}
	return p.Close()
}

// drawn says whether the backend may choose the tokens of an answer, and makes
// what it needs of memory.
func (s *Session) drawn(o *Sampling) (bool, error) {
	if s.model.draw == nil || o.Grammar != nil || o.TopK > 0 || o.window() > mostRecent || s.model.ahead()+len(s.held) >= s.model.context {
		return false, nil
	}
	var err error
	if s.draw == nil {
		s.draw, err = s.model.draw.NewSession(s.next)
	}
	return err == nil, err
}

// readDraw reads a token and gives the one that follows; share decides the draw.
func (s *Session) readDraw(ctx context.Context, token int32, o *Sampling, share float64) (int32, error) {
	p, d := s.model.draw, s.draw
	recent := append(s.recent[:0], s.held[max(0, len(s.held)+1-o.window()):]...)
	s.recent = append(recent, token)
	penalty := o.RepeatPenalty
	if penalty == 0 || penalty == 1 {
		s.recent, penalty = s.recent[:0], 1
	}
	d.Set(p.past, s.filled())
	d.Set(p.recent, len(s.recent))
	d.I32(p.ids)[0], d.I32(p.positions)[0] = token, int32(s.filled())
	copy(d.I32(p.recentTokens), s.recent)
	copy(d.F32(p.how), []float32{float32(o.Temperature), float32(o.TopP), float32(penalty), float32(share)})
	if err := d.Run(ctx); err != nil {
		if held := s.held; s.recover(err) {
			if _, err = s.read(ctx, held, false); err == nil {
				return s.readDraw(ctx, token, o, share)
			}
		}
		return 0, err
	}
	s.held = append(s.held, token)
	if next := d.I32(p.next)[0]; next >= 0 {
		return next, nil
	}
	return 0, errNoNumber
}
