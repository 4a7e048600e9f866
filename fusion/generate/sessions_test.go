package generate_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// Sessions of one model run side by side.
func TestSessionsSideBySide(t *testing.T) {
	for _, backend := range []kernels.Backend{ref.New(), cpu.New(cpu.Options{Threads: 2})} {
		t.Run(backend.Name(), func(t *testing.T) { sideBySide(t, backend) })
	}
}

func sideBySide(t *testing.T, backend kernels.Backend) {
	model, err := generate.New(tiny("gemma3", 6), nil, backend, generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	trie, err := generate.NewTrie([][]int32{{1, 2, 0}, {1, 3, 0}, {4, 0}})
	if err != nil {
		t.Fatal(err)
	}
	want := greedy(t, newSession(t, model), prompt, 12)
	var group sync.WaitGroup
	for range 2 {
		s := newSession(t, model)
		group.Add(1)
		go func() {
			defer group.Done()
			for range 5 {
				var got []int32
				err := s.Generate(context.Background(), prompt, generate.Sampling{MaxTokens: 12}, func(token int32, _ string) bool {
					got = append(got, token)
					return true
				})
				scorer := s.Scorer(trie)
				err = errors.Join(err, scorer.Prompt(context.Background(), prompt), scorer.Expand(context.Background(), 0, make([]float64, 2)))
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%v, %v; want %v", got, err, want)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	group.Wait()
	if err := model.Close(); err != nil {
		t.Error(err)
	}
}

// Models that were adapted from one base share its packed weights, and so do
// sessions of one model: what they add is caches and activations.
func TestWeightsAreShared(t *testing.T) {
	backend := cpu.New(cpu.Options{Threads: 1}).(*cpu.Backend)
	model, err := generate.New(tiny("llama", 3), nil, backend, generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	weights, _ := backend.Held()
	again, err := model.Adapt(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*generate.Model{model, model, again} {
		newSession(t, m)
	}
	more, sessions := backend.Held()
	if weights == 0 || more != weights || sessions == 0 {
		t.Errorf("packed weights take %d bytes, then %d; sessions %d", weights, more, sessions)
	}
	if err := errors.Join(model.Close(), again.Close()); err != nil {
		t.Error(err)
	}
}
