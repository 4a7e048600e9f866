package generate_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"

	"github.com/kuai-robot/kuai/kernels/ref"
)

// tabletop is what a robot could do with four blocks and three bowls, as the
// catalogue of that name phrases it.
func tabletop() []string {
	blocks := []string{"red block", "green block", "blue block", "yellow block"}
	bowls := []string{"red bowl", "green bowl", "blue bowl"}
	var options []string
	add := func(format string, args ...any) { options = append(options, fmt.Sprintf(format, args...)) }
	for _, b := range blocks {
		add("pick up the %s", b)
		add("place the %s on the table", b)
		for _, o := range slices.Concat(blocks, bowls) {
			if o != b {
				add("place the %s next to the %s", b, o)
			}
		}
		for _, o := range blocks {
			if o != b {
				add("place the %s on the %s", b, o)
			}
		}
		for _, o := range bowls {
			add("place the %s in the %s", b, o)
		}
		add("push the %s to the left", b)
		add("push the %s to the right", b)
	}
	return append(options, "move the arm home", "done")
}

const preamble = `A robot follows instructions. It writes down each step and ends with done.

Instruction: put the apple in the basket
1. pick up the apple
2. place the apple in the basket
3. done

Instruction: slide the box to the right
1. push the box to the right
2. done

`

// steps are the prompts of one instruction, one step after the other.
func steps() []string {
	start := preamble + "Instruction: put the red block in the blue bowl\n1."
	return []string{start, start + " pick up the red block\n2.", start + " pick up the red block\n2. place the red block in the blue bowl\n3."}
}

func tabletopTrie(t testing.TB, model *generate.Model) (*generate.Trie, [][]int32) {
	t.Helper()
	var sequences [][]int32
	for _, o := range tabletop() {
		sequences = append(sequences, model.Tokenizer().Encode(" "+o+"\n"))
	}
	trie, err := generate.NewTrie(sequences)
	if err != nil {
		t.Fatal(err)
	}
	return trie, sequences
}

// With the real model, the best options of a step are those that scoring whole
// sequences in plain passes finds.
func TestTabletopStepIsExact(t *testing.T) {
	model := smolLM(t, ref.Exact(), generate.Options{Context: 512})
	defer model.Close()
	trie, sequences := tabletopTrie(t, model)
	plain, scored := newSession(t, model), newSession(t, model)
	scorer := scored.Scorer(trie)
	const k = 5
	for i, text := range steps() {
		prompt := model.Tokenizer().Encode(text)
		if err := scorer.Prompt(context.Background(), prompt); err != nil {
			t.Fatal(err)
		}
		options, logp := search(t, trie, scorer, k)
		passes, rows := scorer.Work()
		t.Logf("step %d: %d passes, %d tokens (%d inner nodes): %q %v", i, passes, rows, inner(trie), tabletop()[options[0]], logp)
		var best [][]int32
		for _, o := range options {
			best = append(best, sequences[o])
		}
		for j, want := range bruteForce(t, plain, prompt, best) {
			t.Logf("%g", want-logp[j])
			if math.Abs(want-logp[j]) > 1e-3 {
				t.Errorf("step %d: %q has log-probability %g, brute force %g", i, strings.TrimSpace(tabletop()[options[j]]), logp[j], want)
			}
		}
	}
}
