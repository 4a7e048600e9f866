package embed

import (
	"context"
	"errors"
	"fmt"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// Options of a model; the zero value computes with the weights as stored.
type Options struct {
	Compile kernels.Options
	// Camera is vision.Options.Camera.
	Camera int
	// Sound is speech.Options.Sound.
	Sound bool
}

// Text is a text encoder compiled for a backend. It is safe for use from many
// goroutines.
type Text struct {
	config               Config
	tokenizer            Tokenizer
	program              *kernels.Program
	tokens               kernels.Scalar
	ids, positions, last kernels.Value
	embedding            kernels.Value
}

// OpenText loads the text encoder of a folder for backend.
func OpenText(dir string, backend kernels.Backend, o Options) (*Text, error) {
	f, err := checkpoint.Open(dir)
	if err != nil {
		return nil, err
	}
	t, err := openText(f, dir, backend, o)
	return t, errors.Join(err, f.Close())
}

func openText(f *checkpoint.File, dir string, backend kernels.Backend, o Options) (*Text, error) {
	c, err := ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	open := map[Family]func(string) (Tokenizer, error){CLIP: openCLIPTokenizer, SigLIP: openSigLIPTokenizer, BERT: openWordPiece}[c.Family]
	tokenizer, err := open(dir)
	if err != nil {
		return nil, err
	}
	tower, err := Load(f, c)
	if err != nil {
		return nil, err
	}
	t, err := NewText(tower, tokenizer, backend, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return t, nil
}

// NewText compiles a tower; its weights are not read again after.
func NewText(tower *Tower, tokenizer Tokenizer, backend kernels.Backend, o Options) (*Text, error) {
	c := tower.Config
	if tokenizer.Len() > c.Vocabulary {
		return nil, fmt.Errorf("the tokenizer has %d tokens, vocab_size is %d", tokenizer.Len(), c.Vocabulary)
	}
	g := kernels.NewGraph(string(c.Family) + " text")
	t := &Text{config: c, tokenizer: tokenizer, tokens: g.Scalar("tokens", c.Tokens)}
	t.ids = g.Input("ids", kernels.I32, t.tokens.Dim())
	t.positions = g.Input("positions", kernels.I32, t.tokens.Dim())
	t.last = g.Input("last", kernels.I32, kernels.N(1))
	t.embedding = tower.Build(g, t.ids, t.positions, t.last)
	g.Output("embedding", t.embedding)
	var err error
	t.program, err = kernels.Compile(g, backend, o.Compile)
	return t, err
}

// Config is the shape of the encoder.
func (t *Text) Config() Config { return t.config }

// Tokens gives what the encoder sees of a sentence.
func (t *Text) Tokens(sentence string) []int32 { return t.tokenizer.Encode(sentence, t.config.Tokens) }

// Close frees the weights once the last session is closed.
func (t *Text) Close() error { return t.program.Close() }

// TextSession is one user of a Text. It belongs to one goroutine at a time.
type TextSession struct {
	text    *Text
	kernels *kernels.Session
}

// NewSession allocates the memory of one more user.
func (t *Text) NewSession() (*TextSession, error) {
	k, err := t.program.NewSession()
	if err != nil {
		return nil, err
	}
	return &TextSession{t, k}, nil
}

// Close frees the memory of the session.
func (s *TextSession) Close() error { return s.kernels.Close() }

// Encode gives the embedding of a sentence, of unit length; valid until the
// session is used again.
func (s *TextSession) Encode(ctx context.Context, sentence string) ([]float32, error) {
	return s.EncodeTokens(ctx, s.text.Tokens(sentence))
}

// EncodeTokens is Encode for tokens, the special ones included. It allocates
// nothing.
func (s *TextSession) EncodeTokens(ctx context.Context, ids []int32) ([]float32, error) {
	if len(ids) == 0 || len(ids) > s.text.config.Tokens {
		return nil, fmt.Errorf("a sentence of %d tokens, want 1 to %d", len(ids), s.text.config.Tokens)
	}
	s.kernels.Set(s.text.tokens, len(ids))
	copy(s.kernels.I32(s.text.ids), ids)
	for i := range s.kernels.I32(s.text.positions) {
		s.kernels.I32(s.text.positions)[i] = int32(i)
	}
	if last := s.kernels.I32(s.text.last); last != nil {
		last[0] = int32(len(ids) - 1)
	}
	if err := s.kernels.Run(ctx); err != nil {
		return nil, err
	}
	return s.kernels.F32(s.text.embedding), nil
}
