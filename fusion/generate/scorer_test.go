package generate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
	"pgregory.net/rapid"
)

// drawOptions makes sequences over few tokens, so that they share beginnings,
// each closed by token 0.
func drawOptions(t *rapid.T) [][]int32 {
	path := rapid.SliceOfN(rapid.Int32Range(1, 5), 1, 6)
	options := rapid.SliceOfNDistinct(path, 1, 12, func(p []int32) string { return fmt.Sprint(p) }).Draw(t, "options")
	for i := range options {
		options[i] = append(slices.Clone(options[i]), 0)
	}
	return options
}

func drawPrompt(t *rapid.T, label string) []int32 {
	return rapid.SliceOfN(rapid.Int32Range(0, tinyVocab-1), 1, 30).Draw(t, label)
}

// A search over the trie finds what scoring every whole sequence finds, with
// the same log-probabilities, for prompts that share beginnings with what the
// session read before, and computes no token twice.
func TestScorerAgreesWithBruteForce(t *testing.T) {
	for _, backend := range []kernels.Backend{ref.New(), cpu.New(cpu.Options{})} {
		compareWithBruteForce(t, backend, "llama")
		compareWithBruteForce(t, backend, "gemma3")
	}
}

func compareWithBruteForce(t *testing.T, backend kernels.Backend, family string) {
	t.Run(backend.Name()+" "+family, func(t *testing.T) {
		model, err := generate.New(tiny(family, 3), nil, backend, generate.Options{Batch: 7})
		if err != nil {
			t.Fatal(err)
		}
		plain, scored := newSession(t, model), newSession(t, model)
		rapid.Check(t, func(r *rapid.T) {
			options, prompt := drawOptions(r), drawPrompt(r, "prompt")
			checkSearch(t, r, plain, scored, options, prompt)
			// The next step's prompt begins with the last one and an option.
			prompt = slices.Concat(prompt, options[0], drawPrompt(r, "more")[:1])
			checkSearch(t, r, plain, scored, options, prompt)
		})
	})
}

func checkSearch(t *testing.T, r *rapid.T, plain, scored *generate.Session, options [][]int32, prompt []int32) {
	trie, err := generate.NewTrie(options)
	if err != nil {
		r.Fatal(err)
	}
	want := bruteForce(t, plain, prompt, options)
	scorer := scored.Scorer(trie)
	if rapid.Bool().Draw(r, "expect") {
		// Whatever is expected, right or wrong, the scores are the same.
		scorer.Expect(rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0.5, 1}), 0, len(options)).Draw(r, "can"))
	}
	if err := scorer.Prompt(context.Background(), prompt); err != nil {
		r.Fatal(err)
	}
	got, logp := search(t, trie, scorer, len(options))
	for i, o := range got {
		if math.Abs(logp[i]-want[o]) > 1e-3 {
			r.Fatalf("option %d has log-probability %g, brute force %g", o, logp[i], want[o])
		}
		if i > 0 && want[o] > want[got[i-1]]+1e-3 {
			r.Fatalf("option %d (%g) comes after option %d (%g)", o, want[o], got[i-1], want[got[i-1]])
		}
	}
	if len(got) != len(options) {
		r.Fatalf("%d of %d options", len(got), len(options))
	}
	if _, rows := scorer.Work(); rows > len(prompt)+inner(trie)-1 {
		r.Fatalf("%d tokens were computed for a prompt of %d and %d nodes", rows, len(prompt), inner(trie))
	}
}

// Nodes may be asked for in any order, and again.
func TestScorerTakesAnyOrder(t *testing.T) {
	options := [][]int32{{1, 2, 3, 4, 0}, {1, 2, 5, 0}, {6, 0}, {6, 7, 8, 0}}
	trie, err := generate.NewTrie(options)
	if err != nil {
		t.Fatal(err)
	}
	forward, backward := session(t, "gemma3", 5, generate.Options{}).Scorer(trie), session(t, "gemma3", 5, generate.Options{}).Scorer(trie)
	for _, s := range []*generate.Scorer{forward, backward} {
		if err := s.Prompt(context.Background(), []int32{9, 8, 7}); err != nil {
			t.Fatal(err)
		}
	}
	for n := range trie.Nodes() {
		compareNode(t, trie, forward, backward, trie.Nodes()-1-n)
		compareNode(t, trie, backward, forward, n)
	}
}

func compareNode(t *testing.T, trie *generate.Trie, a, b *generate.Scorer, node int) {
	t.Helper()
	tokens, _ := trie.Children(node)
	x, y := make([]float64, len(tokens)), make([]float64, len(tokens))
	if err := errors.Join(a.Expand(context.Background(), node, x), b.Expand(context.Background(), node, y)); err != nil {
		t.Fatal(err)
	}
	for i := range x {
		if math.Abs(x[i]-y[i]) > 1e-4 {
			t.Errorf("node %d, child %d: %g or %g, by what was asked before", node, i, x[i], y[i])
		}
	}
}

// What the next prompt has in common with the last, a scored option included,
// is not computed again.
func TestScorerReusesTheOptionTaken(t *testing.T) {
	options := [][]int32{{1, 2, 3, 0}, {1, 4, 0}, {5, 6, 0}}
	trie, err := generate.NewTrie(options)
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, "llama", 7, generate.Options{})
	scorer := s.Scorer(trie)
	prompt := []int32{9, 8, 7, 6, 5}
	for step, more := range [][]int32{nil, {1, 2, 3, 0, 11, 12}, {5, 6, 0, 13}} {
		prompt = append(prompt, more...)
		if err := scorer.Prompt(context.Background(), prompt); err != nil {
			t.Fatal(err)
		}
		search(t, trie, scorer, len(options))
		_, rows := scorer.Work()
		// A node that leads to a leaf is computed, the leaf itself is not.
		want := inner(trie) - 1 + []int{5, 3, 2}[step]
		if rows != want {
			t.Errorf("step %d computed %d tokens, want %d", step, rows, want)
		}
	}
	before, _ := scorer.Work()
	if err := scorer.Prompt(context.Background(), prompt); err != nil {
		t.Fatal(err)
	}
	search(t, trie, scorer, len(options))
	if after, _ := scorer.Work(); after != before {
		t.Errorf("the same prompt again took %d passes", after-before)
	}
}

// What cannot be is not computed ahead.
func TestScorerExpects(t *testing.T) {
	options := [][]int32{{1, 2, 3, 0}, {4, 5, 6, 7, 0}, {8, 9, 10, 0}}
	trie, err := generate.NewTrie(options)
	if err != nil {
		t.Fatal(err)
	}
	scorer := session(t, "llama", 7, generate.Options{}).Scorer(trie)
	scorer.Expect([]float64{0, 1, 0})
	if err := scorer.Prompt(context.Background(), []int32{9}); err != nil {
		t.Fatal(err)
	}
	for node := 0; trie.Option(node) < 0; {
		tokens, children := trie.Children(node)
		if err := scorer.Expand(context.Background(), node, make([]float64, len(tokens))); err != nil {
			t.Fatal(err)
		}
		if node = children[0]; len(children) > 1 {
			node = children[1]
		}
	}
	// The root, and the four nodes of option 1 in one more pass.
	if passes, rows := scorer.Work(); passes != 2 || rows != 5 {
		t.Errorf("%d passes over %d tokens, want 2 over 5", passes, rows)
	}
}

// A way longer than one pass takes several.
func TestScorerTakesALongWay(t *testing.T) {
	long := make([]int32, 75)
	for i := range long {
		long[i] = int32(1 + i%30)
	}
	options := [][]int32{append(long, 0), {33, 0}}
	trie, err := generate.NewTrie(options)
	if err != nil {
		t.Fatal(err)
	}
	scorer := session(t, "gemma3", 7, generate.Options{}).Scorer(trie)
	if err := scorer.Prompt(context.Background(), prompt); err != nil {
		t.Fatal(err)
	}
	last := trie.Nodes() - 4 // before the leaf of option 0, and two of option 1
	got := make([]float64, 1)
	if err := scorer.Expand(context.Background(), last, got); err != nil {
		t.Fatal(err)
	}
	logits, err := session(t, "gemma3", 7, generate.Options{}).Logits(context.Background(), slices.Concat(prompt, long))
	if err != nil {
		t.Fatal(err)
	}
	if want := logSoftmax(logits, 0); math.Abs(got[0]-want) > 1e-3 {
		t.Errorf("log-probability %g, brute force %g", got[0], want)
	}
	if passes, rows := scorer.Work(); passes != 2 || rows != len(prompt)+len(long) {
		t.Errorf("%d passes over %d tokens, want 2 over %d", passes, rows, len(prompt)+len(long))
	}
}

func TestScorerErrors(t *testing.T) {
	trie, err := generate.NewTrie([][]int32{{1, 2, 0}, {3, 0}})
	if err != nil {
		t.Fatal(err)
	}
	outside, err := generate.NewTrie([][]int32{{1, tinyVocab}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	s := session(t, "llama", 1, generate.Options{Context: 8})
	prompted := func() *generate.Scorer {
		c := s.Scorer(trie)
		if err := c.Prompt(ctx, []int32{1, 2}); err != nil {
			t.Fatal(err)
		}
		return c
	}
	two := make([]float64, 2)
	for name, try := range map[string]func() error{
		"context of 8":      func() error { return s.Scorer(trie).Prompt(ctx, make([]int32, 8)) },
		"prompt is empty":   func() error { return s.Scorer(trie).Prompt(ctx, nil) },
		"token 1 is 40":     func() error { return s.Scorer(outside).Prompt(ctx, []int32{1}) },
		"token 0 is -1":     func() error { return s.Scorer(trie).Prompt(ctx, []int32{-1}) },
		"call Prompt first": func() error { return s.Scorer(trie).Expand(ctx, 0, two) },
		"2 children":        func() error { return prompted().Expand(ctx, 0, two[:1]) },
		"node 99":           func() error { return prompted().Expand(ctx, 99, two) },
		"context canceled":  func() error { return prompted().Expand(ended, 0, two) },
		"used for another": func() error {
			c := prompted()
			if _, err := s.Logits(ctx, []int32{5}); err != nil {
				t.Fatal(err)
			}
			return c.Expand(ctx, 0, two)
		},
		"does not fit": func() error {
			c := s.Scorer(trie)
			if err := c.Prompt(ctx, make([]int32, 7)); err != nil {
				t.Fatal(err)
			}
			return errors.Join(c.Expand(ctx, 0, two), c.Expand(ctx, 1, two[:1]), c.Expand(ctx, 2, two[:1]))
		},
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one that says %q", err, name)
		}
	}
	if err := prompted().Expand(ctx, 0, two); err != nil {
		t.Errorf("after errors: %v", err)
	}
}

func TestTrieErrors(t *testing.T) {
	for want, options := range map[string][][]int32{
		"no options":                           nil,
		"option 1 has no tokens":               {{1}, {}},
		"option 1 begins with all of option 0": {{1}, {1, 2}},
		"option 1 is the same":                 {{1, 2}, {1}},
		"option 2 is the same":                 {{1, 2}, {3}, {1, 2}},
	} {
		if _, err := generate.NewTrie(options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}
