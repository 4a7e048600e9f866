package generate_test

import (
	"context"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/kernels/cpu"
)

func benchModel(b *testing.B) *generate.Session {
	b.Helper()
	model := smolLM(b, cpu.New(cpu.Options{Threads: 2}), generate.Options{})
	return newSession(b, model)
}

// BenchmarkDecode reports tokens generated a second.
func BenchmarkDecode(b *testing.B) {
	s := benchModel(b)
	prompt := s.Model().Tokenizer().Encode("Once upon a time, there was a little robot who")
	const tokens = 64
	n := 0
	for b.Loop() {
		err := s.Generate(context.Background(), prompt, generate.Sampling{MaxTokens: tokens}, func(int32, string) bool { n++; return true })
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tokens/s")
}

// BenchmarkPrefill reports tokens of a prompt read a second.
func BenchmarkPrefill(b *testing.B) {
	s := benchModel(b)
	text := strings.Repeat("The robot stands at a table with four blocks and three bowls. ", 20)
	prompts := [2][]int32{s.Model().Tokenizer().Encode("A" + text), s.Model().Tokenizer().Encode("B" + text)}
	n := 0
	for b.Loop() {
		prompt := prompts[n%2] // the other one's cache is of no use
		if _, err := s.Logits(context.Background(), prompt); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n*len(prompts[0]))/b.Elapsed().Seconds(), "tokens/s")
}

// BenchmarkStep is one SayCan step over the options of the tabletop, warm: the
// preamble is in the cache, the instruction and the steps so far are not.
func BenchmarkStep(b *testing.B) {
	s := benchModel(b)
	trie, options := tabletopTrie(b, s.Model())
	scorer := s.Scorer(trie)
	var prompts [][]int32
	for _, text := range append(steps(), strings.Replace(steps()[0], "red", "green", 1)) {
		prompts = append(prompts, s.Model().Tokenizer().Encode(text))
	}
	passes, rows, n := 0, 0, 0
	for b.Loop() {
		if err := scorer.Prompt(context.Background(), prompts[n%len(prompts)]); err != nil {
			b.Fatal(err)
		}
		search(b, trie, scorer, 5)
		p, r := scorer.Work()
		passes, rows, n = passes+p, rows+r, n+1
	}
	b.ReportMetric(float64(len(options)), "options")
	b.ReportMetric(float64(passes)/float64(n), "passes")
	b.ReportMetric(float64(rows)/float64(n), "tokens")
}
