package embed_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// spoiled copies the folder of a fixture with one file changed, or left out
// where the change gives nil.
func spoiled(t *testing.T, family, file string, change func(data []byte) []byte) string {
	t.Helper()
	dir := t.TempDir()
	entries, err := os.ReadDir(filepath.Join(fixtures, family))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(fixtures, family, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if entry.Name() == file {
			if data = change(data); data == nil {
				continue
			}
		}
		if err := os.WriteFile(filepath.Join(dir, entry.Name()), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func replace(from, to string) func([]byte) []byte {
	return func(data []byte) []byte { return bytes.Replace(data, []byte(from), []byte(to), 1) }
}

func remove([]byte) []byte { return nil }

// A folder that does not hold what it says is an error that names the file and
// the tensor, field or token.
func TestOpenErrors(t *testing.T) {
	for want, c := range map[string]struct {
		family, file string
		change       func([]byte) []byte
	}{
		"neither vocab.json with merges.txt":         {"clip", "vocab.json", remove},
		"merges.txt":                                 {"clip", "merges.txt", remove},
		"merge 0 makes":                              {"clip", "merges.txt", replace("#version: 0.2\n", "#version: 0.2\nzz qq\n")},
		`merge "nospace"`:                            {"clip", "merges.txt", replace("#version: 0.2\n", "#version: 0.2\nnospace\n")},
		"is no token":                                {"clip", "vocab.json", replace("<|startoftext|>", "<|start|>")},
		"which is taken or outside":                  {"clip", "vocab.json", replace(`"!":0`, `"!":1`)},
		"token_embedding.weight has shape":           {"clip", "config.json", replace(`"vocab_size": 621`, `"vocab_size": 622`)},
		"text_projection.weight has shape":           {"clip", "config.json", replace(`"projection_dim": 24`, `"projection_dim": 23`)},
		"no tensor text_model.final_layer_norm.bias": {"clip", "model.safetensors", replace("text_model.final_layer_norm.bias", "text_model.final_layer_norm.bios")},
		"has no tokenizer.json":                      {"siglip", "tokenizer.json", remove},
		"model.unk_id: 4000":                         {"siglip", "tokenizer.json", replace(`"unk_id":2`, `"unk_id":4000`)},
		`normalizer: "Uppercase"`:                    {"siglip", "tokenizer.json", replace(`"type":"Lowercase"`, `"type":"Uppercase"`)},
		`model.type: "BPE"`:                          {"siglip", "tokenizer.json", replace(`"type":"Unigram"`, `"type":"BPE"`)},
		"vocab.txt":                                  {"bert", "vocab.txt", remove},
		"[SEP] is no token":                          {"bert", "vocab.txt", replace("[SEP]", "[SOP]")},
		"word_embeddings.weight has shape":           {"bert", "config.json", replace(`"vocab_size": 67`, `"vocab_size": 60`)},
		`position_embedding_type: "relative"`:        {"bert", "config.json", replace(`{`, `{"position_embedding_type":"relative",`)},
		"max_position_embeddings: 1":                 {"bert", "config.json", replace(`"max_position_embeddings": 24`, `"max_position_embeddings": 1`)},
		`model_type: "whisper"`:                      {"bert", "config.json", replace(`"model_type": "bert"`, `"model_type": "whisper"`)},
		"layer_norm_eps: 2":                          {"bert", "config.json", replace(`"layer_norm_eps": 1e-12`, `"layer_norm_eps": 2`)},
	} {
		if _, err := embed.OpenText(spoiled(t, c.family, c.file, c.change), ref.New(), embed.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
	dir := spoiled(t, "siglip", "model.safetensors", replace("logit_bias", "logit_bios"))
	if _, err := embed.OpenPair(dir, ref.New(), embed.Options{}); err == nil || !strings.Contains(err.Error(), "logit_bias") {
		t.Errorf("error %v, want one that says logit_bias", err)
	}
}

// Tokens that make no sense are errors before anything is computed, and the
// session can be used on.
func TestTokenErrors(t *testing.T) {
	text, s := openText(t, filepath.Join(fixtures, "clip"), ref.New(), kernels.Stored)
	for want, ids := range map[string][]int32{
		"a sentence of 0 tokens":             nil,
		"a sentence of 25 tokens":            make([]int32, 25),
		"token_embedding.weight: ids[1] is ": {0, int32(text.Config().Vocabulary)},
		"ids[0] is -1":                       {-1},
	} {
		if _, err := s.EncodeTokens(context.Background(), ids); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
	if _, err := s.Encode(context.Background(), "a bowl"); err != nil {
		t.Error(err)
	}
	ids := text.Tokens("a bowl")
	if allocs := testing.AllocsPerRun(10, func() {
		if _, err := s.EncodeTokens(context.Background(), ids); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("%g allocations a sentence", allocs)
	}
}

// Whatever a person types has tokens of the vocabulary, no more than fit, and
// ends with the token that closes a sentence.
func FuzzTokenizers(f *testing.F) {
	var texts []*embed.Text
	for _, family := range []string{"clip", "siglip", "bert"} {
		text, err := embed.OpenText(filepath.Join(fixtures, family), ref.New(), embed.Options{})
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, text)
	}
	for _, seed := range []string{"a red block", "", "\xff\xfe", "it's  WE'LL \u200b", strings.Repeat("ab'", 50), "[SEP] </s> <|endoftext|>", "你好🤖"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sentence string) {
		for _, text := range texts {
			c := text.Config()
			empty, ids := text.Tokens(""), text.Tokens(sentence)
			last := empty[len(empty)-1]
			if len(ids) < 1 || len(ids) > c.Tokens || ids[len(ids)-1] != last {
				t.Errorf("%s: %q has tokens %v", c.Family, sentence, ids)
			}
			if slices.Min(ids) < 0 || int(slices.Max(ids)) >= c.Vocabulary {
				t.Errorf("%s: %q has tokens %v of %d", c.Family, sentence, ids, c.Vocabulary)
			}
		}
	})
}
