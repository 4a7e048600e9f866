package generate

import (
	"context"
	"math/rand/v2"
)

// Generate reads a prompt and continues it. emit is called for each token with
// the text that has become certain by it: whole characters that are not the
// beginning of a stop text; what is held back at the end comes with token -1.
// The answer ends at a token that closes one, before a stop text, at a limit of
// o, when the context is full, or when emit returns false: all without error.
func (s *Session) Generate(ctx context.Context, prompt []int32, o Sampling, emit func(token int32, piece string) bool) error {
	if err := o.check(); err != nil {
		return err
	}
	logits, err := s.Logits(ctx, prompt)
	if err != nil {
		return err
	}
	return s.answer(ctx, logits, o, emit)
}

// answer continues what was read, after which the logits are these.
func (s *Session) answer(ctx context.Context, logits []float32, o Sampling, emit func(token int32, piece string) bool) error {
	random := rand.New(rand.NewPCG(o.Seed, 0))
	out, node, next := &stream{stops: o.Stop}, 0, int32(-1) // next: as the backend drew it
	for n := 0; o.MaxTokens == 0 || n < o.MaxTokens; n++ {
		var allowed []int32
		if o.Grammar != nil {
			if allowed, _ = o.Grammar.Children(node); len(allowed) == 0 {
				break
			}
			if err := s.checkTokens(allowed); err != nil {
				return err
			}
		}
		token, err := next, error(nil)
		if next < 0 {
			token, err = s.sampler.next(&o, random, logits, allowed, s.model.vocabulary(), s.held)
		}
		if err != nil {
			return err
		}
		if o.Grammar != nil {
			node = o.Grammar.child(node, token)
		} else if s.ends(token) {
			break
		}
		piece, stopped := out.add(s.piece(token))
		if !emit(token, piece) || stopped {
			return nil
		}
		if len(s.held) == s.model.Context() {
			break
		}
		if logits, next, err = s.follow(ctx, token, &o, random); err != nil {
			return err
		}
	}
	if rest := out.rest(); rest != "" {
		emit(-1, rest)
	}
	return nil
}

// follow reads a token and gives the logits of the next, or the next itself where
// the backend draws it (otherwise −1).
func (s *Session) follow(ctx context.Context, token int32, o *Sampling, random *rand.Rand) (logits []float32, next int32, err error) {
	drawn, err := s.drawn(o)
	if err != nil {
		return nil, -1, err
	}
	if drawn {
		next, err = s.readDraw(ctx, token, o, random.Float64())
		return nil, next, err
	}
	logits, err = s.read(ctx, []int32{token}, true)
	return logits, -1, err
}

func (s *Session) ends(token int32) bool {
	return s.model.tokenizer != nil && s.model.tokenizer.Ends(token)
}

// piece is the text of a token; a special one has none.
func (s *Session) piece(token int32) string {
	t := s.model.tokenizer
	if t == nil || t.Special(token) {
		return ""
	}
	return t.Piece(token)
}
