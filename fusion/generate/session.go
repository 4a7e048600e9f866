package generate

import (
	"context"
	"errors"
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

// Session is what one user of a model has read so far. It belongs to one
// goroutine at a time.
type Session struct {
	model *Model
	next  *kernels.Session
	score *kernels.Session
	watch *kernels.Session // nil without Options.Cross
	draw  *kernels.Session // nil until the backend draws a token

	// held are the tokens of the cache's first rows after an adapter's prefix, one
	// after the other; branches are the rows after these, which a Scorer left.
	held     []int32
	branches []branch
	// rows are embeddings by the negative ids that stand for them in held, lastRow
	// the last such id; seen counts the media before what is read next.
	rows    map[int32][]float32
	lastRow int32
	seen    int
	// turn counts the prompts; a Scorer whose turn has passed must be prompted
	// again.
	turn    uint64
	sampler sampler
	recent  []int32 // memory for readDraw
}

// branch is a row of the cache that continues another one.
type branch struct {
	parent int // row it follows, which comes before it
	token  int32
}

// ErrEmptyPrompt says that there is nothing to continue.
var ErrEmptyPrompt = errors.New("the prompt is empty: a model continues at least one token")

// NewSession allocates the cache of one more user of the model.
func (model *Model) NewSession() (*Session, error) {
	next, err := model.next.NewSession()
	if err != nil {
		return nil, err
	}
	score, err := model.score.NewSession(next)
	if err != nil {
		return nil, errors.Join(err, next.Close())
	}
	s := &Session{model: model, next: next, score: score}
	if s.watch, err = model.newWatch(next); err != nil {
		return nil, errors.Join(err, score.Close(), next.Close())
	}
	s.begin()
	return s, nil
}

// newWatch makes what turns media into the states of next.
func (model *Model) newWatch(next *kernels.Session) (*kernels.Session, error) {
	if model.watch == nil {
		return nil, nil
	}
	return model.watch.NewSession(next)
}

// Model gives the model of the session.
func (s *Session) Model() *Model { return s.model }

// Close frees the cache.
func (s *Session) Close() error {
	err := errors.Join(s.score.Close(), s.next.Close())
	if s.watch != nil {
		err = errors.Join(err, s.watch.Close())
	}
	if s.draw != nil {
		err = errors.Join(err, s.draw.Close())
	}
	return err
}

// Held is how many tokens the session has read and would not compute again.
func (s *Session) Held() int { return len(s.held) }

// check says why a prompt cannot be read, with room for so many more tokens.
func (s *Session) check(prompt []int32, more int) error {
	if len(prompt) == 0 {
		return ErrEmptyPrompt
	}
	if len(prompt)+more > s.model.Context() {
		return s.tooLong(len(prompt), more)
	}
	if err := s.checkTokens(prompt); err != nil {
		return fmt.Errorf("prompt: %w", err)
	}
	return nil
}

func (s *Session) tooLong(tokens, more int) error {
	return fmt.Errorf("a prompt of %d tokens and %d more do not fit the context of %d", tokens, more, s.model.Context())
}

func (s *Session) checkTokens(tokens []int32) error {
	for i, id := range tokens {
		if id < 0 || int(id) >= s.model.config.Vocab {
			return fmt.Errorf("token %d is %d, want 0 to %d", i, id, s.model.config.Vocab-1)
		}
	}
	return nil
}

// keep forgets what is not a prefix of tokens, and says how many of them are
// left that need not be computed.
func (s *Session) keep(tokens []int32) int {
	s.turn++
	if s.seen > 0 { // what is held depends on media
		s.held, s.branches, s.seen = s.held[:0], s.branches[:0], 0
	}
	n := 0
	for n < len(s.held) && n < len(tokens) && s.held[n] == tokens[n] {
		n++
	}
	if n == len(s.held) {
		n += s.adopt(tokens[n:])
	}
	s.held, s.branches = s.held[:n], s.branches[:0]
	return n
}

// adopt makes the branch that tokens follow part of held: its rows move down
// to where they would lie had they been read one after the other. Their
// positions are the same already.
func (s *Session) adopt(tokens []int32) int {
	base, parent := s.filled(), s.filled()-1
	var rows []int
	for i := range s.branches {
		b := &s.branches[i]
		if len(rows) < len(tokens) && b.parent == parent && b.token == tokens[len(rows)] {
			parent = base + i
			rows = append(rows, parent)
		}
	}
	for i, row := range rows {
		if !s.moveRow(base+i, row) {
			return i // the rest is computed again, where the error will tell
		}
		s.held = append(s.held, tokens[i])
	}
	return len(rows)
}

// moveRow copies one position of all keys and values, if it can. Rows of a branch
// ascend, so a target is never a row that is still to be moved.
func (s *Session) moveRow(to, from int) bool {
	for _, v := range s.model.next.states {
		if s.next.MoveRow(v, to, from) != nil {
			return false
		}
	}
	return true
}

// read appends tokens to what is held, a batch at a time, and gives the logits
// after the last one if they are wanted; they are valid until the next read.
func (s *Session) read(ctx context.Context, tokens []int32, wanted bool) ([]float32, error) {
	p := &s.model.next
	for len(tokens) > 0 {
		n := min(len(tokens), s.model.batch)
		selected := 0
		if wanted && n == len(tokens) {
			selected = 1
		}
		s.next.Set(p.tokens, n)
		s.next.Set(p.past, s.filled())
		s.next.Set(p.selected, selected)
		s.fill(tokens[:n])
		positions := s.next.I32(p.positions)
		for i := range n {
			positions[i] = int32(s.filled() + i)
		}
		if selected == 1 {
			s.next.I32(p.rows)[0] = int32(n - 1)
		}
		if err := s.next.Run(ctx); err != nil {
			if all := append(s.held, tokens...); s.recover(err) {
				tokens = all
				continue
			}
			return nil, err
		}
		s.held = append(s.held, tokens[:n]...)
		tokens = tokens[n:]
	}
	if !wanted {
		return nil, nil
	}
	return s.next.F32(p.logits), nil
}

// recover says whether an error means that the cache is empty and can be filled
// again. What came of media cannot.
func (s *Session) recover(err error) bool {
	if !errors.Is(err, kernels.ErrStatesLost) {
		return false
	}
	again := s.seen == 0
	s.held, s.branches, s.seen = nil, nil, 0
	s.begin()
	return again
}

// fill sets what the next run reads.
func (s *Session) fill(tokens []int32) {
	p := &s.model.next
	ids := s.next.I32(p.ids)
	copy(ids, tokens)
	p.media.set(s.next, s.model.base.options.Cross, len(tokens), s.seen)
	if p.given == 0 {
		return
	}
	given, isToken, width := s.next.F32(p.given), s.next.F32(p.isToken), s.model.config.Width
	clear(given)
	for i, id := range tokens {
		isToken[i] = 1
		if id < 0 {
			ids[i], isToken[i] = 0, 0
			copy(given[i*width:], s.rows[id])
		}
	}
}

// Logits reads a prompt and gives the logits of what may follow, one for each
// token of the vocabulary; valid until the session is used again.
func (s *Session) Logits(ctx context.Context, prompt []int32) ([]float32, error) {
	if err := s.check(prompt, 0); err != nil {
		return nil, err
	}
	kept := s.keep(prompt[:len(prompt)-1])
	return s.read(ctx, prompt[kept:], true)
}
