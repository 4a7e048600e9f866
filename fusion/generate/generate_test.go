package generate_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/ref"
)

var prompt = []int32{3, 14, 15, 9, 2, 6}

// answer collects the tokens that Generate gives.
func answer(t testing.TB, s *generate.Session, prompt []int32, o generate.Sampling) []int32 {
	t.Helper()
	var tokens []int32
	err := s.Generate(context.Background(), prompt, o, func(token int32, _ string) bool {
		tokens = append(tokens, token)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// greedy continues a prompt by plain passes over the whole sequence.
func greedy(t testing.TB, s *generate.Session, prompt []int32, n int) []int32 {
	t.Helper()
	sequence := slices.Clone(prompt)
	for range n {
		logits, err := s.Logits(context.Background(), sequence)
		if err != nil {
			t.Fatal(err)
		}
		sequence = append(sequence, int32(slices.Index(logits, slices.Max(logits))))
	}
	return sequence[len(prompt):]
}

// A session gives the same answer whatever it read before, and in whatever
// batches.
func TestGenerateDoesNotDependOnTheCache(t *testing.T) {
	for _, family := range []string{"llama", "gemma3"} {
		want := greedy(t, session(t, family, 2, generate.Options{}), prompt, 20)
		for _, batch := range []int{1, 4, 64} {
			s := session(t, family, 2, generate.Options{Batch: batch})
			for _, first := range [][]int32{{1}, prompt[:3], slices.Concat(prompt, want[:4]), slices.Concat(prompt, []int32{1, 2, 3})} {
				answer(t, s, first, generate.Sampling{MaxTokens: 5})
				if got := answer(t, s, prompt, generate.Sampling{MaxTokens: 20}); !slices.Equal(got, want) {
					t.Errorf("%s, batch %d, after %v: %v, want %v", family, batch, first, got, want)
				}
			}
		}
	}
}

func TestHalfCacheIsClose(t *testing.T) {
	full, half := session(t, "llama", 2, generate.Options{}), session(t, "llama", 2, generate.Options{Cache: kernels.F16})
	want, err := full.Logits(context.Background(), prompt)
	if err != nil {
		t.Fatal(err)
	}
	got, err := half.Logits(context.Background(), prompt)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 0.05 {
			t.Errorf("logit %d is %g with keys in f16, %g in f32", i, got[i], want[i])
		}
	}
}

// Drawn tokens occur as often as their probability says; a seed repeats them.
func TestSamplingFollowsTheProbabilities(t *testing.T) {
	s := session(t, "llama", 2, generate.Options{})
	logits, err := s.Logits(context.Background(), prompt)
	if err != nil {
		t.Fatal(err)
	}
	logits = slices.Clone(logits)
	const draws, temperature = 3000, 0.7
	scaled := make([]float32, len(logits))
	for i, x := range logits {
		scaled[i] = x / temperature
	}
	counts := map[int32]int{}
	for seed := range uint64(draws) {
		o := generate.Sampling{Temperature: temperature, Seed: seed, MaxTokens: 1}
		counts[answer(t, s, prompt, o)[0]]++
	}
	for token := range int32(tinyVocab) {
		p := math.Exp(logSoftmax(scaled, token))
		spread := 5 * math.Sqrt(draws*p*(1-p))
		if got := float64(counts[token]); math.Abs(got-draws*p) > spread+1 {
			t.Errorf("token %d was drawn %g times of %d, want %g ± %g", token, got, draws, draws*p, spread)
		}
	}
	o := generate.Sampling{Temperature: 1, Seed: 7, MaxTokens: 30}
	if a, b := answer(t, s, prompt, o), answer(t, s, prompt, o); !slices.Equal(a, b) {
		t.Errorf("one seed gave %v and %v", a, b)
	}
}

func TestTopKAndTopPLeaveTheLikeliest(t *testing.T) {
	s := session(t, "llama", 2, generate.Options{})
	logits, err := s.Logits(context.Background(), prompt)
	if err != nil {
		t.Fatal(err)
	}
	logits = slices.Clone(logits)
	order := make([]int32, len(logits))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return int(math.Copysign(1, float64(logits[b]-logits[a]))) })
	const share = 0.8
	nucleus, sum := 0, 0.0
	for ; sum < share; nucleus++ {
		sum += math.Exp(logSoftmax(logits, order[nucleus]))
	}
	for _, c := range []struct {
		o    generate.Sampling
		most int
	}{
		{generate.Sampling{TopK: 3}, 3},
		{generate.Sampling{TopP: share}, nucleus},
		{generate.Sampling{TopP: share, TopK: 2}, min(2, nucleus)},
		{generate.Sampling{TopP: 1e-9}, 1},
	} {
		seen := map[int32]bool{}
		for seed := range uint64(600) {
			c.o.Temperature, c.o.Seed, c.o.MaxTokens = 1, seed, 1
			seen[answer(t, s, prompt, c.o)[0]] = true
		}
		for token := range seen {
			if !slices.Contains(order[:c.most], token) {
				t.Errorf("top-k %d, top-p %g drew token %d, not among %v", c.o.TopK, c.o.TopP, token, order[:c.most])
			}
		}
		if len(seen) < min(c.most, 3) {
			t.Errorf("top-k %d, top-p %g drew only %v of %v", c.o.TopK, c.o.TopP, seen, order[:c.most])
		}
	}
}

func TestRepeatPenalty(t *testing.T) {
	s := session(t, "llama", 2, generate.Options{})
	tokens := answer(t, s, prompt, generate.Sampling{MaxTokens: 25, RepeatPenalty: 1e6, RepeatLast: 40})
	all := slices.Concat(prompt, tokens)
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != len(prompt)+len(tokens) {
		t.Errorf("%d different tokens of %d, although repeating costs everything", n, len(prompt)+len(tokens))
	}
}

// A grammar leaves only its sequences, drawn by their share among the children.
func TestGrammar(t *testing.T) {
	options := [][]int32{{30, 31, 0}, {30, 32, 33, 0}, {34, 0}}
	trie, err := generate.NewTrie(options)
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, "llama", 4, generate.Options{})
	seen := map[int]bool{}
	for seed := range uint64(60) {
		got := answer(t, s, prompt, generate.Sampling{Grammar: trie, Temperature: 3, Seed: seed})
		at := slices.IndexFunc(options, func(o []int32) bool { return slices.Equal(o, got) })
		if at < 0 {
			t.Fatalf("%v is none of %v", got, options)
		}
		seen[at] = true
	}
	if len(seen) != len(options) {
		t.Errorf("only options %v were ever drawn", seen)
	}
}

// A context that ends stops the answer before the next token; the session can
// be used on.
func TestCancel(t *testing.T) {
	s := session(t, "llama", 2, generate.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	err := s.Generate(ctx, prompt, generate.Sampling{MaxTokens: 50}, func(int32, string) bool {
		if n++; n == 3 {
			cancel()
		}
		return true
	})
	if !errors.Is(err, context.Canceled) || n != 3 {
		t.Errorf("%d tokens, %v; want 3 and the context's error", n, err)
	}
	want := greedy(t, session(t, "llama", 2, generate.Options{}), prompt, 8)
	if got := answer(t, s, prompt, generate.Sampling{MaxTokens: 8}); !slices.Equal(got, want) {
		t.Errorf("after a cancelled answer: %v, want %v", got, want)
	}
	n = 0
	err = s.Generate(context.Background(), prompt, generate.Sampling{}, func(int32, string) bool { n++; return n < 4 })
	if err != nil || n != 4 {
		t.Errorf("%d tokens, %v; want 4, as emit asked", n, err)
	}
}

func TestTheContextFills(t *testing.T) {
	s := session(t, "llama", 2, generate.Options{Context: 10})
	// The last token is drawn from the logits of the tenth position.
	if got := answer(t, s, prompt, generate.Sampling{}); len(got) != 5 || s.Held() != 10 {
		t.Errorf("%d tokens, %d held; want 5 and 10", len(got), s.Held())
	}
}

func TestGenerateErrors(t *testing.T) {
	s := session(t, "llama", 2, generate.Options{Context: 10})
	for want, try := range map[string]struct {
		prompt []int32
		o      generate.Sampling
	}{
		"prompt is empty":       {nil, generate.Sampling{}},
		"context of 10":         {make([]int32, 11), generate.Sampling{}},
		"token 1 is 40":         {[]int32{0, tinyVocab}, generate.Sampling{}},
		"temperature NaN":       {prompt, generate.Sampling{Temperature: math.NaN()}},
		"temperature -1":        {prompt, generate.Sampling{Temperature: -1}},
		"top-p 2":               {prompt, generate.Sampling{TopP: 2}},
		"top-k -1":              {prompt, generate.Sampling{TopK: -1}},
		"stop text 0 is empty":  {prompt, generate.Sampling{Stop: []string{""}}},
		"repetition penalty -1": {prompt, generate.Sampling{RepeatPenalty: -1}},
	} {
		err := s.Generate(context.Background(), try.prompt, try.o, func(int32, string) bool { return true })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

// Damaged weights are an error, not a token.
func TestNaNLogits(t *testing.T) {
	m := tiny("llama", 2)
	m.Weights.Norm = kernels.NewWeight("norm", slices.Repeat([]float32{float32(math.NaN())}, 16), 16)
	model, err := generate.New(m, nil, ref.New(), generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(t, model)
	err = s.Generate(context.Background(), prompt, generate.Sampling{}, func(int32, string) bool { return true })
	if err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error %v, want one that says damaged", err)
	}
	trie, err := generate.NewTrie([][]int32{{1, 0}, {2, 0}})
	if err != nil {
		t.Fatal(err)
	}
	scorer := s.Scorer(trie)
	if err := scorer.Prompt(context.Background(), prompt); err != nil {
		t.Fatal(err)
	}
	if err := scorer.Expand(context.Background(), 0, make([]float64, 2)); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("scoring: error %v, want one that says damaged", err)
	}
}

func TestOptionsErrors(t *testing.T) {
	for want, o := range map[string]generate.Options{
		"context of 97": {Context: 97},
		"context of -1": {Context: -1},
		"batch of -1":   {Batch: -1},
	} {
		if _, err := generate.New(tiny("llama", 1), nil, ref.New(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}
