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
// implementation in f64. Only short prompts: the plain backend takes its time.
func TestSmolLM2ParityInFloat32(t *testing.T) {
	model := smolLM(t, ref.New(), generate.Options{Context: 1024, Compile: kernels.Options{Precision: kernels.Float32}})
	s := newSession(t, model)
	const short, tolerance = 16, 2e-3
	n := 0
	for _, c := range parityCases(t, "smollm2.json") {
		if len(c.IDs) > short {
			continue
		}
		n++
		if d := worst(t, s, c, c.Exact); d > tolerance {
			t.Errorf("after %q a logit is off by %g, tolerance %g", c.Text, d, tolerance)
		}
	}
	if n == 0 {
		t.Error("no short prompts")
	}
}
