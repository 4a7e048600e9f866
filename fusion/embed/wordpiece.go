package embed

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// wordPiece is BERT's tokenizer: words and punctuation apart, each word cut
// into the longest pieces that the vocabulary has.
type wordPiece struct {
	ids                map[string]int32
	lower              bool
	first, last, other int32 // [CLS], [SEP], [UNK]
}

// maxPieceWord is the longest word that is cut into pieces, in runes; longer
// ones are unknown.
const maxPieceWord = 100

func parseWordPiece(vocab string, lower bool) (Tokenizer, error) {
	t := &wordPiece{ids: map[string]int32{}, lower: lower}
	lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll(vocab, "\r\n", "\n"), "\n"), "\n")
	if len(lines) > maxVocabulary {
		return nil, fmt.Errorf("%d tokens, want at most %d", len(lines), maxVocabulary)
	}
	for i, token := range lines {
		if first, twice := t.ids[token]; twice {
			return nil, fmt.Errorf("line %d: %q is already token %d", i+1, token, first)
		}
		t.ids[token] = int32(i)
	}
	var missing []error
	for token, to := range map[string]*int32{"[CLS]": &t.first, "[SEP]": &t.last, "[UNK]": &t.other} {
		id, ok := t.ids[token]
		if !ok {
			missing = append(missing, fmt.Errorf("%s is no token", token))
		}
		*to = id
	}
	return t, errors.Join(missing...)
}

func (t *wordPiece) Len() int { return len(t.ids) }

// Encode gives [CLS], the pieces, [SEP].
func (t *wordPiece) Encode(sentence string, most int) []int32 {
	ids := []int32{t.first}
	for _, word := range t.words(sentence) {
		if len(ids) >= most {
			break
		}
		ids = t.pieces(ids, word)
	}
	return append(ids[:min(len(ids), most-1)], t.last)
}

// words takes a sentence apart at white space, punctuation and Chinese
// characters, in lower case without accents where the model asks for it.
func (t *wordPiece) words(sentence string) []string {
	var b strings.Builder
	for _, r := range sentence {
		switch {
		case r == 0 || r == unicode.ReplacementChar || control(r):
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case ideograph(r):
			b.WriteString(" " + string(r) + " ")
		default:
			b.WriteRune(r)
		}
	}
	text := b.String()
	if t.lower {
		text = strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) {
				return -1
			}
			return r
		}, norm.NFD.String(strings.ToLower(text)))
	}
	b.Reset()
	for _, r := range text {
		if punctuation(r) {
			b.WriteString(" " + string(r) + " ")
			continue
		}
		b.WriteRune(r)
	}
	return strings.Fields(b.String())
}

func control(r rune) bool {
	return r != '\t' && r != '\n' && r != '\r' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs)
}

func punctuation(r rune) bool {
	return r >= '!' && r <= '/' || r >= ':' && r <= '@' || r >= '[' && r <= '`' || r >= '{' && r <= '~' || unicode.IsPunct(r)
}

// ideograph says whether r is in the CJK blocks that BERT takes apart.
func ideograph(r rune) bool {
	return r >= 0x4E00 && r <= 0x9FFF || r >= 0x3400 && r <= 0x4DBF || r >= 0x20000 && r <= 0x2A6DF || r >= 0x2A700 && r <= 0x2B73F ||
		r >= 0x2B740 && r <= 0x2B81F || r >= 0x2B820 && r <= 0x2CEAF || r >= 0xF900 && r <= 0xFAFF || r >= 0x2F800 && r <= 0x2FA1F
}

// pieces appends those of one word.
func (t *wordPiece) pieces(ids []int32, word string) []int32 {
	runes := []rune(word)
	if len(runes) > maxPieceWord {
		return append(ids, t.other)
	}
	start := len(ids)
	for at := 0; at < len(runes); {
		prefix := ""
		if at > 0 {
			prefix = "##"
		}
		end := len(runes)
		for end > at {
			if id, ok := t.ids[prefix+string(runes[at:end])]; ok {
				ids = append(ids, id)
				break
			}
			end--
		}
		if end == at {
			return append(ids[:start], t.other)
		}
		at = end
	}
	return ids
}
