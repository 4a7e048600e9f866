package dataset

import (
	"regexp"
	"strings"
	"unicode"
)

// personal are things in a text that may say who somebody is.
var personal = []struct {
	name    string
	pattern *regexp.Regexp
}{
	{"address", regexp.MustCompile(`\b(?:https?|rtsp|ftp)://\S+`)},
	{"mail address", regexp.MustCompile(`[\pL\pN._%+-]+@[\pL\pN-]+(?:\.[\pL\pN-]+)+`)},
	{"network address", regexp.MustCompile(`\b\d{1,3}(?:\.\d{1,3}){3}\b`)},
	{"number", regexp.MustCompile(`\+?\d[\d ()/-]{5,}\d`)},
}

// scrub gives text without what may say who somebody is, each replaced by its
// kind in brackets, and tells found of each. Names are what is written with a
// capital letter within a sentence: rather a word too many than one too few.
func scrub(text string, found func(kind string)) string {
	for _, p := range personal {
		text = p.pattern.ReplaceAllStringFunc(text, func(string) string {
			found(p.name)
			return "[" + p.name + "]"
		})
	}
	begins := true
	words := strings.Fields(text)
	for i, word := range words {
		bare := strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) })
		if named(bare, begins) {
			found("name")
			words[i] = strings.Replace(word, bare, "[name]", 1)
		}
		begins = strings.ContainsAny(word[len(word)-1:], ".!?:")
	}
	return strings.Join(words, " ")
}

// named says whether a word is written as a name is.
func named(word string, begins bool) bool {
	first := []rune(word + " ")[0]
	return !begins && unicode.IsUpper(first) && word != "I" && !strings.HasPrefix(word, "I'") && strings.ToUpper(word) != word
}
