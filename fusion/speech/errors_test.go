package speech_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
	"github.com/kuai-robot/kuai/perception/audio"
)

// spoiled copies the folder of a fixture with one file changed, or left out
// where the change gives nil.
func spoiled(t *testing.T, layout, file string, change func(data []byte) []byte) string {
	t.Helper()
	dir := t.TempDir()
	entries, err := os.ReadDir(filepath.Join(fixtures, layout))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(fixtures, layout, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if entry.Name() == file {
			if data = change(data); data == nil {
				continue
			}
		}
		if err := os.WriteFile(filepath.Join(dir, entry.Name()), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func replace(from, to string) func([]byte) []byte {
	return func(data []byte) []byte { return bytes.ReplaceAll(data, []byte(from), []byte(to)) }
}

// A folder that does not hold what it says is an error that names the file and
// the tensor, field or token.
func TestOpenErrors(t *testing.T) {
	const hf, ct2 = "whisper", "whisper-ctranslate2"
	nan := func(data []byte) []byte {
		copy(data[len(data)-4:], "\xff\xff\xff\xff")
		return data
	}
	for want, c := range map[string]struct {
		layout, file string
		change       func([]byte) []byte
	}{
		"config.json":                          {hf, "config.json", func([]byte) []byte { return nil }},
		"tokenizer.json":                       {hf, "tokenizer.json", func([]byte) []byte { return nil }},
		`model_type: "wav2vec2"`:               {hf, "config.json", replace(`"model_type": "whisper"`, `"model_type": "wav2vec2"`)},
		"d_model":                              {hf, "config.json", replace(`"d_model": 32`, `"d_model": 0`)},
		"conv1.weight has shape":               {hf, "config.json", replace(`"num_mel_bins": 80`, `"num_mel_bins": 81`)},
		"num_mel_bins: 1000":                   {hf, "config.json", replace(`"num_mel_bins": 80`, `"num_mel_bins": 1000`)},
		"embed_positions.weight has shape":     {hf, "config.json", replace(`"max_source_positions": 60`, `"max_source_positions": 61`)},
		"no tensor model.encoder.layers.2":     {hf, "config.json", replace(`"encoder_layers": 2`, `"encoder_layers": 3`)},
		"is NaN or infinite":                   {hf, "model.safetensors", nan},
		"truncated":                            {hf, "model.safetensors", func(data []byte) []byte { return data[:len(data)/2] }},
		"<|transcribe|> is no token":           {hf, "tokenizer.json", replace("<|transcribe|>", "<|trans|>")},
		"suppressed token 100000":              {hf, "generation_config.json", replace(`"suppress_tokens": [`, `"suppress_tokens": [100000,`)},
		"token 100000, suppressed at first":    {hf, "generation_config.json", replace(`"begin_suppress_tokens": [`, `"begin_suppress_tokens": [100000,`)},
		"needs":                                {ct2, "model.bin", func(data []byte) []byte { return data[:len(data)/2] }},
		"encoder/num_heads":                    {ct2, "model.bin", replace("encoder/num_heads", "encoder/num_tails")},
		"decoder/layer_1/ffn/layer_norm/gamma": {ct2, "model.bin", replace("decoder/layer_1/ffn/layer_norm/gamma", "decoder/layer_1/ffn/layer_norm/gimma")},
		"decoder/position_encodings/encodings": {ct2, "model.bin", replace("decoder/position_encodings/encodings", "decoder/position_encodings/encodinks")},
	} {
		if _, err := speech.Open(spoiled(t, c.layout, c.file, c.change), ref.New(), speech.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
	for want, o := range map[string]speech.Options{
		"a beam of 9":   {Beam: 9},
		"a beam of -1":  {Beam: -1},
		"texts of 1000": {Tokens: 1000},
		"a tail of -5":  {Tail: -5},
	} {
		if _, err := speech.Open(filepath.Join(fixtures, hf), ref.New(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

// Clips that make no sense are errors, and the session can be used on.
func TestClipErrors(t *testing.T) {
	s := newSession(t, filepath.Join(fixtures, "whisper"), ref.New(), speech.Options{})
	if _, err := s.Transcribe(context.Background(), nil, "en"); !errors.Is(err, audio.ErrEmpty) {
		t.Errorf("an empty clip: %v", err)
	}
	samples := sound(0.3, 1)
	if _, err := s.Transcribe(context.Background(), samples, "klingon"); err == nil || !strings.Contains(err.Error(), `language "klingon"`) {
		t.Errorf("an unknown language: %v", err)
	}
	spoilt := slices.Clone(samples)
	spoilt[7] = float32(math.NaN())
	if _, err := s.Transcribe(context.Background(), spoilt, "en"); err == nil || !strings.Contains(err.Error(), "sample 7") {
		t.Errorf("a sample that is no number: %v", err)
	}
	for _, n := range []int{1, len(samples)} {
		if _, err := s.Transcribe(context.Background(), samples[:n], ""); err != nil {
			t.Errorf("%d samples: %v", n, err)
		}
	}
}

// countdown is a context that ends after so many looks at it.
type countdown struct {
	context.Context
	left *int
}

func (c countdown) Err() error {
	if *c.left--; *c.left < 0 {
		return context.Canceled
	}
	return nil
}

// A context that ends is noticed before the next token, wherever that is.
func TestCancelWithinOneToken(t *testing.T) {
	s := newSession(t, filepath.Join(fixtures, "whisper"), ref.New(), speech.Options{})
	samples := sound(1, 1)
	want, err := s.Transcribe(context.Background(), samples, "en")
	if err != nil {
		t.Fatal(err)
	}
	// One look for the tower, one for the prompt, one for each token after the first.
	passes := 1 + len(want.Tokens)
	for n := range passes {
		left := n
		if _, err := s.Transcribe(countdown{context.Background(), &left}, samples, "en"); !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d of %d passes: %v", n, passes, err)
		}
	}
	left := passes
	got, err := s.Transcribe(countdown{context.Background(), &left}, samples, "en")
	if err != nil || !slices.Equal(got.Tokens, want.Tokens) {
		t.Errorf("after all: %v, %v, want %v", got.Tokens, err, want.Tokens)
	}
}

// Two sessions of one model run from two goroutines, and neither disturbs what
// the other hears.
func TestSessionsShareAModel(t *testing.T) {
	r, err := speech.Open(filepath.Join(fixtures, "whisper"), cpu.New(cpu.Options{}), speech.Options{Beam: 3})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 2)
	for seed := range uint32(2) {
		s, err := r.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		long, short := sound(1, seed), sound(0.4, seed+7)
		var want [2]speech.Result
		for i, clip := range [][]float32{long, short} {
			if want[i], err = s.Transcribe(context.Background(), clip, "en"); err != nil {
				t.Fatal(err)
			}
		}
		go func() {
			for n := range 20 {
				clip := [][]float32{long, short}[n%2]
				got, err := s.Transcribe(context.Background(), clip, "en")
				if err == nil && !slices.Equal(got.Tokens, want[n%2].Tokens) {
					err = errors.New("another text than at first")
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// A beam that is wide enough finds a text at least as probable as the greedy
// one.
func TestBeamIsNoWorse(t *testing.T) {
	for seed := range uint32(4) {
		var scores [2]float64
		for i, beam := range []int{1, 6} {
			s := newSession(t, filepath.Join(fixtures, "whisper"), cpu.New(cpu.Options{}), speech.Options{Beam: beam, Tokens: 6})
			got, err := s.Transcribe(context.Background(), sound(0.8, seed), "en")
			if err != nil {
				t.Fatal(err)
			}
			scores[i] = got.Confidence
		}
		if scores[1] < scores[0]-1e-6 {
			t.Errorf("seed %d: a beam of 6 has %.4f, one of 1 %.4f", seed, scores[1], scores[0])
		}
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		spoken, heard      string
		wrong, lost, extra int
	}{
		{"go forward ten meters", "Go forward 10 meters.", 0, 0, 0},
		{"a b c", "a x c", 1, 0, 0},
		{"a b c", "a c", 0, 1, 0},
		{"a b", "a b b", 0, 0, 1},
		{"", "something", 0, 0, 1},
		{"", "", 0, 0, 0},
		{"don't stop", "Don’t stop!", 0, 0, 0},
		{"one hundred twenty three thousand four hundred fifty six", "123456", 0, 0, 0},
		{"你好 机器人", "你好，机器人。", 0, 0, 0},
		{"forty", "40", 0, 0, 0},
	} {
		e := speech.Compare(c.spoken, c.heard)
		if e.Wrong != c.wrong || e.Lost != c.lost || e.Extra != c.extra {
			t.Errorf("%q, heard %q: %+v", c.spoken, c.heard, e)
		}
	}
	if e := speech.Compare("a b c d", "a b c x"); e.Rate() != 0.25 {
		t.Errorf("rate %g", e.Rate())
	}
}
