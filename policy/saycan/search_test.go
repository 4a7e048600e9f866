package saycan_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/policy/saycan"
	"pgregory.net/rapid"
)

// fakeTrie is a trie of options with a made-up log-probability on each edge.
type fakeTrie struct {
	tokens   [][]int32
	children [][]int
	option   []int
	logp     []float64 // of the edge that leads to the node
	asked    map[int]int
}

func (f *fakeTrie) add() int {
	f.tokens, f.children = append(f.tokens, nil), append(f.children, nil)
	f.option, f.logp = append(f.option, -1), append(f.logp, 0)
	return len(f.option) - 1
}

func newFakeTrie(options [][]int32) *fakeTrie {
	f := &fakeTrie{asked: map[int]int{}}
	f.add()
	for o, path := range options {
		node := 0
		for _, token := range path {
			i := slices.Index(f.tokens[node], token)
			if i < 0 {
				i = len(f.tokens[node])
				child := f.add()
				f.tokens[node], f.children[node] = append(f.tokens[node], token), append(f.children[node], child)
			}
			node = f.children[node][i]
		}
		f.option[node] = o
	}
	return f
}

func (f *fakeTrie) Nodes() int                         { return len(f.option) }
func (f *fakeTrie) Children(node int) ([]int32, []int) { return f.tokens[node], f.children[node] }
func (f *fakeTrie) Option(node int) int                { return f.option[node] }

func (f *fakeTrie) Prompt(context.Context, []int32) error { return nil }

func (f *fakeTrie) Expand(_ context.Context, node int, logp []float64) error {
	f.asked[node]++
	if len(logp) != len(f.children[node]) {
		return fmt.Errorf("asked for %d of %d children", len(logp), len(f.children[node]))
	}
	for i, child := range f.children[node] {
		logp[i] = f.logp[child]
	}
	return nil
}

// say gives the log-probability of each option by walking everything; within is
// how far each step is renormalised to the children below which can is above 0.
func (f *fakeTrie) say(can []float64, within float64) []float64 {
	all := make([]float64, len(can))
	var live func(node int) bool
	live = func(node int) bool {
		return f.option[node] >= 0 && can[f.option[node]] > 0 || slices.ContainsFunc(f.children[node], live)
	}
	var walk func(node int, logp float64)
	walk = func(node int, logp float64) {
		logp += f.logp[node]
		if o := f.option[node]; o >= 0 {
			all[o] = logp
		}
		sum := 0.0
		for _, child := range f.children[node] {
			if live(child) {
				sum += math.Exp(f.logp[child])
			}
		}
		for _, child := range f.children[node] {
			if sum > 0 {
				walk(child, logp-within*math.Log(sum))
			} else {
				walk(child, logp)
			}
		}
	}
	walk(0, 0)
	return all
}

// drawTrie makes random options over few tokens, so that they share prefixes,
// each closed by the terminator 0, with edges that leave some of the softmax to
// tokens outside of the trie.
func drawTrie(t *rapid.T) (*fakeTrie, int) {
	path := rapid.SliceOfN(rapid.Int32Range(1, 4), 1, 6)
	paths := rapid.SliceOfNDistinct(path, 1, 40, func(p []int32) string { return fmt.Sprint(p) }).Draw(t, "options")
	for i := range paths {
		paths[i] = append(slices.Clone(paths[i]), 0)
	}
	f := newFakeTrie(paths)
	weight := rapid.Float64Range(0, 1)
	for node := range f.children {
		rest := weight.Draw(t, "outside")
		weights := make([]float64, len(f.children[node]))
		sum := rest
		for i := range weights {
			weights[i] = weight.Draw(t, "weight")
			sum += weights[i]
		}
		for i, child := range f.children[node] {
			f.logp[child] = math.Log(weights[i] / sum)
			if sum == 0 {
				f.logp[child] = math.Inf(-1)
			}
		}
	}
	return f, len(paths)
}

// The search gives what scoring every option and sorting gives.
func TestSearchIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trie, n := drawTrie(t)
		can := make([]float64, n)
		for i := range can {
			can[i] = rapid.OneOf(rapid.Just(0.0), rapid.Just(1.0), rapid.Float64Range(0, 1)).Draw(t, "can")
		}
		k := rapid.IntRange(1, n).Draw(t, "k")
		within := rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "within")
		say := trie.say(can, within)
		var want []float64 // log of each product that is above 0, largest first
		for i := range can {
			if v := say[i] + math.Log(can[i]); !math.IsInf(v, -1) {
				want = append(want, v)
			}
		}
		slices.SortFunc(want, func(a, b float64) int { return cmp.Compare(b, a) })
		want = want[:min(k, len(want))]

		got, err := saycan.Search(context.Background(), trie, trie, can, saycan.Options{Best: k, Within: within})
		if slices.Max(can) == 0 {
			if !errors.Is(err, saycan.ErrNoOption) {
				t.Fatalf("nothing is possible: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Candidates) != len(want) {
			t.Fatalf("%d candidates, want %d", len(got.Candidates), len(want))
		}
		for i, c := range got.Candidates {
			if math.Abs(c.LogSay-say[c.Option]) > 1e-9 || c.Can != can[c.Option] {
				t.Fatalf("candidate %d: say %g, can %g; brute force %g, %g", i, c.LogSay, c.Can, say[c.Option], can[c.Option])
			}
			if v := c.LogSay + math.Log(c.Can); math.Abs(v-want[i]) > 1e-9 {
				t.Fatalf("candidate %d has log product %g, brute force %g", i, v, want[i])
			}
		}
		checkVisits(t, trie, got)
	})
}

func checkVisits(t *rapid.T, trie *fakeTrie, got saycan.Result) {
	inner := 0
	for node := range trie.children {
		if trie.option[node] < 0 {
			inner++
		}
		if trie.asked[node] > 1 {
			t.Fatalf("node %d was asked for %d times", node, trie.asked[node])
		}
	}
	if got.Total != inner || got.VisitedAll != len(trie.asked) || got.Visited > got.VisitedAll {
		t.Fatalf("visited %d, all %d, total %d; asked at %d of %d", got.Visited, got.VisitedAll, got.Total, len(trie.asked), inner)
	}
}

func TestSearchLeavesOutWhatCannotBe(t *testing.T) {
	trie := newFakeTrie([][]int32{{1, 2, 0}, {1, 3, 0}, {4, 5, 6, 0}})
	for i := range trie.logp {
		trie.logp[i] = -0.7
	}
	got, err := saycan.Search(context.Background(), trie, trie, []float64{0, 0, 1}, saycan.Options{Best: 3})
	if err != nil || len(got.Candidates) != 1 || got.Candidates[0].Option != 2 {
		t.Fatalf("%+v, %v; want option 2 alone", got, err)
	}
	if got.VisitedAll != 4 || got.Total != 7 {
		t.Errorf("visited %d of %d, want 4 of 7: nothing under token 1 can be", got.VisitedAll, got.Total)
	}
}

type failing struct {
	*fakeTrie
	logp float64
	err  error
}

func (f failing) Expand(_ context.Context, _ int, logp []float64) error {
	for i := range logp {
		logp[i] = f.logp
	}
	return f.err
}

func TestSearchErrors(t *testing.T) {
	trie := newFakeTrie([][]int32{{1, 0}, {2, 0}})
	broken := errors.New("broken")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for name, try := range map[string]func() error{
		"can above 1": func() error { return searchErr(context.Background(), trie, trie, []float64{1.5, 0}) },
		"can NaN":     func() error { return searchErr(context.Background(), trie, trie, []float64{math.NaN(), 0}) },
		"can short":   func() error { return searchErr(context.Background(), trie, trie, []float64{1}) },
		"scorer":      func() error { return searchErr(context.Background(), trie, failing{trie, 0, broken}, []float64{1, 1}) },
		"NaN": func() error {
			return searchErr(context.Background(), trie, failing{trie, math.NaN(), nil}, []float64{1, 1})
		},
		"within": func() error {
			_, err := saycan.Search(context.Background(), trie, trie, []float64{1, 1}, saycan.Options{Best: 1, Within: 2})
			return err
		},
		"cancelled": func() error { return searchErr(ended, trie, trie, []float64{1, 1}) },
	} {
		if try() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := searchErr(context.Background(), trie, failing{trie, 0, broken}, []float64{1, 1}); !errors.Is(err, broken) {
		t.Errorf("the scorer's error is not wrapped: %v", err)
	}
	// Rounding may lift a log-probability above 0; the bound must hold still.
	got, err := saycan.Search(context.Background(), trie, failing{trie, 1e-7, nil}, []float64{1, 0.5}, saycan.Options{Best: 2})
	if err != nil || got.Candidates[0].Option != 0 || got.Candidates[0].Say > 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func searchErr(ctx context.Context, trie saycan.Trie, scorer saycan.Scorer, can []float64) error {
	_, err := saycan.Search(ctx, trie, scorer, can, saycan.Options{Best: 1})
	return err
}
