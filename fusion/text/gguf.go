package text

import (
	"fmt"
	"strings"

	"github.com/kuai-robot/kuai/internal/checkpoint"
)

// FromGGUF makes the tokenizer that a GGUF file describes under
// tokenizer.ggml. Errors name the key.
func FromGGUF(meta checkpoint.Metadata) (*Tokenizer, error) {
	model, err := meta.String("tokenizer.ggml.model")
	if err != nil {
		return nil, err
	}
	v := Vocabulary{BOS: -1, EOS: -1, Split: "default"}
	switch model {
	case "gpt2":
	case "llama":
		v.Pieces, v.Prefix, v.AddBOS = true, true, true // unless the file says otherwise
	default:
		return nil, fmt.Errorf("metadata tokenizer.ggml.model: %q, kuai reads gpt2 (byte-level BPE) and llama (SentencePiece)", model)
	}
	if v.Tokens, err = meta.Strings("tokenizer.ggml.tokens"); err != nil {
		return nil, err
	}
	if v.Kinds, err = ggufKinds(meta, len(v.Tokens)); err != nil {
		return nil, err
	}
	if v.Pieces {
		v.Scores, err = ggufScores(meta)
	} else {
		v.Merges, err = ggufMerges(meta)
	}
	if err != nil {
		return nil, err
	}
	if err := ggufOptions(meta, &v); err != nil {
		return nil, err
	}
	t, err := New(v)
	if err != nil {
		return nil, fmt.Errorf("metadata tokenizer.ggml: %w", err)
	}
	return t, nil
}

func ggufKinds(meta checkpoint.Metadata, n int) ([]Kind, error) {
	const key = "tokenizer.ggml.token_type"
	kinds := make([]Kind, n)
	if !meta.Has(key) {
		for i := range kinds {
			kinds[i] = Normal
		}
		return kinds, nil
	}
	types, err := meta.Ints(key)
	if err != nil {
		return nil, err
	}
	if len(types) != n {
		return nil, fmt.Errorf("metadata %s: %d types for %d tokens", key, len(types), n)
	}
	for i, k := range types {
		if k < int64(Normal) || k > int64(Byte) {
			return nil, fmt.Errorf("metadata %s: token %d has type %d, want 1 to 6", key, i, k)
		}
		kinds[i] = Kind(k)
	}
	return kinds, nil
}

func ggufScores(meta checkpoint.Metadata) ([]float32, error) {
	numbers, err := meta.Floats("tokenizer.ggml.scores")
	if err != nil {
		return nil, err
	}
	scores := make([]float32, len(numbers))
	for i, x := range numbers {
		scores[i] = float32(x)
	}
	return scores, nil
}

func ggufMerges(meta checkpoint.Metadata) ([][2]string, error) {
	lines, err := meta.Strings("tokenizer.ggml.merges")
	if err != nil {
		return nil, err
	}
	merges := make([][2]string, len(lines))
	for i, line := range lines {
		if merges[i], err = splitMerge(line); err != nil {
			return nil, fmt.Errorf("metadata tokenizer.ggml.merges: merge %d: %w", i, err)
		}
	}
	return merges, nil
}

// splitMerge takes "a b" apart; the byte alphabet has no space.
func splitMerge(line string) ([2]string, error) {
	first, then, ok := strings.Cut(line, " ")
	if !ok || first == "" || then == "" {
		return [2]string{}, fmt.Errorf("%q is not two tokens with a space between", line)
	}
	return [2]string{first, then}, nil
}

// ggufOptions reads what a file may leave out.
func ggufOptions(meta checkpoint.Metadata, v *Vocabulary) error {
	for _, id := range []struct {
		key string
		to  *int32
	}{
		{"tokenizer.ggml.bos_token_id", &v.BOS},
		{"tokenizer.ggml.eos_token_id", &v.EOS},
	} {
		if !meta.Has(id.key) {
			continue
		}
		n, err := meta.Int(id.key)
		if err != nil {
			return err
		}
		if n < 0 || n >= int64(len(v.Tokens)) {
			return fmt.Errorf("metadata %s: %d is outside the %d tokens", id.key, n, len(v.Tokens))
		}
		*id.to = int32(n)
	}
	var err error
	for key, to := range map[string]*string{"tokenizer.ggml.pre": &v.Split, "tokenizer.chat_template": &v.Template} {
		if meta.Has(key) && err == nil {
			*to, err = meta.String(key)
		}
	}
	for key, to := range map[string]*bool{"tokenizer.ggml.add_bos_token": &v.AddBOS, "tokenizer.ggml.add_space_prefix": &v.Prefix} {
		if meta.Has(key) && err == nil {
			*to, err = meta.Bool(key)
		}
	}
	v.AddBOS = v.AddBOS && (v.BOS >= 0 || !v.Pieces)
	v.Prefix = v.Prefix && v.Pieces
	return err
}
