package embed

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// unigram is the tokenizer of SigLIP: of all ways to cut a sentence into
// tokens, the one with the largest sum of scores (arXiv 1804.10959).
type unigram struct {
	ids       map[string]int32
	scores    []float64
	longest   int // token, bytes
	unknown   int32
	unkScore  float64
	end       int32
	normalise func(string) string
}

// unknownPenalty is how much less than the least token an unknown rune scores,
// as SentencePiece has it.
const unknownPenalty = 10

func parseUnigram(data []byte) (Tokenizer, error) {
	var j jsonTokenizer
	if err := json.Unmarshal(data, &j); err != nil {
		return nil, err
	}
	if j.Model.Type != "Unigram" {
		return nil, fmt.Errorf("model.type: %q, SigLIP has Unigram", j.Model.Type)
	}
	var entries [][2]json.RawMessage
	if err := json.Unmarshal(j.Model.Vocab, &entries); err != nil {
		return nil, fmt.Errorf("model.vocab: %w", err)
	}
	t := &unigram{ids: make(map[string]int32, len(entries)), unknown: j.Model.Unknown, end: -1}
	least := math.Inf(1)
	for i, entry := range entries {
		var token string
		var score float64
		if err := errors.Join(json.Unmarshal(entry[0], &token), json.Unmarshal(entry[1], &score)); err != nil {
			return nil, fmt.Errorf("model.vocab[%d]: %w", i, err)
		}
		if _, twice := t.ids[token]; twice {
			return nil, fmt.Errorf("model.vocab[%d]: %q is there twice", i, token)
		}
		t.ids[token], t.scores = int32(i), append(t.scores, score)
		t.longest, least = max(t.longest, len(token)), min(least, score)
	}
	if t.unknown < 0 || int(t.unknown) >= len(entries) {
		return nil, fmt.Errorf("model.unk_id: %d, want 0 to %d", t.unknown, len(entries)-1)
	}
	t.unkScore = least - unknownPenalty
	if id, ok := t.ids["</s>"]; ok {
		t.end = id
	}
	if t.end < 0 {
		return nil, errors.New("model.vocab: </s> is no token")
	}
	for _, a := range j.Added { // special tokens are never made of text
		if id, ok := t.ids[a.Content]; ok && id == a.ID && id != t.unknown {
			delete(t.ids, a.Content)
		}
	}
	var err error
	t.normalise, err = parseNormalizer(j.Normalizer)
	return t, err
}

func (t *unigram) Len() int { return len(t.scores) }

// Encode gives the tokens and the end, filled up with the end to most: SigLIP
// always sees sentences of that length, and its padding is its end.
func (t *unigram) Encode(sentence string, most int) []int32 {
	text := t.normalise(strings.ToValidUTF8(sentence, "�"))
	ids := make([]int32, 0, most)
	if text != "" {
		ids = t.best(ids, "▁"+strings.ReplaceAll(text, " ", "▁"))
	}
	ids = ids[:min(len(ids), most-1)]
	for len(ids) < most {
		ids = append(ids, t.end)
	}
	return ids
}

// best appends the best cut of text (Viterbi's algorithm over places).
func (t *unigram) best(ids []int32, text string) []int32 {
	const maxText = 1 << 14 // bytes; a tower sees 64 tokens
	text = text[:min(len(text), maxText)]
	scores := make([]float64, len(text)+1)
	from, token := make([]int, len(text)+1), make([]int32, len(text)+1)
	for i := range scores[1:] {
		scores[i+1] = math.Inf(-1)
	}
	for at := range text {
		if math.IsInf(scores[at], -1) {
			continue
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		whole := false
		for end := at + size; end <= min(len(text), at+t.longest); end++ {
			if id, ok := t.ids[text[at:end]]; ok {
				whole = whole || end == at+size
				if s := scores[at] + t.scores[id]; s > scores[end] {
					scores[end], from[end], token[end] = s, at, id
				}
			}
		}
		if s := scores[at] + t.unkScore; !whole && s > scores[at+size] {
			scores[at+size], from[at+size], token[at+size] = s, at, t.unknown
		}
	}
	start := len(ids)
	for at := len(text); at > 0; at = from[at] {
		if n := len(ids); token[at] == t.unknown && n > start && ids[n-1] == t.unknown {
			continue // unknown runes in a row are one token
		}
		ids = append(ids, token[at])
	}
	for i, j := start, len(ids)-1; i < j; i, j = i+1, j-1 {
		ids[i], ids[j] = ids[j], ids[i]
	}
	return ids
}

// jsonNormalizer is one step of a normalizer.
type jsonNormalizer struct {
	Type    string            `json:"type"`
	Steps   []json.RawMessage `json:"normalizers"`
	Pattern struct {
		String *string
		Regex  *string
	} `json:"pattern"`
	Content string `json:"content"`
}

func parseNormalizer(data json.RawMessage) (func(string) string, error) {
	if len(data) == 0 || string(data) == "null" {
		return func(s string) string { return s }, nil
	}
	var n jsonNormalizer
	if err := json.Unmarshal(data, &n); err != nil {
		return nil, fmt.Errorf("normalizer: %w", err)
	}
	switch n.Type {
	case "Sequence":
		var steps []func(string) string
		for _, step := range n.Steps {
			f, err := parseNormalizer(step)
			if err != nil {
				return nil, err
			}
			steps = append(steps, f)
		}
		return func(s string) string {
			for _, f := range steps {
				s = f(s)
			}
			return s
		}, nil
	case "Lowercase":
		return strings.ToLower, nil
	case "Strip":
		return strings.TrimSpace, nil
	case "NFKC", "Precompiled": // the table of the latter is that of NFKC with white space made spaces
		return func(s string) string { return norm.NFKC.String(s) }, nil
	case "Replace":
		return replacement(n)
	}
	return nil, fmt.Errorf("normalizer: %q, kuai knows Sequence, Lowercase, Strip, NFKC, Precompiled and Replace", n.Type)
}

// replacement knows the two expressions that SigLIP has: ASCII punctuation is
// dropped, white space becomes one space.
func replacement(n jsonNormalizer) (func(string) string, error) {
	switch {
	case n.Pattern.String != nil && *n.Pattern.String != "":
		return func(s string) string { return strings.ReplaceAll(s, *n.Pattern.String, n.Content) }, nil
	case n.Pattern.Regex == nil:
	case *n.Pattern.Regex == `\s+` && n.Content == " ", *n.Pattern.Regex == " {2,}" && n.Content == " ":
		return func(s string) string { return spaces(s) }, nil
	case n.Content == "" && strings.HasPrefix(*n.Pattern.Regex, "[") && strings.Contains(*n.Pattern.Regex, `\!\"\#\$\%\&`):
		return func(s string) string {
			return strings.Map(func(r rune) rune {
				if r < utf8.RuneSelf && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
					return -1
				}
				return r
			}, s)
		}, nil
	}
	return nil, errors.New("normalizer: Replace with an expression that kuai does not know")
}

// spaces makes each run of white space one space.
func spaces(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range s {
		if unicode.IsSpace(r) {
			if !gap {
				b.WriteByte(' ')
			}
			gap = true
			continue
		}
		gap = false
		b.WriteRune(r)
	}
	return b.String()
}
