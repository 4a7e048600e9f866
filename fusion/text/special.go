package text

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// specials finds special tokens in a text.
type specials struct {
	ids map[string]int32
	// byFirst has, for each byte, the tokens that begin with it, longest first.
	byFirst [256][]string
	first   string // the bytes of byFirst that have tokens
}

func newSpecials(tokens []string, kinds []Kind, wanted ...Kind) *specials {
	s := &specials{ids: map[string]int32{}}
	for i, token := range tokens {
		if token == "" || !slices.Contains(wanted, kinds[i]) {
			continue
		}
		if _, twice := s.ids[token]; twice {
			continue
		}
		s.ids[token] = int32(i)
		s.byFirst[token[0]] = append(s.byFirst[token[0]], token)
	}
	var first []byte
	for b := range s.byFirst {
		if len(s.byFirst[b]) > 0 {
			first = append(first, byte(b))
		}
		slices.SortStableFunc(s.byFirst[b], func(a, b string) int { return len(b) - len(a) })
	}
	s.first = string(first)
	return s
}

// find gives the first special token in text, the longest where several begin
// at one place; id -1 where there is none.
func (s *specials) find(text string) (start int, id int32) {
	for at := 0; at < len(text); at++ {
		next := indexByteOf(text[at:], s.first)
		if next < 0 {
			break
		}
		at += next
		for _, token := range s.byFirst[text[at]] {
			if strings.HasPrefix(text[at:], token) {
				return at, s.ids[token]
			}
		}
	}
	return len(text), -1
}

// indexByteOf is strings.IndexAny for bytes that need not be UTF-8.
func indexByteOf(text, set string) int {
	for i := range len(text) {
		if strings.IndexByte(set, text[i]) >= 0 {
			return i
		}
	}
	return -1
}

func compose(s string) string { return norm.NFC.String(s) }
