package generate_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/internal/models"
	"github.com/kuai-robot/kuai/kernels/cpu"
)

// The real Gemma 3, in blocks of Q4_K, Q6_K, Q5_0 and Q8_0 as they are stored:
// SentencePiece tokens, logits and greedy answers of llama.cpp. Both round
// activations to 8 bits, each in its own way.
func TestGemma3Parity(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs a model of 270 million parameters")
	}
	store, err := models.NewStore()
	if err != nil {
		t.Skip(err)
	}
	path, err := store.FindFile("gemma3-270m")
	if err != nil {
		t.Skip(err)
	}
	model, err := generate.Open(path, cpu.New(cpu.Options{}), generate.Options{Context: 256})
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	s, sum, n, most := newSession(t, model), 0.0, 0.0, 0.0
	for _, c := range parityCases(t, "gemma3.json") {
		ids := append([]int32{model.Tokenizer().BOS}, model.Tokenizer().Encode(c.Text)...)
		if !slices.Equal(ids, c.IDs) {
			t.Errorf("%q has tokens %v, want %v", c.Text, ids, c.IDs)
		}
		if len(ids) > 48 {
			continue
		}
		logits, err := s.Logits(context.Background(), ids)
		if err != nil {
			t.Fatal(err)
		}
		for i, token := range c.Tokens {
			d := math.Abs(float64(logits[token]) - c.Llama[i])
			most, sum, n = max(most, d), sum+d, n+1
		}
		if len(c.Answer) > 0 {
			checkAnswer(t, s, c)
		}
	}
	t.Logf("logits within %.3f of llama.cpp's, %.3f in the mean", most, sum/n)
	if most > 1.3 || sum/n > 0.4 {
		t.Errorf("logits are off by up to %.3f, %.3f in the mean", most, sum/n)
	}
}

// checkAnswer compares a greedy answer, up to a token that llama.cpp all but
// chose otherwise.
func checkAnswer(t *testing.T, s *generate.Session, c parityCase) {
	t.Helper()
	for i, token := range greedy(t, s, c.IDs, len(c.Answer)) {
		if token == c.Answer[i] {
			continue
		}
		if c.Lead[i] > 1 {
			t.Errorf("after %q: token %d of the answer is %d, want %d, which was ahead by %.2f", c.Text, i, token, c.Answer[i], c.Lead[i])
		}
		return
	}
}
