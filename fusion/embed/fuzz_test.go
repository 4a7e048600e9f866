package embed

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever a tokenizer's file holds, it is an error or a tokenizer that gives
// tokens of its vocabulary, no more of them than fit.
func FuzzTokenizerFiles(f *testing.F) {
	const fixtures = "../../perception/encoder/testdata"
	for _, path := range []string{"siglip/tokenizer.json", "bert/vocab.txt"} {
		data, err := os.ReadFile(filepath.Join(fixtures, path))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"added_tokens":[{"id":0,"content":"<|startoftext|>"},{"id":1,"content":"<|endoftext|>"}],"model":{"type":"BPE","end_of_word_suffix":"</w>","vocab":{"a":2},"merges":["a a"]}}`))
	f.Add([]byte(`{"added_tokens":[{"content":"x"}],"model":{"type":"BPE","end_of_word_suffix":"</w>","vocab":null}}`))
	f.Add([]byte(`{"model":{"type":"Unigram","unk_id":0,"vocab":[["</s>",0],["a",-1]]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, parse := range map[string]func() (Tokenizer, error){
			"CLIP": func() (Tokenizer, error) { return parseCLIPJSON(data) },
			"merges": func() (Tokenizer, error) {
				return parseCLIP([]byte(`{"a":0,"<|startoftext|>":1,"<|endoftext|>":2}`), data)
			},
			"Unigram":   func() (Tokenizer, error) { return parseUnigram(data) },
			"WordPiece": func() (Tokenizer, error) { return parseWordPiece(string(data), true) },
		} {
			tokenizer, err := parse()
			if err != nil {
				continue
			}
			ids := tokenizer.Encode("a bowl, 12 \xff 你", 8)
			if len(ids) < 1 || len(ids) > 8 {
				t.Errorf("%s: %d tokens", name, len(ids))
			}
			for _, id := range ids {
				if id < 0 || int(id) >= tokenizer.Len() {
					t.Errorf("%s: token %d of %d", name, id, tokenizer.Len())
				}
			}
		}
	})
}
