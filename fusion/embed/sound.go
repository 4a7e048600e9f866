package embed

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/encoder/hearing"
)

// SoundFolders are those of the encoders that a sound head was trained on.
type SoundFolders struct {
	Sound string // Whisper, in either layout
	Text  string // a sentence encoder, as OpenText reads it
}

// Sound says how well sounds and sentences fit each other. It is safe for use
// from many goroutines.
type Sound struct {
	Text    *Text
	head    *SoundHead
	tower   hearing.Config
	in      hearing.Inputs
	samples bool // the ears' input is samples
	out     kernels.Value
	ears    *kernels.Program // spectrogram to embedding
	reader  *kernels.Program // sentence to embedding
	given   kernels.Value
	read    kernels.Value
}

// OpenSound loads the head in dir and its encoders for backend.
func OpenSound(dir string, folders SoundFolders, backend kernels.Backend, o Options) (*Sound, error) {
	c, err := ReadSoundConfig(dir)
	if err != nil {
		return nil, err
	}
	f, err := checkpoint.Open(dir)
	if err != nil {
		return nil, err
	}
	s, err := openSound(f, c, folders, backend, o)
	return s, errors.Join(err, f.Close())
}

func openSound(f *checkpoint.File, c SoundConfig, folders SoundFolders, backend kernels.Backend, o Options) (*Sound, error) {
	head, err := LoadSoundHead(f, c)
	if err != nil {
		return nil, err
	}
	s := &Sound{head: head}
	if err := s.openEars(folders.Sound, backend, o); err != nil {
		return nil, err
	}
	if s.Text, err = OpenText(folders.Text, backend, o); err != nil {
		return nil, errors.Join(err, s.ears.Close())
	}
	if width := s.Text.config.Embedding; width != c.TextWidth {
		err := fmt.Errorf("%s: config.json: text_width: %d, and %s gives %d (is %s the encoder that it was trained on?)",
			f.Path, c.TextWidth, folders.Text, width, folders.Text)
		return nil, errors.Join(err, s.ears.Close(), s.Text.Close())
	}
	g := kernels.NewGraph("text head")
	s.given = g.Input("sentence", kernels.F32, kernels.N(1), kernels.N(c.TextWidth))
	s.read = head.Text(g, s.given)
	g.Output("embedding", s.read)
	if s.reader, err = kernels.Compile(g, backend, o.Compile); err != nil {
		return nil, errors.Join(err, s.ears.Close(), s.Text.Close())
	}
	return s, nil
}

// openEars compiles Whisper's encoder with the head behind it.
func (s *Sound) openEars(dir string, backend kernels.Backend, o Options) error {
	f, err := checkpoint.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(s.compileEars(f, dir, backend, o), f.Close())
}

func (s *Sound) compileEars(f *checkpoint.File, dir string, backend kernels.Backend, o Options) error {
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return fmt.Errorf("sound encoder: %w", err)
	}
	if s.tower, err = hearing.ReadConfig(f, text); err != nil {
		return err
	}
	if width := s.head.Config.SoundWidth; width != s.tower.Width {
		return fmt.Errorf("sound head: config.json: sound_width: %d, and %s gives %d (is it the encoder that the head was trained on?)", width, dir, s.tower.Width)
	}
	tower, err := hearing.LoadTower(hearing.NewReader(f, s.tower), s.tower)
	if err != nil {
		return err
	}
	g := kernels.NewGraph("sound")
	var hidden kernels.Value
	compile := o.Compile
	if s.samples = o.Sound; o.Sound {
		s.in, hidden, err = tower.BuildSound(g, &compile)
	} else {
		s.in, hidden = tower.Build(g)
	}
	if err != nil {
		return err
	}
	s.out = s.head.Sound(g, hidden)
	g.Output("embedding", s.out)
	s.ears, err = kernels.Compile(g, backend, compile)
	return err
}

// Config is the shape of the head.
func (s *Sound) Config() SoundConfig { return s.head.Config }

// Close frees the weights once the last session is closed.
func (s *Sound) Close() error { return errors.Join(s.ears.Close(), s.Text.Close(), s.reader.Close()) }

// SoundSession matches sounds with the sentences that it was made for. It
// belongs to one goroutine at a time.
type SoundSession struct {
	sound *Sound
	ears  *kernels.Session
	mel   interface {
		Compute(dst, samples []float32, frames int)
	}
	texts   [][]float32
	matches []Match
}

// NewSession embeds the sentences, once for all sounds; there may be none for
// who wants embeddings alone.
func (s *Sound) NewSession(ctx context.Context, sentences []string) (*SoundSession, error) {
	out := &SoundSession{sound: s, mel: audio.Samples{}}
	var err error
	if !s.samples {
		if out.mel, err = audio.NewLogMel(s.tower.Bands); err != nil {
			return nil, err
		}
	}
	for _, sentence := range sentences {
		embedding, err := s.embed(ctx, sentence)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", sentence, err)
		}
		out.texts = append(out.texts, embedding)
		out.matches = append(out.matches, Match{Text: sentence})
	}
	out.ears, err = s.ears.NewSession()
	return out, err
}

// embed gives a sentence's embedding in the space of sounds.
func (s *Sound) embed(ctx context.Context, sentence string) (embedding []float32, err error) {
	text, err := s.Text.NewSession()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, text.Close()) }()
	reader, err := s.reader.NewSession()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	plain, err := text.Encode(ctx, sentence)
	if err != nil {
		return nil, err
	}
	copy(reader.F32(s.given), plain)
	if err := reader.Run(ctx); err != nil {
		return nil, err
	}
	return append([]float32(nil), reader.F32(s.read)...), nil
}

// Close frees the memory of the session.
func (s *SoundSession) Close() error { return s.ears.Close() }

// Encode gives the embedding of a clip, mono at audio.Rate, of unit length;
// valid until the session is used again. Errors: a clip that is empty, longer
// than the encoder hears, or holds NaN or infinity. It allocates nothing.
func (s *SoundSession) Encode(ctx context.Context, samples []float32) ([]float32, error) {
	most := 2 * s.sound.tower.Positions
	frames := (len(samples) + audio.Hop - 1) / audio.Hop
	switch {
	case frames == 0:
		return nil, fmt.Errorf("sound: %w", audio.ErrEmpty)
	case frames > most:
		return nil, fmt.Errorf("sound: %.1f s, the encoder hears %.1f s at most: cut the clip", float64(len(samples))/audio.Rate, float64(most*audio.Hop)/audio.Rate)
	}
	for i, x := range samples {
		if x != x || math.IsInf(float64(x), 0) {
			return nil, fmt.Errorf("sound: sample %d is NaN or infinite", i)
		}
	}
	s.ears.Set(s.sound.in.Frames, frames)
	s.mel.Compute(s.ears.F32(s.sound.in.Mel), samples, frames)
	places := s.ears.I32(s.sound.in.Places)
	for i := range places {
		places[i] = int32(i)
	}
	if err := s.ears.Run(ctx); err != nil {
		return nil, err
	}
	return s.ears.F32(s.sound.out), nil
}

// Match gives how well each sentence fits the clip, in their order; valid until
// the session is used again. Errors are those of Encode. It allocates nothing.
func (s *SoundSession) Match(ctx context.Context, samples []float32) ([]Match, error) {
	heard, err := s.Encode(ctx, samples)
	if err != nil {
		return nil, err
	}
	scale, most, sum := math.Exp(float64(s.sound.head.scale)), math.Inf(-1), 0.0
	for i := range s.matches {
		s.matches[i].Cosine = Cosine(heard, s.texts[i])
		most = max(most, scale*s.matches[i].Cosine)
	}
	for i := range s.matches {
		m := &s.matches[i]
		m.Probability = math.Exp(scale*m.Cosine - most)
		sum += m.Probability
	}
	for i := range s.matches {
		s.matches[i].Probability /= sum
	}
	return s.matches, nil
}
