package speech_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
	"github.com/kuai-robot/kuai/perception/audio"
)

// The fixtures lie with those of the other towers; see make_whisper.py there.
const fixtures = "../../perception/encoder/testdata"

// sound is the clip of the same name in common.py there.
func sound(seconds float64, seed uint32) []float32 {
	samples := make([]float32, int(seconds*audio.Rate))
	for i := range samples {
		at := uint32(i)*2654435761 + seed*40503
		at ^= at >> 15
		noise, t := float64(at*2246822519>>16)/32768-1, float64(i)
		loud := 0.0005
		if i/4000%2 == 0 {
			loud = 0.05
		}
		tone := math.Sin(2*math.Pi*(200+0.05*t)*t/audio.Rate)*0.3 + math.Sin(2*math.Pi*50*t/audio.Rate)*0.1
		samples[i] = float32(tone + noise*loud)
	}
	return samples
}

// fixtureCase is a clip with what transformers in f64 makes of it, deciding
// greedily.
type fixtureCase struct {
	Seconds  float64
	Frames   int
	Seed     uint32
	Hidden   []float64 // the last embedding
	Language int32
	NoSpeech float64
	Logits   []float64
	IDs      []int32
	LogP     []float64
}

func readFixture(t *testing.T) []fixtureCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(fixtures, "whisper", "parity.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Cases []fixtureCase }
	if err := json.Unmarshal(data, &f); err != nil || len(f.Cases) < 3 {
		t.Fatalf("%d cases, %v", len(f.Cases), err)
	}
	return f.Cases
}

func newSession(t testing.TB, dir string, backend kernels.Backend, o speech.Options) *speech.Session {
	t.Helper()
	r, err := speech.Open(dir, backend, o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), r.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Both layouts give what transformers gives: the same embeddings, tokens and
// probabilities.
func TestParity(t *testing.T) {
	for _, layout := range []string{"whisper", "whisper-ctranslate2"} {
		for _, backend := range []kernels.Backend{ref.New(), cpu.New(cpu.Options{})} {
			for _, c := range readFixture(t) {
				samples := sound(c.Seconds, c.Seed)
				tail := c.Frames - (len(samples)+audio.Hop-1)/audio.Hop
				if tail == 0 {
					tail = 1 // the model hears no more frames than it has positions
				}
				s := newSession(t, filepath.Join(fixtures, layout), backend, speech.Options{Tail: tail, Plain: true, Compile: kernels.Options{Precision: kernels.Float32}})
				got, err := s.Transcribe(context.Background(), samples, "en")
				if err != nil {
					t.Fatal(err)
				}
				check(t, layout+" on "+backend.Name(), &c, s, &got)
			}
		}
	}
}

func check(t *testing.T, what string, c *fixtureCase, s *speech.Session, got *speech.Result) {
	t.Helper()
	hidden := s.Hidden()
	if want := (c.Frames + 1) / 2 * len(c.Hidden); len(hidden) != want {
		t.Fatalf("%s: %d numbers of %d frames, want %d", what, len(hidden), c.Frames, want)
	}
	for i, want := range c.Hidden {
		if d := math.Abs(float64(hidden[len(hidden)-len(c.Hidden)+i]) - want); d > 2e-4 { // the spectrogram of transformers is in f32
			t.Errorf("%s, %g s: the last embedding is off by %.2g at %d", what, c.Seconds, d, i)
		}
	}
	if d := math.Abs(got.NoSpeech - c.NoSpeech); d > 1e-4 {
		t.Errorf("%s, %g s: no-speech probability %.5f, want %.5f", what, c.Seconds, got.NoSpeech, c.NoSpeech)
	}
	var ids []int32
	for i, token := range got.Tokens {
		ids = append(ids, token.ID)
		if i < len(c.LogP) && math.Abs(token.LogP-c.LogP[i]) > 2e-3 {
			t.Errorf("%s, %g s: token %d has log-probability %.5f, want %.5f", what, c.Seconds, i, token.LogP, c.LogP[i])
		}
	}
	n := min(len(ids), len(c.IDs))
	if n < 3 || !slices.Equal(ids[:n], c.IDs[:n]) {
		t.Errorf("%s, %g s: tokens %v, want %v", what, c.Seconds, ids, c.IDs)
	}
}
