package text_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/text"
	"github.com/kuai-robot/kuai/internal/checkpoint"
)

// field is a metadata field of a GGUF file.
type field struct {
	key   string
	value any // string, uint32, bool, []string, []int32 or []float32
}

// gguf writes a file of metadata alone.
func gguf(fields []field) []byte {
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			if s, ok := v.(string); ok {
				_ = binary.Write(&b, binary.LittleEndian, uint64(len(s)))
				b.WriteString(s)
				continue
			}
			_ = binary.Write(&b, binary.LittleEndian, v)
		}
	}
	b.WriteString("GGUF")
	put(uint32(3), uint64(0), uint64(len(fields)))
	for _, f := range fields {
		put(f.key)
		switch v := f.value.(type) {
		case string:
			put(uint32(8), v)
		case uint32:
			put(uint32(4), v)
		case bool:
			put(uint32(7), v)
		case []string:
			put(uint32(9), uint32(8), uint64(len(v)))
			for _, s := range v {
				put(s)
			}
		case []int32:
			put(uint32(9), uint32(5), uint64(len(v)), v)
		case []float32:
			put(uint32(9), uint32(6), uint64(len(v)), v)
		}
	}
	return b.Bytes()
}

func soundFields() []field {
	return []field{
		{"tokenizer.ggml.model", "gpt2"}, {"tokenizer.ggml.pre", "smollm"},
		{"tokenizer.ggml.tokens", []string{"a", "b", "ab", "<|im_end|>"}}, {"tokenizer.ggml.token_type", []int32{1, 1, 1, 3}},
		{"tokenizer.ggml.merges", []string{"a b"}}, {"tokenizer.ggml.eos_token_id", uint32(3)}, {"tokenizer.ggml.add_bos_token", false},
	}
}

func TestGGUFErrors(t *testing.T) {
	for want, c := range map[string]field{
		`tokenizer.ggml.model: "bert", kuai reads gpt2`: {"tokenizer.ggml.model", "bert"},
		"tokenizer.ggml.scores: missing":                {"tokenizer.ggml.model", "llama"},
		"tokenizer.ggml.model: holds uint32":            {"tokenizer.ggml.model", uint32(1)},
		`pre-tokenizer "x"`:                             {"tokenizer.ggml.pre", "x"},
		"tokenizer.ggml.token_type: 3 types for 4":      {"tokenizer.ggml.token_type", []int32{1, 1, 1}},
		"token 2 has type 9":                            {"tokenizer.ggml.token_type", []int32{1, 1, 9, 3}},
		"merge 0: \"ab\" is not two tokens":             {"tokenizer.ggml.merges", []string{"ab"}},
		`merge 0: "b" and "a"`:                          {"tokenizer.ggml.merges", []string{"b a"}},
		"tokenizer.ggml.eos_token_id: 4 is outside":     {"tokenizer.ggml.eos_token_id", uint32(4)},
		"start with a BOS token":                        {"tokenizer.ggml.add_bos_token", true},
		"tokenizer.ggml.tokens: one value":              {"tokenizer.ggml.tokens", "a"},
	} {
		fields := soundFields()
		for i := range fields {
			if fields[i].key == c.key {
				fields[i].value = c.value
			}
		}
		f, err := checkpoint.ParseGGUF(gguf(fields))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := text.FromGGUF(f.Meta); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

func FuzzGGUF(f *testing.F) {
	f.Add(gguf(soundFields()))
	f.Add(gguf(soundFields()[:3]))
	f.Add(gguf(nil))
	f.Add(gguf([]field{
		{"tokenizer.ggml.model", "llama"}, {"tokenizer.ggml.tokens", []string{"<s>", "▁", "a", "▁a", "<0x61>", "\n"}},
		{"tokenizer.ggml.token_type", []int32{3, 1, 1, 1, 6, 4}}, {"tokenizer.ggml.scores", []float32{0, -2, -3, -1, 0, 0}},
		{"tokenizer.ggml.bos_token_id", uint32(0)},
	}))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := checkpoint.ParseGGUF(data)
		if err != nil {
			return
		}
		tokenizer, err := text.FromGGUF(file.Meta)
		if err != nil {
			return
		}
		for _, id := range tokenizer.EncodeSpecial("ab<|im_end|>12") {
			if id < 0 || int(id) >= tokenizer.Len() {
				t.Errorf("token %d of a vocabulary of %d", id, tokenizer.Len())
			}
		}
	})
}
