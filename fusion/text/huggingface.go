package text

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// hfTokenizer is what tokenizer.json says, as far as it decides tokens.
type hfTokenizer struct {
	Added        []hfAdded `json:"added_tokens"`
	Normalizer   *hfPart   `json:"normalizer"`
	PreTokenizer *hfPart   `json:"pre_tokenizer"`
	Model        struct {
		Type         string           `json:"type"`
		Vocab        map[string]int32 `json:"vocab"`
		Merges       []hfMerge        `json:"merges"`
		IgnoreMerges bool             `json:"ignore_merges"`
		ByteFallback bool             `json:"byte_fallback"`
		Prefix       string           `json:"continuing_subword_prefix"`
		Suffix       string           `json:"end_of_word_suffix"`
	} `json:"model"`
}

type hfAdded struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	Special    bool   `json:"special"`
	SingleWord bool   `json:"single_word"`
	Left       bool   `json:"lstrip"`
	Right      bool   `json:"rstrip"`
}

// hfPart is a normalizer or pre-tokenizer.
type hfPart struct {
	Type           string   `json:"type"`
	PreTokenizers  []hfPart `json:"pretokenizers"`
	Individual     bool     `json:"individual_digits"`
	AddPrefixSpace bool     `json:"add_prefix_space"`
	UseRegex       *bool    `json:"use_regex"`
	Behavior       string   `json:"behavior"`
	Invert         bool     `json:"invert"`
	Pattern        struct {
		Regex, String string
	} `json:"pattern"`
	Content     string   `json:"content"`     // of Replace
	Prepend     string   `json:"prepend"`     // of Prepend
	Normalizers []hfPart `json:"normalizers"` // of Sequence
}

// hfMerge is "a b" or ["a", "b"].
type hfMerge [2]string

// UnmarshalJSON reads either form.
func (m *hfMerge) UnmarshalJSON(text []byte) error {
	var line string
	if json.Unmarshal(text, &line) == nil {
		p, err := splitMerge(line)
		if err != nil {
			return fmt.Errorf("model.merges: %w", err)
		}
		*m = p
		return nil
	}
	var parts []string
	if err := json.Unmarshal(text, &parts); err != nil || len(parts) != 2 {
		return fmt.Errorf("model.merges: %s: want two tokens", text)
	}
	*m = hfMerge{parts[0], parts[1]}
	return nil
}

// qwen2Pattern is the expression that splitQwen2 follows, as Qwen's files write it.
const qwen2Pattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

// FromFolder makes the tokenizer of a folder in the layout of Hugging Face:
// tokenizer.json and, where they are there, tokenizer_config.json and
// chat_template.jinja. Errors name the file and the field.
func FromFolder(dir string) (*Tokenizer, error) {
	path := filepath.Join(dir, "tokenizer.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	config, err := readIfThere(filepath.Join(dir, "tokenizer_config.json"))
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	template, err := readIfThere(filepath.Join(dir, "chat_template.jinja"))
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	t, err := ParseJSON(data, config, string(template))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

func readIfThere(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// ParseJSON makes a tokenizer of the text of tokenizer.json and of
// tokenizer_config.json, which may be empty; template is the chat template
// where that names none.
func ParseJSON(data, config []byte, template string) (*Tokenizer, error) {
	var h hfTokenizer
	if err := json.Unmarshal(data, &h); err != nil {
		return nil, err
	}
	v, err := h.vocabulary()
	if err != nil {
		return nil, err
	}
	if len(config) > 0 {
		if err := v.configure(config); err != nil {
			return nil, fmt.Errorf("tokenizer_config.json: %w", err)
		}
	}
	if v.Template == "" {
		v.Template = template
	}
	return New(v)
}

func (h *hfTokenizer) vocabulary() (Vocabulary, error) {
	v := Vocabulary{BOS: -1, EOS: -1}
	m := &h.Model
	switch {
	case m.Type != "BPE":
		return v, fmt.Errorf("model.type: %q, kuai reads BPE", m.Type)
	case m.IgnoreMerges || m.Prefix != "" || m.Suffix != "":
		return v, errors.New("model: ignore_merges, continuing_subword_prefix and end_of_word_suffix are not for BPE as kuai reads it")
	}
	v.Pieces = m.ByteFallback
	n := len(m.Vocab)
	for _, a := range h.Added {
		n = max(n, int(a.ID)+1)
	}
	if n > maxVocabulary || n > len(m.Vocab)+len(h.Added) {
		return v, fmt.Errorf("added_tokens: an id of %d after %d tokens", n-1, len(m.Vocab))
	}
	v.Tokens, v.Kinds = make([]string, n), make([]Kind, n)
	for token, id := range m.Vocab {
		if id < 0 || int(id) >= n || v.Kinds[id] != 0 {
			return v, fmt.Errorf("model.vocab: token %q has id %d, which is taken or outside the %d tokens", token, id, n)
		}
		v.Tokens[id], v.Kinds[id] = token, Normal
		if _, err := byteOf(token); v.Pieces && err == nil {
			v.Kinds[id] = Byte
		}
	}
	for _, a := range h.Added {
		if a.ID < 0 {
			return v, fmt.Errorf("added_tokens: token %q has id %d", a.Content, a.ID)
		}
		if a.SingleWord || a.Left || a.Right {
			return v, fmt.Errorf("added_tokens: token %q: single_word, lstrip and rstrip are not for models that kuai reads", a.Content)
		}
		v.Tokens[a.ID], v.Kinds[a.ID] = a.Content, Defined
		if a.Special {
			v.Kinds[a.ID] = Control
		}
	}
	for id, kind := range v.Kinds {
		if kind == 0 {
			return v, fmt.Errorf("model.vocab: no token has id %d", id)
		}
	}
	for _, merge := range m.Merges {
		v.Merges = append(v.Merges, merge)
	}
	lostMerge(&v)
	if v.Pieces {
		return v, h.pieces(&v)
	}
	return v, h.split(&v)
}

// split recognises the pre-tokenizer and normalizer.
func (h *hfTokenizer) split(v *Vocabulary) error {
	if h.Normalizer != nil {
		if h.Normalizer.Type != "NFC" {
			return fmt.Errorf("normalizer: %q, kuai knows NFC", h.Normalizer.Type)
		}
		v.Compose = true
	}
	p := h.PreTokenizer
	if p == nil {
		return errors.New("pre_tokenizer: there is none")
	}
	parts := p.PreTokenizers
	if p.Type == "ByteLevel" {
		parts = []hfPart{*p}
	}
	if len(parts) == 0 || len(parts) > 2 || parts[len(parts)-1].Type != "ByteLevel" || parts[len(parts)-1].AddPrefixSpace {
		return errors.New("pre_tokenizer: want ByteLevel without a prefix space, after Digits or Split at most")
	}
	regex := parts[len(parts)-1].UseRegex
	whole := regex == nil || *regex
	switch first := &parts[0]; {
	case len(parts) == 1 && whole:
		v.Split = "gpt-2"
	case first.Type == "Digits" && first.Individual && whole:
		v.Split = "smollm"
	case first.Type == "Split" && first.Behavior == "Isolated" && !first.Invert && first.Pattern.Regex == qwen2Pattern && !whole:
		v.Split = "qwen2"
	default:
		return fmt.Errorf("pre_tokenizer: a combination (%s, expression %q) that kuai does not know; it knows those of gpt-2, smollm and qwen2", first.Type, first.Pattern.Regex)
	}
	return nil
}

// configure reads the special tokens' roles and the chat template.
func (v *Vocabulary) configure(text []byte) error {
	var c struct {
		BOS      json.RawMessage `json:"bos_token"`
		EOS      json.RawMessage `json:"eos_token"`
		AddBOS   bool            `json:"add_bos_token"`
		Template json.RawMessage `json:"chat_template"`
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	for _, role := range []struct {
		name string
		text json.RawMessage
		to   *int32
	}{{"bos_token", c.BOS, &v.BOS}, {"eos_token", c.EOS, &v.EOS}} {
		token := hfTokenText(role.text)
		if token == "" {
			continue
		}
		for id, known := range v.Tokens {
			if known == token {
				*role.to = int32(id)
			}
		}
		if *role.to < 0 {
			return fmt.Errorf("%s: %q is not a token", role.name, token)
		}
	}
	v.AddBOS = c.AddBOS
	if len(c.Template) == 0 || string(c.Template) == "null" {
		return nil
	}
	if err := json.Unmarshal(c.Template, &v.Template); err != nil {
		return fmt.Errorf("chat_template: want one text: %w", err)
	}
	return nil
}

// hfTokenText reads "text" or {"content": "text"}.
func hfTokenText(text json.RawMessage) string {
	var token string
	if json.Unmarshal(text, &token) == nil {
		return token
	}
	var added hfAdded
	if json.Unmarshal(text, &added) != nil {
		return ""
	}
	return added.Content
}
