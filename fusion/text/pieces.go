package text

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// lowerBar is how SentencePiece writes a space.
const lowerBar = "▁"

// fillPieces is fill for a vocabulary of SentencePiece. Texts have spaces in
// place of ▁, also where ids are looked up.
func (t *Tokenizer) fillPieces(v Vocabulary) (map[string]int32, error) {
	if len(v.Merges) == 0 && len(v.Scores) != len(v.Tokens) {
		return nil, fmt.Errorf("vocabulary: %d scores for %d tokens, and no merges", len(v.Scores), len(v.Tokens))
	}
	ids := make(map[string]int32, len(v.Tokens))
	t.text, t.letters = make([]string, len(v.Tokens)), map[string]int32{}
	for b := range t.bytes {
		t.bytes[b] = -1
	}
	for i, entry := range v.Tokens {
		text := strings.ReplaceAll(entry, lowerBar, " ")
		switch t.kinds[i] {
		case Byte:
			b, err := byteOf(entry)
			if err != nil {
				return nil, fmt.Errorf("token %d: %w", i, err)
			}
			if t.bytes[b] < 0 {
				t.bytes[b] = int32(i)
			}
			t.text[i] = string([]byte{b})
			continue
		case Normal:
			if first, twice := ids[entry]; twice {
				return nil, fmt.Errorf("token %d: %q is already token %d", i, entry, first)
			}
			ids[entry] = int32(i)
			if utf8.RuneCountInString(text) == 1 {
				t.letters[text] = int32(i)
			}
		case Defined: // merges may lead to it
			if _, twice := ids[entry]; !twice {
				ids[entry] = int32(i)
			}
		}
		t.text[i] = text
	}
	t.whole = newSpecials(t.text, t.kinds, Defined)
	if len(v.Merges) > 0 {
		return ids, nil
	}
	return ids, t.rankPieces(v)
}

// byteOf reads <0xHH>.
func byteOf(entry string) (byte, error) {
	if len(entry) == 6 && strings.HasPrefix(entry, "<0x") && entry[5] == '>' {
		if b, err := strconv.ParseUint(entry[3:5], 16, 8); err == nil {
			return byte(b), nil
		}
	}
	return 0, fmt.Errorf("%q: a byte is written <0xHH>", entry)
}

// rankPieces turns scores into ranks: the highest score merges first, equal
// scores from the left.
func (t *Tokenizer) rankPieces(v Vocabulary) error {
	var order []int32
	for i, kind := range t.kinds {
		if math.IsNaN(float64(v.Scores[i])) {
			return fmt.Errorf("token %d: its score is NaN", i)
		}
		if kind == Normal {
			order = append(order, int32(i))
		}
	}
	if len(order) == 0 {
		return errors.New("vocabulary: no token is of the kind that text is made of")
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		switch {
		case v.Scores[a] > v.Scores[b]:
			return -1
		case v.Scores[a] < v.Scores[b]:
			return 1
		}
		return 0
	})
	t.words = make(map[string]merged, len(order))
	rank := int32(0)
	for i, id := range order {
		if i > 0 && v.Scores[id] != v.Scores[order[i-1]] {
			rank++
		}
		t.words[t.text[id]] = merged{rank, id}
	}
	return nil
}

// spaced puts the space before a text that the vocabulary asks for.
func (t *Tokenizer) spaced(s string) string {
	if !t.prefix || s == "" {
		return s
	}
	return " " + s
}

// encodePieces is encode for a vocabulary of SentencePiece: tokens that are
// whole first, then merges in what lies between.
func (t *Tokenizer) encodePieces(dst []int32, s string) []int32 {
	s = strings.ReplaceAll(s, lowerBar, " ")
	m := t.mergers.Get().(*merger)
	defer t.mergers.Put(m)
	for s != "" {
		start, id := t.whole.find(s)
		if start > 0 {
			dst = m.encode(t, dst, s[:start])
		}
		if id < 0 {
			break
		}
		dst = append(dst, id)
		s = s[start+len(t.text[id]):]
	}
	return dst
}

// letter gives the length of the first character of s and its token, -1 where
// its bytes must stand for it.
func (t *Tokenizer) letter(s string) (size int, token int32) {
	_, size = utf8.DecodeRuneInString(s)
	if id, ok := t.letters[s[:size]]; ok {
		return size, id
	}
	return size, -1
}

// pieces recognises the normalizer and pre-tokenizer of a vocabulary of
// SentencePiece: spaces become ▁, and one may come first.
func (h *hfTokenizer) pieces(v *Vocabulary) error {
	if len(v.Merges) == 0 {
		return errors.New("model.merges: there are none")
	}
	steps := []hfPart{}
	if h.Normalizer != nil {
		steps = append(steps, *h.Normalizer)
		if h.Normalizer.Type == "Sequence" {
			steps = h.Normalizer.Normalizers
		}
	}
	replaced := false
	for _, step := range steps {
		switch {
		case step.Type == "Prepend" && step.Prepend == lowerBar && !replaced:
			v.Prefix = true
		case step.Type == "Replace" && step.Pattern.String == " " && step.Content == lowerBar && !replaced:
			replaced = true
		default:
			return fmt.Errorf("normalizer: %q is not for byte_fallback as kuai reads it", step.Type)
		}
	}
	if !replaced {
		return errors.New("normalizer: with byte_fallback kuai reads one that replaces a space by ▁")
	}
	// What splits at spaces splits nothing: there are none left.
	if p := h.PreTokenizer; p != nil && !(p.Type == "Split" && p.Pattern.String == " ") {
		return fmt.Errorf("pre_tokenizer: %q is not for byte_fallback as kuai reads it", p.Type)
	}
	return nil
}
