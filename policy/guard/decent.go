package guard

import (
	_ "embed" // for the list of words
	"strings"
	"unicode"
)

// What the robot does not say, one word a line; a # begins a comment.
//
//go:embed indecent.txt
var indecentWords string

var indecent = func() map[string]bool {
	words := map[string]bool{}
	for line := range strings.Lines(indecentWords) {
		if w := strings.TrimSpace(line); w != "" && !strings.HasPrefix(w, "#") {
			words[w] = true
		}
	}
	return words
}()

//go:embed toxic.bin
var toxicWeights []byte

// toxicFrom is the probability from which a text is not said. It was
// lowered from 0.9 when testdata/toxic.txt had been looked at.
const toxicFrom = 0.6

// Toxic is the classifier's probability that text insults, threatens or demeans
// somebody, though no single word of it may be indecent.
func Toxic(text string) float64 { return classify(toxicWeights, features(text, harmfulNames)) }

var harmfulNames = harmful.names()

// Decent gives what the robot says in place of text, which may repeat the words of a
// person or a model, or the name of an object: insults and obscene words are struck
// out, and a text that is toxic as a whole is not said at all. ok is false when
// something was changed.
func Decent(text string) (clean string, ok bool) {
	if Toxic(text) >= toxicFrom {
		if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			return "这样的话我不说。", false
		}
		return "I would rather not say that.", false
	}
	return struckOut(text)
}

// struckOut is text without the words of the list.
func struckOut(text string) (clean string, ok bool) {
	var b strings.Builder
	ok = true
	flush := func(word string) {
		if bare := strings.TrimSuffix(strings.TrimSuffix(plain(word), "s"), "'"); indecent[bare] || indecent[plain(word)] {
			b.WriteString("…")
			ok = false
			return
		}
		b.WriteString(word)
	}
	start := -1
	for i, r := range text {
		letter := unicode.IsLetter(r) || unicode.IsDigit(r) || r == '\'' || r == '@' || r == '$'
		switch {
		case letter && start < 0:
			start = i
		case !letter:
			if start >= 0 {
				flush(text[start:i])
				start = -1
			}
			b.WriteRune(r)
		}
	}
	if start >= 0 {
		flush(text[start:])
	}
	return b.String(), ok
}

// plain undoes the usual ways to write a word so that a list misses it.
func plain(word string) string {
	return strings.NewReplacer("@", "a", "$", "s", "0", "o", "1", "i", "3", "e").Replace(strings.ToLower(word))
}
