package cuda_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cuda/emulate"
	"github.com/kuai-robot/kuai/kernels/ref"
	"github.com/kuai-robot/kuai/perception/encoder/vision"
	"github.com/kuai-robot/kuai/perception/vad"
	"github.com/kuai-robot/kuai/robot"
)

const (
	encoders = "../../perception/encoder/testdata"
	decoders = "../../fusion/testdata/tiny"
)

// models are whole models on small checkpoints; each uses a backend as a robot does.
var models = map[string]func(t *testing.T, b kernels.Backend, o kernels.Options){
	"clip":   func(t *testing.T, b kernels.Backend, o kernels.Options) { see(t, b, o, "clip") },
	"siglip": func(t *testing.T, b kernels.Backend, o kernels.Options) { see(t, b, o, "siglip") },
	"whisper": func(t *testing.T, b kernels.Backend, o kernels.Options) {
		r, err := speech.Open(filepath.Join(encoders, "whisper"), b, speech.Options{Tail: 20, Plain: true, Compile: o})
		if err != nil {
			t.Fatal(err)
		}
		s, err := r.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Transcribe(context.Background(), tone(8000), "en"); err != nil {
			t.Error(err)
		}
		closeAll(t, s, r)
	},
	// The card computes the spectrogram too, of a shorter clip: it is much for an emulator.
	"sound": func(t *testing.T, b kernels.Backend, o kernels.Options) {
		r, err := speech.Open(filepath.Join(encoders, "whisper"), b, speech.Options{Tail: 1, Plain: true, Sound: true, Compile: o})
		if err != nil {
			t.Fatal(err)
		}
		s, err := r.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Transcribe(context.Background(), tone(800), "en"); err != nil {
			t.Error(err)
		}
		closeAll(t, s, r)
	},
	"bert": func(t *testing.T, b kernels.Backend, o kernels.Options) {
		text, err := embed.OpenText(filepath.Join(encoders, "bert"), b, embed.Options{Compile: o})
		if err != nil {
			t.Fatal(err)
		}
		s, err := text.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		for _, sentence := range []string{"a red block", "put the red block into the bowl and the blue one beside it"} {
			if _, err := s.Encode(context.Background(), sentence); err != nil {
				t.Error(err)
			}
		}
		closeAll(t, s, text)
	},
	"llama":  func(t *testing.T, b kernels.Backend, o kernels.Options) { say(t, b, o, "llama") },
	"qwen2":  func(t *testing.T, b kernels.Backend, o kernels.Options) { say(t, b, o, "qwen2") },
	"gemma3": func(t *testing.T, b kernels.Backend, o kernels.Options) { say(t, b, o, "gemma3") },
	"vad": func(t *testing.T, b kernels.Backend, _ kernels.Options) {
		m, err := vad.BuiltIn(b)
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		for at := range 3 {
			if _, err := s.Hear(context.Background(), tone(4 * 512)[at*512:(at+1)*512]); err != nil {
				t.Error(err)
			}
		}
		closeAll(t, s, m)
	},
}

type closer interface{ Close() error }

func closeAll(t *testing.T, list ...closer) {
	t.Helper()
	for _, c := range list {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func see(t *testing.T, b kernels.Backend, o kernels.Options, family string) {
	m, err := vision.Open(filepath.Join(encoders, family), b, vision.Options{Compile: o})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	f := &robot.Frame{Width: 45, Height: 31, Pixels: make([]byte, 3*45*31)}
	for i := range f.Pixels {
		f.Pixels[i] = byte(i * i >> 3)
	}
	if _, err := s.Encode(context.Background(), f); err != nil {
		t.Error(err)
	}
	closeAll(t, s, m)
}

// say reads a prompt, goes on with it token by token, and scores a tree.
func say(t *testing.T, b kernels.Backend, o kernels.Options, family string) {
	model, err := generate.Open(filepath.Join(decoders, family), b, generate.Options{Compile: o})
	if err != nil {
		t.Fatal(err)
	}
	s, err := model.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	prompt := []int32{1, 5, 9, 2, 14, 7, 3}
	for n := 4; n <= len(prompt); n++ {
		if _, err := s.Logits(context.Background(), prompt[:n]); err != nil {
			t.Error(err)
		}
	}
	closeAll(t, s, model)
}

func tone(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(i*i%97)/97 - 0.5
	}
	return out
}

// TestModels runs the models on both backends, run by run.
func TestModels(t *testing.T) {
	for _, c := range []struct {
		precision kernels.Precision
		tolerance float64
	}{{kernels.Float32, 1e-4}, {kernels.Stored, 0.02}, {kernels.BFloat16, 0.04}, {kernels.Int8, 0.06}} {
		for name, use := range models {
			t.Run(name+"/"+c.precision.String(), func(t *testing.T) {
				both := &beside{first: ref.New(), second: emulated(t, emulate.Options{}), tolerance: c.tolerance}
				use(t, both, kernels.Options{Precision: c.precision})
				if both.runs.Load() == 0 {
					t.Error("nothing was compared")
				}
			})
		}
	}
}
