package embed

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/encoder"
	"github.com/kuai-robot/kuai/perception/encoder/vision"
	"github.com/kuai-robot/kuai/robot"
)

// Pair is an image tower and the text tower that was trained with it. It is
// safe for use from many goroutines.
type Pair struct {
	Vision *vision.Model
	Text   *Text
	scale  float64 // of a cosine, before it becomes a probability
	bias   float64
}

// OpenPair loads both towers of a folder for backend.
func OpenPair(dir string, backend kernels.Backend, o Options) (*Pair, error) {
	c, err := vision.ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	f, err := checkpoint.Open(dir)
	if err != nil {
		return nil, err
	}
	p, err := openPair(f, dir, c, backend, o)
	return p, errors.Join(err, f.Close())
}

func openPair(f *checkpoint.File, dir string, c vision.Config, backend kernels.Backend, o Options) (*Pair, error) {
	l := encoder.NewLoader(f)
	p := &Pair{scale: math.Exp(float64(l.Number("logit_scale")))}
	if c.Family == vision.SigLIP {
		p.bias = float64(l.Number("logit_bias"))
	}
	if l.Err() != nil {
		return nil, l.Err()
	}
	tower, err := vision.Load(f, c)
	if err != nil {
		return nil, err
	}
	if p.Text, err = openText(f, dir, backend, o); err != nil {
		return nil, err
	}
	if c.Embedding != p.Text.config.Embedding {
		return nil, errors.Join(fmt.Errorf("%s: config.json: embeddings of %d for pictures and %d for text", dir, c.Embedding, p.Text.config.Embedding), p.Text.Close())
	}
	if p.Vision, err = vision.New(tower, backend, vision.Options{Compile: o.Compile, Camera: o.Camera}); err != nil {
		return nil, errors.Join(err, p.Text.Close())
	}
	return p, nil
}

// Close frees the weights once the last session is closed.
func (p *Pair) Close() error { return errors.Join(p.Vision.Close(), p.Text.Close()) }

// Match is how well a sentence fits a picture.
type Match struct {
	Text string `json:"text"`
	// Cosine of the two embeddings.
	Cosine float64 `json:"cosine"`
	// Probability as the model was trained to give it: for CLIP that of this
	// sentence among those given, for SigLIP that it fits, whatever the others.
	Probability float64 `json:"probability"`
}

// PairSession matches pictures with the sentences that it was made for. It
// belongs to one goroutine at a time.
type PairSession struct {
	pair    *Pair
	vision  *vision.Session
	texts   [][]float32
	matches []Match
}

// NewSession embeds the sentences, once for all pictures.
func (p *Pair) NewSession(ctx context.Context, sentences []string) (*PairSession, error) {
	if len(sentences) == 0 {
		return nil, errors.New("no sentence to match pictures with")
	}
	text, err := p.Text.NewSession()
	if err != nil {
		return nil, err
	}
	s := &PairSession{pair: p}
	for _, sentence := range sentences {
		embedding, err := text.Encode(ctx, sentence)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%q: %w", sentence, err), text.Close())
		}
		s.texts = append(s.texts, append([]float32(nil), embedding...))
		s.matches = append(s.matches, Match{Text: sentence})
	}
	if err := text.Close(); err != nil {
		return nil, err
	}
	s.vision, err = p.Vision.NewSession()
	return s, err
}

// Close frees the memory of the session.
func (s *PairSession) Close() error { return s.vision.Close() }

// Match gives how well each sentence fits the picture, in their order; valid
// until the session is used again. It allocates nothing once it has seen the
// size of the pictures.
func (s *PairSession) Match(ctx context.Context, f *robot.Frame) ([]Match, error) {
	picture, err := s.vision.Encode(ctx, f)
	if err != nil {
		return nil, err
	}
	p, most := s.pair, math.Inf(-1)
	for i := range s.matches {
		m := &s.matches[i]
		m.Cosine = Cosine(picture, s.texts[i])
		m.Probability = p.scale*m.Cosine + p.bias
		most = max(most, m.Probability)
	}
	sum := 0.0
	for i := range s.matches {
		m := &s.matches[i]
		if p.Text.config.Family == SigLIP {
			m.Probability = 1 / (1 + math.Exp(-m.Probability))
			continue
		}
		m.Probability = math.Exp(m.Probability - most)
		sum += m.Probability
	}
	if p.Text.config.Family != SigLIP {
		for i := range s.matches {
			s.matches[i].Probability /= sum
		}
	}
	return s.matches, nil
}

// Cosine of two embeddings of unit length and equal size.
func Cosine(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
