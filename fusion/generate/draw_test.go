package generate_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// answers gives the tokens of an answer.
func answers(t *testing.T, s *generate.Session, o generate.Sampling) (tokens []int32) {
	t.Helper()
	err := s.Generate(context.Background(), []int32{3, 1, 4, 1, 5}, o, func(token int32, _ string) bool {
		tokens = append(tokens, token)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func drawer(t *testing.T, draw bool) *generate.Session {
	t.Helper()
	m, err := generate.New(tiny("llama", 5), nil, ref.New(), generate.Options{Context: 96, Draw: draw})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); m.Close() })
	return s
}

// TestDrawIsTheSampler: a backend that draws takes the same tokens where nothing is
// left to chance, in long answers too, and those that it draws are as frequent.
func TestDrawIsTheSampler(t *testing.T) {
	here, there := drawer(t, false), drawer(t, true)
	for _, o := range []generate.Sampling{
		{MaxTokens: 90}, {RepeatPenalty: 1.3, MaxTokens: 90}, {RepeatPenalty: 2, RepeatLast: 3, MaxTokens: 20},
		{Temperature: 0.5, TopP: 1e-6, MaxTokens: 20}, {RepeatPenalty: 1.1, RepeatLast: 1000, MaxTokens: 20}, {Temperature: 1, TopK: 1, MaxTokens: 9},
	} {
		if got, want := answers(t, there, o), answers(t, here, o); !slices.Equal(got, want) {
			t.Errorf("%+v: the backend draws %v, the sampler %v", o, got, want)
		}
	}
	const runs = 400
	var count [2][tinyVocab]float64
	for i, s := range []*generate.Session{here, there} {
		for seed := range uint64(runs) {
			count[i][answers(t, s, generate.Sampling{Temperature: 1.5, TopP: 0.9, Seed: seed, MaxTokens: 2})[1]]++
		}
	}
	for token := range tinyVocab {
		a, b := count[0][token], count[1][token]
		if d := math.Abs(a - b); d > 6*math.Sqrt(a+b+1) { // six deviations of the difference
			t.Errorf("token %d is drawn %g times by the backend, %g times by the sampler", token, b, a)
		}
	}
}
