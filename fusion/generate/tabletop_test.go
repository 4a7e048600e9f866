package generate_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
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

// With the real model in f32, the best options of a step are those that scoring
// whole sequences in plain passes finds.
func TestTabletopStepIsExact(t *testing.T) {
	checkTabletop(t, kernels.Float32, 1e-3)
}

// With activations rounded to 8 bits, whole options are within a rounding error
// of many layers; a wrong row or mask costs far more.
func TestTabletopStepIsCloseAsStored(t *testing.T) {
	checkTabletop(t, kernels.Stored, 0.8)
}

func checkTabletop(t *testing.T, precision kernels.Precision, tolerance float64) {
	t.Helper()
	model := smolLM(t, cpu.New(cpu.Options{}), generate.Options{Context: 512, Compile: kernels.Options{Precision: precision}})
	trie, sequences := tabletopTrie(t, model)
	plain, scored := newSession(t, model), newSession(t, model)
	scorer := scored.Scorer(trie)
	for i, text := range steps()[:2] {
		prompt := model.Tokenizer().Encode(text)
		if err := scorer.Prompt(context.Background(), prompt); err != nil {
			t.Fatal(err)
		}
		options, logp := search(t, trie, scorer, 5)
		passes, rows := scorer.Work()
		t.Logf("step %d: %q after %d passes over %d tokens; the trie has %d inner nodes", i+1, tabletop()[options[0]], passes, rows, inner(trie))
		// Brute force takes its time: the best ones, and some that must be worse.
		asked := slices.Clone(options)
		for o := i; o < len(sequences); o += 9 {
			if !slices.Contains(asked, o) {
				asked = append(asked, o)
			}
		}
		var chosen [][]int32
		for _, o := range asked {
			chosen = append(chosen, sequences[o])
		}
		want := bruteForce(t, plain, prompt, chosen)
		for j := range want {
			if j < len(options) && math.Abs(want[j]-logp[j]) > tolerance {
				t.Errorf("step %d: %q has log-probability %g, brute force %g", i+1, tabletop()[asked[j]], logp[j], want[j])
			}
			if j > 0 && want[j] > want[min(j, len(options))-1]+tolerance {
				t.Errorf("step %d: %q (%g) stands behind %q", i+1, tabletop()[asked[j]], want[j], tabletop()[asked[min(j, len(options))-1]])
			}
		}
	}
}
