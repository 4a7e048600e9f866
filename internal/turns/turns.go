package turns

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/encoder/vision"
	"github.com/kuai-robot/kuai/robot"
)

// Turn is one measurement.
type Turn struct {
	Milliseconds float64 `json:"ms"`
	// What came out, to compare: an embedding, or a text.
	Embedding []float32 `json:"embedding,omitempty"`
	Text      string    `json:"text,omitempty"`
	// Texts are those of all recordings.
	Texts []string `json:"texts,omitempty"`
	// WeightsMB and SessionsMB are what the kernels hold.
	WeightsMB  float64 `json:"weights_mb"`
	SessionsMB float64 `json:"sessions_mb"`
}

// Turns is work that is loaded once and measured again and again, in turns with
// a peer. It belongs to one goroutine.
type Turns struct {
	backend *cpu.Backend
	clock   robot.Clock
	once    func(context.Context, *Turn) error
	close   func() error
}

// Work says what is measured.
type Work struct {
	// Kind is encode (a picture), prefill or decode (a language model), asr (a
	// clip of speech) or wer (Recordings, in the folder Input).
	Kind string
	// Model is the folder or file of the weights, Input the picture (towerSize
	// squared, raw RGB) or clip (raw, 16 kHz).
	Model, Input string
	// Precision is stored, f32, bf16 or int8; empty means stored.
	Precision string
	Threads   int
}

// Sizes: the prompt that a language model reads, the answer that it writes, the
// positions that it holds; the clip that is heard.
const (
	PromptTokens = 512
	AnswerTokens = 64
	modelContext = 2048
	ClipSeconds  = 3
)

// ParsePrecision reads the name of a precision.
func ParsePrecision(name string) (kernels.Precision, error) {
	for _, p := range []kernels.Precision{kernels.Stored, kernels.Float32, kernels.BFloat16, kernels.Int8} {
		if p.String() == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("precision %q: want stored, f32, bf16 or int8", name)
}

// Open loads what w needs.
func Open(w Work) (*Turns, error) {
	precision := kernels.Stored
	if w.Precision != "" {
		var err error
		if precision, err = ParsePrecision(w.Precision); err != nil {
			return nil, err
		}
	}
	t := &Turns{backend: cpu.New(cpu.Options{Threads: w.Threads}).(*cpu.Backend), clock: robot.NewSystemClock()}
	var err error
	switch w.Kind {
	case "encode":
		err = t.openEncode(w, kernels.Options{Precision: precision})
	case "prefill", "decode":
		err = t.openModel(w, kernels.Options{Precision: precision})
	case "asr":
		err = t.openSpeech(w, kernels.Options{Precision: precision})
	case "wer":
		err = t.openRecordings(w, kernels.Options{Precision: precision})
	default:
		err = fmt.Errorf("work %q: want encode, prefill, decode, asr or wer", w.Kind)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Turns) openEncode(w Work, o kernels.Options) error {
	frame, err := readSquare(w.Input)
	if err != nil {
		return err
	}
	m, err := vision.Open(w.Model, t.backend, vision.Options{Compile: o})
	if err != nil {
		return err
	}
	s, err := m.NewSession()
	if err != nil {
		return errors.Join(err, m.Close())
	}
	t.close = func() error { return errors.Join(s.Close(), m.Close()) }
	t.once = func(ctx context.Context, turn *Turn) error {
		began := t.clock.Now()
		embedding, err := s.Encode(ctx, frame)
		turn.Milliseconds, turn.Embedding = t.since(began), embedding
		return err
	}
	return nil
}

// readSquare reads a picture of towerSize squared; without a path it is noise.
func readSquare(path string) (*robot.Frame, error) {
	frame := &robot.Frame{Width: towerSize, Height: towerSize, Pixels: make([]byte, 3*towerSize*towerSize)}
	if path == "" {
		random := rand.New(rand.NewPCG(3, 4))
		for i := range frame.Pixels {
			frame.Pixels[i] = byte(random.Uint32())
		}
		return frame, nil
	}
	pixels, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	if len(pixels) != len(frame.Pixels) {
		return nil, fmt.Errorf("picture %s: %d bytes, want %d of raw RGB", path, len(pixels), len(frame.Pixels))
	}
	frame.Pixels = pixels
	return frame, nil
}

func (t *Turns) openModel(w Work, o kernels.Options) error {
	m, err := generate.Open(w.Model, t.backend, generate.Options{Context: modelContext, Compile: o})
	if err != nil {
		return err
	}
	s, err := m.NewSession()
	if err != nil {
		return errors.Join(err, m.Close())
	}
	t.close = func() error { return errors.Join(s.Close(), m.Close()) }
	decode, count := w.Kind == "decode", int32(0)
	t.once = func(ctx context.Context, turn *Turn) error {
		count++
		prompt := Prompt(m, count)
		began := t.clock.Now()
		if _, err := s.Logits(ctx, prompt); err != nil {
			return err
		}
		if decode {
			began = t.clock.Now()
			if err := Follow(ctx, s, prompt); err != nil {
				return err
			}
		}
		turn.Milliseconds = t.since(began)
		return nil
	}
	return nil
}

func (t *Turns) openSpeech(w Work, o kernels.Options) error {
	samples, err := readClip(w.Input)
	if err != nil {
		return err
	}
	r, err := speech.Open(w.Model, t.backend, speech.Options{Compile: o})
	if err != nil {
		return err
	}
	s, err := r.NewSession()
	if err != nil {
		return errors.Join(err, r.Close())
	}
	t.close = func() error { return errors.Join(s.Close(), r.Close()) }
	t.once = func(ctx context.Context, turn *Turn) error {
		began := t.clock.Now()
		result, err := s.Transcribe(ctx, samples, "en")
		turn.Milliseconds, turn.Text = t.since(began), strings.Join(speech.Words(result.Text), " ")
		return err
	}
	return nil
}

// readClip reads raw sound and fills it up with silence to ClipSeconds.
func readClip(path string) ([]float32, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	clip, err := audio.ReadRaw(file, audio.Rate)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("clip %s: %w", path, err)
	}
	const length = ClipSeconds * audio.Rate
	if len(clip.Samples) > length {
		return nil, fmt.Errorf("clip %s: %d samples, want at most %d", path, len(clip.Samples), length)
	}
	return append(clip.Samples, make([]float32, length-len(clip.Samples))...), nil
}

func (t *Turns) since(began robot.Time) float64 { return t.clock.Now().Sub(began).Seconds() * 1e3 }

// Once measures once. The embedding is valid until it is called again.
func (t *Turns) Once(ctx context.Context) (Turn, error) {
	var turn Turn
	err := t.once(ctx, &turn)
	weights, sessions := t.backend.Held()
	turn.WeightsMB, turn.SessionsMB = float64(weights)/1e6, float64(sessions)/1e6
	return turn, err
}

// Close frees what was loaded.
func (t *Turns) Close() error { return t.close() }

// Serve measures once for each line of in, and writes one Turn as a line of JSON
// to out; it ends with in. The first line, before any measurement, is "ready".
func (t *Turns) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	if _, err := fmt.Fprintln(out, "ready"); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		turn, err := t.Once(ctx)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(turn); err != nil {
			return err
		}
	}
	return lines.Err()
}
