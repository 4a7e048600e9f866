package generate_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// parityCase is a prompt with what independent implementations give for it; see
// fusion/testdata/make_parity.py.
type parityCase struct {
	Text   string    `json:"text"`
	IDs    []int32   `json:"ids"`
	Tokens []int32   `json:"tokens"` // those whose logits follow
	Exact  []float64 `json:"exact"`  // in f64, over decoded weights
	Llama  []float64 `json:"llama"`  // as llama.cpp computes them
	Answer []int32   `json:"answer"` // greedy, of llama.cpp
	Lead   []float64 `json:"lead"`   // of each token of it over the next best
}

func parityCases(t *testing.T, path string) []parityCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", path))
	if err != nil {
		t.Fatal(err)
	}
	var fixture struct {
		Cases []parityCase `json:"cases"`
	}
	if err := json.Unmarshal(data, &fixture); err != nil {
		t.Fatal(err)
	}
	if len(fixture.Cases) < 20 {
		t.Fatalf("%s: %d cases, want 20 or more", path, len(fixture.Cases))
	}
	return fixture.Cases
}

// worst gives the largest difference of the logits after c from want.
func worst(t *testing.T, s *generate.Session, c parityCase, want []float64) float64 {
	t.Helper()
	logits, err := s.Logits(context.Background(), c.IDs)
	if err != nil {
		t.Fatal(err)
	}
	most := 0.0
	for i, token := range c.Tokens {
		most = max(most, math.Abs(float64(logits[token])-want[i]))
	}
	return most
}

// Each family gives the logits of llama.cpp, from a GGUF file and from the
// layout of Hugging Face. llama.cpp takes GELU from a table in f16, which is
// what gemma3 is further off.
func TestTinyParity(t *testing.T) {
	for family, tolerance := range map[string]float64{"llama": 3e-4, "qwen2": 3e-4, "gemma3": 2e-2} {
		for _, file := range []string{"model.gguf", "."} {
			path := filepath.Join("..", "testdata", "tiny", family, file)
			o := generate.Options{Compile: kernels.Options{Precision: kernels.Float32}}
			model, err := generate.Open(path, ref.New(), o)
			if err != nil {
				t.Fatal(err)
			}
			s := newSession(t, model)
			for _, c := range parityCases(t, filepath.Join("tiny", family, "parity.json")) {
				ids := model.Tokenizer().Encode(c.Text)
				if ids = ids[:min(len(ids), model.Context())]; !slices.Equal(ids, c.IDs) {
					t.Errorf("%s: %q has tokens %v, want %v", path, c.Text, ids, c.IDs)
				}
				if d := worst(t, s, c, c.Llama); d > tolerance {
					t.Errorf("%s: after %q a logit is off by %g, tolerance %g", path, c.Text, d, tolerance)
				}
			}
		}
	}
}

// The real model, weights decoded and everything in f32, gives the logits of an
// implementation in f64: all prompts on the backend that robots use, short ones
// on the plain one, which takes its time.
func TestSmolLM2ParityInFloat32(t *testing.T) {
	for _, c := range []struct {
		backend kernels.Backend
		longest int
		fewest  int
	}{
		{cpu.New(cpu.Options{}), 1024, 20},
		{ref.New(), 8, 3},
	} {
		checkFloat32(t, c.backend, c.longest, c.fewest)
	}
}

func checkFloat32(t *testing.T, backend kernels.Backend, longest, fewest int) {
	t.Helper()
	const tolerance = 5e-3 // of logits up to 30
	model := smolLM(t, backend, generate.Options{Context: 1024, Compile: kernels.Options{Precision: kernels.Float32}})
	s := newSession(t, model)
	n, most := 0, 0.0
	for _, c := range parityCases(t, "smollm2.json") {
		if len(c.IDs) > longest {
			continue
		}
		n++
		d := worst(t, s, c, c.Exact)
		if most = max(most, d); d > tolerance {
			t.Errorf("%s: after %q a logit is off by %g, tolerance %g", backend.Name(), c.Text, d, tolerance)
		}
	}
	if n < fewest {
		t.Errorf("%s: only %d prompts of up to %d tokens", backend.Name(), n, longest)
	}
	t.Logf("%s: %d prompts, logits within %.2g", backend.Name(), n, most)
}

// With weights as the file has them, logits are as near to those in f64 as
// llama.cpp's are: both round activations to 8 bits, each in its own way.
func TestSmolLM2Parity(t *testing.T) {
	const tolerance = 1.3 // of one logit; llama.cpp's worst is 1.26
	model := smolLM(t, cpu.New(cpu.Options{}), generate.Options{Context: 1024})
	s := newSession(t, model)
	var ours, theirs, n float64
	for _, c := range parityCases(t, "smollm2.json") {
		logits, err := s.Logits(context.Background(), c.IDs)
		if err != nil {
			t.Fatal(err)
		}
		for i, token := range c.Tokens {
			d := float64(logits[token]) - c.Exact[i]
			if math.Abs(d) > tolerance {
				t.Errorf("after %q the logit of %d is off by %g, tolerance %g", c.Text, token, d, tolerance)
			}
			ours, theirs, n = ours+d*d, theirs+math.Pow(c.Llama[i]-c.Exact[i], 2), n+1
		}
	}
	ours, theirs = math.Sqrt(ours/n), math.Sqrt(theirs/n)
	t.Logf("logits are off by %.3f (root of the mean square), llama.cpp's by %.3f", ours, theirs)
	if ours > 1.2*theirs {
		t.Errorf("logits are off by %.3f, llama.cpp's by %.3f", ours, theirs)
	}
}
