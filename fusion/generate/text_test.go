package generate_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// talk collects the text and the tokens of an answer.
func talk(t *testing.T, s *generate.Session, o generate.Sampling) (string, []int32) {
	t.Helper()
	var b strings.Builder
	var tokens []int32
	prompt := s.Model().Tokenizer().Encode("Hello")
	err := s.Generate(context.Background(), prompt, o, func(token int32, piece string) bool {
		if token >= 0 {
			tokens = append(tokens, token)
		}
		b.WriteString(piece)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), tokens
}

// The pieces are the text of the tokens, without the special ones; a stop text
// cuts it before its first place.
func TestGenerateGivesText(t *testing.T) {
	model, err := generate.Open(filepath.Join("..", "testdata", "tiny", "qwen2", "model.gguf"), ref.New(), generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, tokenizer := newSession(t, model), model.Tokenizer()
	stops := 0
	for seed := range uint64(150) {
		o := generate.Sampling{Temperature: 1, Seed: seed, MaxTokens: 40}
		text, tokens := talk(t, s, o)
		var plain []int32
		for _, token := range tokens {
			if tokenizer.Ends(token) {
				t.Errorf("seed %d: %q closes the answer and was given out", seed, tokenizer.Piece(token))
			}
			if !tokenizer.Special(token) {
				plain = append(plain, token)
			}
		}
		if want := strings.ToValidUTF8(tokenizer.Decode(plain), "\uFFFD"); strings.ReplaceAll(text, "\uFFFD", "") != strings.ReplaceAll(want, "\uFFFD", "") {
			t.Errorf("seed %d: pieces %q, tokens %q", seed, text, want)
		}
		runes := []rune(text)
		if len(runes) < 12 || strings.ContainsRune(text, '\uFFFD') {
			continue // random tokens are seldom text
		}
		o.Stop = []string{string(runes[6:9])}
		stops++
		if got, _ := talk(t, s, o); got != text[:strings.Index(text, o.Stop[0])] {
			t.Errorf("seed %d: stopped at %q: %q of %q", seed, o.Stop[0], got, text)
		}
	}
	t.Logf("%d answers were stopped", stops)
	if stops == 0 {
		t.Error("no answer was good enough to be stopped")
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := generate.Open(filepath.Join(dir, "none.gguf"), ref.New(), generate.Options{}); err == nil || !strings.Contains(err.Error(), "none.gguf") {
		t.Errorf("no file: %v", err)
	}
	if _, err := generate.Open(dir, ref.New(), generate.Options{}); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("empty folder: %v", err)
	}
}
