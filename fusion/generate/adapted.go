package generate

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/kuai-robot/kuai/fusion/text"
	"github.com/kuai-robot/kuai/fusion/transformer"
	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// base is what a model shares with those that were adapted from it.
type base struct {
	model     *transformer.Model
	tokenizer *text.Tokenizer
	backend   kernels.Backend
	options   Options
	file      *checkpoint.File // where the weights lie; nil where New was given them

	mu    sync.Mutex
	users int
}

// compile makes a model of m, which has the weights of the base.
func (b *base) compile(m *transformer.Model) (*Model, error) {
	o := b.options
	model := &Model{base: b, config: m.Config, tokenizer: b.tokenizer, context: o.Context, batch: o.Batch, prefix: m.Prefix}
	if model.Context() < 1 {
		return nil, fmt.Errorf("num_virtual_tokens: %d leave nothing of the context of %d positions", model.ahead(), o.Context)
	}
	if err := model.compileNext(m, b.backend, o); err != nil {
		return nil, err
	}
	if err := model.compileScore(m, b.backend, o); err != nil {
		return nil, errors.Join(err, model.next.Close())
	}
	if err := model.compileDraw(m, b.backend, o); err != nil {
		return nil, errors.Join(err, model.next.Close(), model.score.Close())
	}
	if o.Cross != nil {
		var err error
		if model.watch, err = compileWatch(o.Cross, b.backend, o); err != nil {
			return nil, errors.Join(err, model.next.Close(), model.score.Close())
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.users++
	return model, nil
}

func (b *base) release() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.users--; b.users > 0 || b.file == nil {
		return nil
	}
	return b.file.Close()
}

// Adapt makes a model that shares the weights of this one and has the adapter of
// folder instead of its own, or none where folder is nil. Both are used side by
// side; each is closed by itself. Sessions go over by Session.Switch.
func (model *Model) Adapt(folder fs.FS) (*Model, error) {
	m, err := model.base.model.Adapted(folder)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAdapter, err)
	}
	return model.base.compile(m)
}

// Switch goes on with another model of the same base. What was read is forgotten
// (its keys and values are those of the other adapter), the memory of the cache
// is used again, and Scorers must be prompted again. On an error the session is
// as it was.
func (s *Session) Switch(to *Model) error {
	if to.base != s.model.base {
		return errors.New("switch: the model has another base: open a session of it")
	}
	if to == s.model {
		return nil
	}
	next, err := to.next.NewSession(s.next)
	if err != nil {
		return err
	}
	score, err := to.score.NewSession(next)
	if err != nil {
		return errors.Join(err, next.Close())
	}
	watch, err := to.newWatch(next)
	if err != nil {
		return errors.Join(err, score.Close(), next.Close())
	}
	err = s.Close()
	s.model, s.next, s.score, s.watch, s.draw = to, next, score, watch, nil
	s.turn++
	s.held, s.branches, s.seen = s.held[:0], s.branches[:0], 0
	s.begin()
	return err
}

// begin writes the prefix of the model's adapter to the first rows of the cache.
func (s *Session) begin() {
	p := s.model.prefix
	if p == nil {
		return
	}
	for i, v := range s.model.next.states {
		rows := p.Keys[i/2] // states are keys and values by turns
		if i%2 == 1 {
			rows = p.Values[i/2]
		}
		if f := s.next.F32(v); f != nil {
			copy(f, rows)
			continue
		}
		to, round := s.next.Half(v), kernels.FloatToHalf
		if s.model.next.Graph.Info(v).Type == kernels.BF16 {
			round = kernels.FloatToBrain
		}
		for j, x := range rows {
			to[j] = round(x)
		}
	}
}

// filled is how many rows of the cache are in use before any branches.
func (s *Session) filled() int { return s.model.ahead() + len(s.held) }
