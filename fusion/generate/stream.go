package generate

import (
	"strings"
	"unicode/utf8"
)

// stream holds text back until it is certain: a character until all its bytes
// are there, what may begin a stop text until it does not.
type stream struct {
	stops []string
	held  string
}

// add gives the text that the next token makes certain. stopped says that a
// stop text was found; what comes before it is the last text.
func (s *stream) add(token string) (certain string, stopped bool) {
	s.held += token
	cut := -1
	for _, stop := range s.stops {
		if at := strings.Index(s.held, stop); at >= 0 && (cut < 0 || at < cut) {
			cut = at
		}
	}
	if cut >= 0 {
		certain, s.held = s.held[:cut], ""
		return strings.ToValidUTF8(certain, "\uFFFD"), true
	}
	n := len(s.held) - max(s.stopBegins(), unfinished(s.held))
	certain, s.held = s.held[:n], s.held[n:]
	return strings.ToValidUTF8(certain, "\uFFFD"), false
}

// rest gives what is still held back.
func (s *stream) rest() string {
	rest := s.held
	s.held = ""
	return strings.ToValidUTF8(rest, "\uFFFD")
}

// stopBegins gives how many bytes at the end of held may begin a stop text.
func (s *stream) stopBegins() int {
	longest := 0
	for _, stop := range s.stops {
		for n := min(len(stop)-1, len(s.held)); n > longest; n-- {
			if strings.HasSuffix(s.held, stop[:n]) {
				longest = n
			}
		}
	}
	return longest
}

// unfinished gives the bytes at the end of text that begin a character whose
// others are missing.
func unfinished(text string) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if b := text[len(text)-n]; utf8.RuneStart(b) {
			if !utf8.FullRuneInString(text[len(text)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
