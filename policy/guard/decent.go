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

// Decent gives text with insults and obscene words struck out. The robot says
// nothing else: what it says may repeat the words of a person or a model, or the
// name of an object. ok is false when something was struck out.
func Decent(text string) (clean string, ok bool) {
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
