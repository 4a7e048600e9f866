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
	vocabulary := s.model.config.Vocab
	if s.model.tokenizer != nil {
		vocabulary = s.model.tokenizer.Len() // an embedding may be padded
	}
	random := rand.New(rand.NewPCG(o.Seed, 0))
	out, node := &stream{stops: o.Stop}, 0
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
		token, err := s.sampler.next(&o, random, logits, allowed, vocabulary, s.held)
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
		if logits, err = s.read(ctx, []int32{token}, true); err != nil {
			return err
		}
	}
	if rest := out.rest(); rest != "" {
		emit(-1, rest)
	}
	return nil
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
