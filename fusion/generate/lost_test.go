package generate_test

import (
	"context"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/kernels/cuda"
	"github.com/kuai-robot/kuai/kernels/kerneltest"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// TestLost: whenever the device is lost, what is generated and scored is what it
// would have been, and one event tells of it.
func TestLost(t *testing.T) {
	for _, draw := range []bool{false, true} {
		o := generate.Options{Draw: draw}
		want, runs := lostAt(t, o, 1<<30)
		for at := 1; at <= runs; at++ {
			if got, _ := lostAt(t, o, at); !slices.Equal(got, want) {
				t.Fatalf("draw %v, lost in run %d of %d: got %v, want %v", draw, at, runs, got, want)
			}
		}
	}
}

// lostAt uses a session whose device is lost at a run, and gives all numbers that it
// gave and how many runs the device took.
func lostAt(t *testing.T, o generate.Options, at int) (out []float64, runs int) {
	t.Helper()
	device, events := kerneltest.NewFailing(ref.New(), at, cuda.ErrLost), 0
	backend := cuda.NewFallback(device, ref.New(), func(error) { events++ })
	model, err := generate.New(tiny("llama", 1), nil, backend, o)
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(t, model)
	ctx, prompt := context.Background(), []int32{3, 1, 4, 1, 5, 9, 2, 6}
	err = s.Generate(ctx, prompt, generate.Sampling{MaxTokens: 6}, func(token int32, _ string) bool {
		out = append(out, float64(token))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	trie, err := generate.NewTrie([][]int32{{7, 8, 9}, {7, 8, 1}, {7, 2}, {5}})
	if err != nil {
		t.Fatal(err)
	}
	c := s.Scorer(trie)
	if err := c.Prompt(ctx, prompt); err != nil {
		t.Fatal(err)
	}
	for node := range trie.Nodes() {
		tokens, _ := trie.Children(node)
		logp := make([]float64, len(tokens))
		if err := c.Expand(ctx, node, logp); err != nil {
			t.Fatal(err)
		}
		out = append(out, logp...)
	}
	if lost := device.Runs() >= at; lost != (events == 1) {
		t.Errorf("lost in run %d: %d events", at, events)
	}
	return out, device.Runs()
}
