package embed_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
	"github.com/kuai-robot/kuai/perception/audio"
)

const soundFixture = "testdata/sound"

// soundFolders are those of the encoders that the fixture was made with.
var soundFolders = embed.SoundFolders{Sound: filepath.Join(fixtures, "whisper"), Text: filepath.Join(fixtures, "bert")}

// sound is the clip that perception/encoder/testdata/common.py makes.
func sound(seconds float64, seed uint32) []float32 {
	out := make([]float32, int(seconds*audio.Rate))
	for i := range out {
		at := uint32(i)*2654435761 + seed*40503
		at ^= at >> 15
		noise := float64(at*2246822519>>16)/32768 - 1
		loud := 0.05
		if i/4000%2 != 0 {
			loud = 0.0005
		}
		t := float64(i) / audio.Rate
		out[i] = float32(math.Sin(2*math.Pi*(200+0.05*float64(i))*t)*0.3 + math.Sin(2*math.Pi*50*t)*0.1 + noise*loud)
	}
	return out
}

type soundParity struct {
	Plain, Scale float64
	Clips        []struct {
		Seconds   float64
		Seed      uint32
		Embedding []float64
	}
	Texts []struct {
		Text      string
		Embedding []float64
	}
}

func readSoundParity(t testing.TB) soundParity {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(soundFixture, "parity.json"))
	if err != nil {
		t.Fatal(err)
	}
	var p soundParity
	if err := json.Unmarshal(data, &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Clips) < 4 || len(p.Texts) < 6 {
		t.Fatalf("%d clips, %d texts", len(p.Clips), len(p.Texts))
	}
	return p
}

func openSound(t testing.TB, backend kernels.Backend, precision kernels.Precision, sentences ...string) *embed.SoundSession {
	t.Helper()
	s, err := embed.OpenSound(soundFixture, soundFolders, backend, embed.Options{Compile: kernels.Options{Precision: precision}})
	if err != nil {
		t.Fatal(err)
	}
	session, err := s.NewSession(context.Background(), sentences)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(session.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return session
}

// Embeddings of sounds are those of PyTorch, and cosines those of its
// embeddings of sounds and texts. The spectrogram is in f64 here and in f32
// there, which is part of what transformers in f32 is off by.
func TestSoundParity(t *testing.T) {
	want := readSoundParity(t)
	var sentences []string
	for _, text := range want.Texts {
		sentences = append(sentences, text.Text)
	}
	for _, c := range []struct {
		backend   kernels.Backend
		precision kernels.Precision
		least     float64
		most      float64
	}{
		{cpu.New(cpu.Options{}), kernels.Float32, 0.99999, 2 * want.Plain},
		{ref.New(), kernels.Float32, 0.99999, 5e-6},
		{cpu.New(cpu.Options{}), kernels.Int8, 0.998, 0.05},
	} {
		s := openSound(t, c.backend, c.precision, sentences...)
		for _, clip := range want.Clips {
			samples := sound(clip.Seconds, clip.Seed)
			got, err := s.Encode(context.Background(), samples)
			if err != nil {
				t.Fatal(err)
			}
			if cos, off := cosine(got, clip.Embedding), worst(got, clip.Embedding); cos < c.least || off > c.most {
				t.Errorf("%s: %.4f s: cosine %.7f, off by %.3g of %.3g", c.backend.Name(), clip.Seconds, cos, off, c.most)
			}
			matches, err := s.Match(context.Background(), samples)
			if err != nil {
				t.Fatal(err)
			}
			checkMatches(t, want, clip.Embedding, matches, 4*c.most)
		}
	}
}

// checkMatches compares with cosines and their softmax in f64.
func checkMatches(t *testing.T, want soundParity, clip []float64, got []embed.Match, most float64) {
	t.Helper()
	exps, sum := make([]float64, len(got)), 0.0
	for i, text := range want.Texts {
		dot := 0.0
		for j, x := range text.Embedding {
			dot += x * clip[j]
		}
		if math.Abs(dot-got[i].Cosine) > most {
			t.Errorf("%q: cosine %.6f, want %.6f", text.Text, got[i].Cosine, dot)
		}
		exps[i] = math.Exp(math.Exp(want.Scale) * dot)
		sum += exps[i]
	}
	for i := range exps {
		if math.Abs(exps[i]/sum-got[i].Probability) > math.Exp(want.Scale)*most {
			t.Errorf("%q: probability %.5f, want %.5f", got[i].Text, got[i].Probability, exps[i]/sum)
		}
	}
}

func TestSoundRefuses(t *testing.T) {
	s := openSound(t, ref.New(), kernels.Float32)
	nan := make([]float32, 800)
	nan[7] = float32(math.NaN())
	for want, samples := range map[string][]float32{
		"empty":            nil,
		"1.2 s at most":    make([]float32, 2*audio.Rate),
		"sample 7 is NaN":  nan,
		"hears 1.2 s at m": make([]float32, 120*audio.Hop+1),
	} {
		if _, err := s.Encode(context.Background(), samples); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

func TestSoundAllocatesNothing(t *testing.T) {
	s := openSound(t, cpu.New(cpu.Options{Threads: 1}), kernels.Float32, "a red block", "a bowl")
	samples := sound(0.5, 2)
	run := func() {
		if _, err := s.Match(context.Background(), samples); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(5, run); n != 0 {
		t.Errorf("%g allocations a clip", n)
	}
}

// soundFolder is the fixture with one text of one file replaced.
func soundFolder(t *testing.T, name, old, by string) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range []string{"config.json", "model.safetensors"} {
		data, err := os.ReadFile(filepath.Join(soundFixture, file))
		if err != nil {
			t.Fatal(err)
		}
		if file == name {
			if !strings.Contains(string(data), old) {
				t.Fatalf("%s has no %s", name, old)
			}
			data = []byte(strings.ReplaceAll(string(data), old, by))
		}
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpenSoundErrors(t *testing.T) {
	const config, weights = "config.json", "model.safetensors"
	swapped := embed.SoundFolders{Sound: soundFolders.Text, Text: soundFolders.Text}
	other := embed.SoundFolders{Sound: soundFolders.Sound, Text: filepath.Join(fixtures, "clip")}
	for _, c := range []struct {
		dir     string
		folders embed.SoundFolders
		want    string
	}{
		{t.TempDir(), soundFolders, "config.json"},
		{soundFolder(t, config, `kuai_sound_head`, `clap`), soundFolders, `model_type: "clap"`},
		{soundFolder(t, config, `"projection_dim":24`, `"projection_dim":0`), soundFolders, "projection_dim: 0"},
		{soundFolder(t, config, `"projection_dim":24`, `"projection_dim":25`), soundFolders, "sound_projection.linear1.weight has shape [24 32]"},
		{soundFolder(t, config, `"sound_layers":2`, `"sound_layers":3`), soundFolders, "sound_layers: 3"},
		{soundFolder(t, config, `"text_layers":1`, `"text_layers":2`), soundFolders, "no tensor text_projection.linear2.weight"},
		{soundFolder(t, config, `"layer_norm_eps":1e-05`, `"layer_norm_eps":-1`), soundFolders, "layer_norm_eps: -1"},
		{soundFolder(t, config, `"sound_width":32`, `"sound_width":"x"`), soundFolders, "sound_width"},
		{soundFolder(t, weights, `logit_scale`, `logit_scalf`), soundFolders, "no tensor logit_scale"},
		{soundFixture, swapped, "model_type"},
		{soundFixture, other, "text_width: 32"},
	} {
		_, err := embed.OpenSound(c.dir, c.folders, ref.New(), embed.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one that says %q", err, c.want)
		}
	}
}
