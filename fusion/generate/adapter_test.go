package generate_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// adapterFixtures are those of fusion/testdata/make_adapter.py.
var adapterFixtures = []struct{ family, kind string }{
	{"llama", "adapter"}, {"llama", "prefix"}, {"llama", "bottleneck"},
	{"qwen2", "prefix"}, {"gemma3", "prefix"}, {"gemma3", "bottleneck"},
}

func tinyFolder(path ...string) string {
	return filepath.Join(append([]string{"..", "testdata", "tiny"}, path...)...)
}

// With an adapter the logits are those of peft and PyTorch, from both layouts of
// the base model (whose queries and keys are in different orders) and on both
// backends.
func TestAdapterParity(t *testing.T) {
	for _, f := range adapterFixtures {
		cases := parityCases(t, filepath.Join("tiny", f.family, f.kind, "parity.json"))
		for _, backend := range []kernels.Backend{ref.New(), cpu.New(cpu.Options{Threads: 1})} {
			for _, file := range []string{"model.gguf", "."} {
				model, err := generate.Open(tinyFolder(f.family, file), backend, generate.Options{
					Adapter: os.DirFS(tinyFolder(f.family, f.kind)), Compile: kernels.Options{Precision: kernels.Float32},
				})
				if err != nil {
					t.Fatal(err)
				}
				s := newSession(t, model)
				for _, c := range cases {
					if d := worst(t, s, c, c.Exact); d > 1e-3 {
						t.Errorf("%s %s of %s on %s: after %q a logit is off by %g", f.family, f.kind, file, backend.Name(), c.Text, d)
					}
				}
				if err := model.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// Without the adapter the same cases must be off, or the test above shows nothing.
func TestAdapterChangesLogits(t *testing.T) {
	for _, f := range adapterFixtures {
		model, err := generate.Open(tinyFolder(f.family, "model.gguf"), ref.New(), generate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := newSession(t, model)
		c := parityCases(t, filepath.Join("tiny", f.family, f.kind, "parity.json"))[0]
		if d := worst(t, s, c, c.Exact); d < 0.1 {
			t.Errorf("%s: without the %s a logit is off by %g only", f.family, f.kind, d)
		}
		if err := model.Close(); err != nil {
			t.Error(err)
		}
	}
}

// adapted opens the tiny llama, and the same weights with each adapter.
func adapted(t *testing.T, backend kernels.Backend, o generate.Options) map[string]*generate.Model {
	t.Helper()
	plain, err := generate.Open(tinyFolder("llama", "model.gguf"), backend, o)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*generate.Model{"": plain}
	for _, kind := range []string{"adapter", "prefix", "bottleneck"} {
		if all[kind], err = plain.Adapt(os.DirFS(tinyFolder("llama", kind))); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, model := range all {
			if err := model.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return all
}

// One session goes from adapter to adapter between prompts that share their
// beginning: each gives its own logits, whatever the cache held before.
func TestSwitch(t *testing.T) {
	for _, cache := range []kernels.DType{kernels.F32, kernels.F16, kernels.BF16} {
		tolerance := map[kernels.DType]float64{kernels.F32: 1e-3, kernels.F16: 0.05, kernels.BF16: 0.4}[cache]
		o := generate.Options{Cache: cache, Compile: kernels.Options{Precision: kernels.Float32}}
		all := adapted(t, cpu.New(cpu.Options{Threads: 1}), o)
		s := newSession(t, all[""])
		for _, kind := range []string{"adapter", "prefix", "", "prefix", "bottleneck", "prefix", "adapter", "adapter"} {
			if err := s.Switch(all[kind]); err != nil {
				t.Fatal(err)
			}
			if s.Model() != all[kind] {
				t.Fatal("the session has another model")
			}
			for i, c := range parityCases(t, filepath.Join("tiny", "llama", kind, "parity.json"))[:6] {
				want := c.Exact
				if kind == "" {
					want = c.Llama
				}
				if d := worst(t, s, c, want); d > tolerance {
					t.Errorf("%q, cache %v: prompt %d: a logit is off by %g", kind, cache, i, d)
				}
			}
		}
	}
}

// Switching to the model that the session has keeps what was read; to another
// one it does not, and a scorer from before must be prompted again.
func TestSwitchForgets(t *testing.T) {
	all := adapted(t, ref.New(), generate.Options{})
	s := newSession(t, all["adapter"])
	ctx := context.Background()
	trie, err := generate.NewTrie([][]int32{{1, 2}, {3, 4}})
	if err != nil {
		t.Fatal(err)
	}
	scorer := s.Scorer(trie)
	if err := scorer.Prompt(ctx, prompt); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Logits(ctx, prompt); err != nil {
		t.Fatal(err)
	}
	if err := s.Switch(all["adapter"]); err != nil || s.Held() != len(prompt) {
		t.Errorf("%v, %d tokens held", err, s.Held())
	}
	if err := s.Switch(all["prefix"]); err != nil || s.Held() != 0 {
		t.Errorf("%v, %d tokens held", err, s.Held())
	}
	if err := scorer.Expand(ctx, 0, make([]float64, 2)); !errors.Is(err, generate.ErrNoPrompt) {
		t.Errorf("a scorer from before: %v", err)
	}
	other, err := generate.Open(tinyFolder("llama", "model.gguf"), ref.New(), generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := s.Switch(other); err == nil {
		t.Error("went over to another base")
	}
}

// A scorer's branches and prompts that share beginnings come after the prefix:
// scores are those of plain passes over whole sequences.
func TestPrefixScores(t *testing.T) {
	for _, family := range []string{"llama", "gemma3"} {
		o := generate.Options{Adapter: os.DirFS(tinyFolder(family, "prefix")), Compile: kernels.Options{Precision: kernels.Float32}}
		model, err := generate.Open(tinyFolder(family, "model.gguf"), ref.New(), o)
		if err != nil {
			t.Fatal(err)
		}
		options := [][]int32{{30, 31, 0}, {30, 32, 0}, {33, 34, 35, 0}, {36, 0}}
		trie, err := generate.NewTrie(options)
		if err != nil {
			t.Fatal(err)
		}
		s, plain := newSession(t, model), newSession(t, model)
		scorer := s.Scorer(trie)
		for _, prompt := range [][]int32{{40, 41, 42, 43}, {40, 41, 42, 43, 30}, {40, 41, 50, 51, 52, 53, 54, 55, 56}} {
			if err := scorer.Prompt(context.Background(), prompt); err != nil {
				t.Fatal(err)
			}
			found, logp := search(t, trie, scorer, len(options))
			want := bruteForce(t, plain, prompt, options)
			for i, o := range found {
				if d := logp[i] - want[o]; d > 1e-3 || d < -1e-3 {
					t.Errorf("%s: option %d after %v: %g, want %g", family, o, prompt, logp[i], want[o])
				}
			}
		}
		if err := model.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Generation ends where prefix and tokens fill the context.
func TestPrefixTakesOfTheContext(t *testing.T) {
	o := generate.Options{Context: 16, Adapter: os.DirFS(tinyFolder("llama", "prefix"))}
	model, err := generate.Open(tinyFolder("llama", "model.gguf"), ref.New(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	if model.Context() != 11 {
		t.Errorf("room for %d tokens, want 11", model.Context())
	}
	s := newSession(t, model)
	n := 0
	err = s.Generate(context.Background(), []int32{40, 41, 42}, generate.Sampling{Temperature: 5}, func(int32, string) bool { n++; return true })
	if err != nil || n == 0 || n > 9 {
		t.Errorf("%d tokens, %v", n, err)
	}
	if _, err := s.Logits(context.Background(), make([]int32, 12)); err == nil {
		t.Error("12 tokens fit")
	}
	o.Context = 5
	if _, err := generate.Open(tinyFolder("llama", "model.gguf"), ref.New(), o); err == nil {
		t.Error("a prefix filled the context")
	}
}

// An adapted model outlives the one that it came from, and can be adapted again.
func TestAdaptedOutlivesBase(t *testing.T) {
	plain, err := generate.Open(tinyFolder("llama", "model.gguf"), cpu.New(cpu.Options{Threads: 1}), generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := plain.Adapt(os.DirFS(tinyFolder("llama", "prefix")))
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := first.Adapt(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := parityCases(t, filepath.Join("tiny", "llama", "parity.json"))[0]
	if d := worst(t, newSession(t, again), c, c.Llama); d > 1e-3 {
		t.Errorf("without an adapter again: a logit is off by %g", d)
	}
	if _, err := first.Adapt(os.DirFS(tinyFolder("qwen2", "prefix"))); !errors.Is(err, generate.ErrAdapter) {
		t.Errorf("the adapter of another base: %v", err)
	}
	if err := errors.Join(first.Close(), again.Close()); err != nil {
		t.Error(err)
	}
}

// Sessions with different adapters of one base run side by side.
func TestAdaptedSideBySide(t *testing.T) {
	backend := cpu.New(cpu.Options{Threads: 2})
	all := adapted(t, backend, generate.Options{})
	want, sessions := map[string][]int32{}, map[string]*generate.Session{}
	for kind, model := range all {
		sessions[kind] = newSession(t, model)
		want[kind] = greedy(t, sessions[kind], prompt, 8)
	}
	if slices.Equal(want[""], want["adapter"]) || slices.Equal(want["prefix"], want["bottleneck"]) {
		t.Fatal("adapters change nothing")
	}
	var group sync.WaitGroup
	for kind, s := range sessions {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 5 {
				var got []int32
				err := s.Generate(context.Background(), prompt, generate.Sampling{MaxTokens: 8}, func(token int32, _ string) bool {
					got = append(got, token)
					return true
				})
				if err != nil || !slices.Equal(got, want[kind]) {
					t.Errorf("%q: %v, %v; want %v", kind, got, err, want[kind])
				}
			}
		}()
	}
	group.Wait()
}
