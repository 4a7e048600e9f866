package generate_test

import (
	"container/heap"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/fusion/transformer"
	"github.com/kuai-robot/kuai/internal/models"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/ref"
)

const tinyVocab = 40

// tiny makes a decoder of random weights, with the options of a family. Its
// probabilities are far from even, so that a wrong row would show.
func tiny(family string, seed uint64) *transformer.Model {
	random := rand.New(rand.NewPCG(seed, 1))
	c := transformer.Config{
		Family: family, Vocab: tinyVocab, Context: 96, Width: 16, Hidden: 24, Heads: 4, KVHeads: 2, HeadDim: 4,
		Epsilon: 1e-5, Activation: kernels.SiLU, RoPE: transformer.RoPE{Base: 1000}, Local: make([]bool, 2),
	}
	if family == "gemma3" {
		c.NormOffset, c.QKNorm, c.PostNorms, c.Activation, c.EmbedScale = 1, true, true, kernels.GELUTanh, 4
		c.Window, c.Local, c.LocalRoPE, c.LogitCap = 5, []bool{true, false}, transformer.RoPE{Base: 100}, 10
	}
	weight := func(name string, scale float64, shape ...int) *kernels.Weight {
		n := 1
		for _, d := range shape {
			n *= d
		}
		numbers := make([]float32, n)
		for i := range numbers {
			numbers[i] = float32(random.NormFloat64() * scale)
		}
		return kernels.NewWeight(name, numbers, shape...)
	}
	m := &transformer.Model{Config: c}
	w := &m.Weights
	w.Embed, w.Norm = weight("embed", 1, c.Vocab, c.Width), weight("norm", 1, c.Width)
	w.Head = w.Embed
	for i := range c.Layers() {
		at := func(name string) string { return fmt.Sprintf("%d.%s", i, name) }
		l := transformer.Layer{
			AttentionNorm: weight(at("attention norm"), 1, c.Width), FeedForwardNorm: weight(at("norm"), 1, c.Width),
			Q: weight(at("q"), 0.3, 16, c.Width), K: weight(at("k"), 0.3, 8, c.Width), V: weight(at("v"), 0.3, 8, c.Width),
			Output: weight(at("o"), 0.3, c.Width, 16), Gate: weight(at("gate"), 0.3, c.Hidden, c.Width),
			Up: weight(at("up"), 0.3, c.Hidden, c.Width), Down: weight(at("down"), 0.3, c.Width, c.Hidden),
		}
		if c.QKNorm {
			l.QNorm, l.KNorm = weight(at("q norm"), 1, 4), weight(at("k norm"), 1, 4)
			l.PostAttentionNorm, l.PostFeedForwardNorm = weight(at("post"), 1, c.Width), weight(at("post 2"), 1, c.Width)
		}
		w.Layers = append(w.Layers, l)
	}
	return m
}

// session opens a tiny model on the plain backend.
func session(t testing.TB, family string, seed uint64, o generate.Options) *generate.Session {
	t.Helper()
	model, err := generate.New(tiny(family, seed), nil, ref.New(), o)
	if err != nil {
		t.Fatal(err)
	}
	return newSession(t, model)
}

func newSession(t testing.TB, model *generate.Model) *generate.Session {
	t.Helper()
	s, err := model.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// smolLM opens the real model, or skips the test with what is missing.
func smolLM(t testing.TB, backend kernels.Backend, o generate.Options) *generate.Model {
	t.Helper()
	store, err := models.NewStore()
	if err != nil {
		t.Skip(err)
	}
	path, err := store.FindFile("smollm2-135m-instruct")
	if err != nil {
		t.Skip(err)
	}
	model, err := generate.Open(path, backend, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := model.Close(); err != nil {
			t.Error(err)
		}
	})
	return model
}

// logSoftmax gives the logarithm of the probability of token.
func logSoftmax(logits []float32, token int32) float64 {
	best := float64(slices.Max(logits))
	sum := 0.0
	for _, x := range logits {
		sum += math.Exp(float64(x) - best)
	}
	return float64(logits[token]) - best - math.Log(sum)
}

// bruteForce scores each option by plain passes over whole sequences.
func bruteForce(t testing.TB, s *generate.Session, prompt []int32, options [][]int32) []float64 {
	t.Helper()
	all := make([]float64, len(options))
	for i, option := range options {
		sequence := slices.Clone(prompt)
		for _, token := range option {
			logits, err := s.Logits(context.Background(), sequence)
			if err != nil {
				t.Fatal(err)
			}
			all[i] += logSoftmax(logits, token)
			sequence = append(sequence, token)
		}
	}
	return all
}

// open is a node of a search, and what its path has.
type open struct {
	node int
	logp float64
}

type queue []open

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].logp > q[j].logp }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(open)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}

// search takes the k most probable options, best first, asking for as little as
// policy/saycan does when every option can succeed.
func search(t testing.TB, trie *generate.Trie, scorer *generate.Scorer, k int) (options []int, logp []float64) {
	t.Helper()
	q := queue{{}}
	for len(q) > 0 && len(options) < k {
		e := heap.Pop(&q).(open)
		if o := trie.Option(e.node); o >= 0 {
			options, logp = append(options, o), append(logp, e.logp)
			continue
		}
		_, children := trie.Children(e.node)
		scores := make([]float64, len(children))
		if err := scorer.Expand(context.Background(), e.node, scores); err != nil {
			t.Fatal(err)
		}
		for i, child := range children {
			heap.Push(&q, open{child, e.logp + scores[i]})
		}
	}
	return options, logp
}

// inner counts the nodes that are no leaves.
func inner(trie *generate.Trie) int {
	n := 0
	for node := range trie.Nodes() {
		if trie.Option(node) < 0 {
			n++
		}
	}
	return n
}
