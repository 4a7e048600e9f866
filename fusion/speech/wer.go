package speech

import (
	"strconv"
	"strings"
	"unicode"
)

// Errors counts how a text differs from what was said.
type Errors struct {
	Words int // of the reference
	Wrong int // substituted
	Lost  int // deleted
	Extra int // inserted
}

// Total is the number of errors.
func (e *Errors) Total() int { return e.Wrong + e.Lost + e.Extra }

// Rate is the word error rate: errors a word of the reference, which may exceed
// 1. It is 0 for an empty reference without errors, else 1.
func (e *Errors) Rate() float64 {
	if e.Words == 0 {
		return float64(min(e.Total(), 1))
	}
	return float64(e.Total()) / float64(e.Words)
}

// Compare counts the errors of heard by words, as Words makes them: the fewest
// that make one text of the other (Levenshtein, 1966).
func Compare(spoken, heard string) Errors {
	a, b := Words(spoken), Words(heard)
	e := Errors{Words: len(a)}
	// steps[i][j] is the fewest errors between the first i and j words.
	steps := make([][]int, len(a)+1)
	for i := range steps {
		steps[i] = make([]int, len(b)+1)
		for j := range steps[i] {
			switch {
			case i == 0:
				steps[i][j] = j
			case j == 0:
				steps[i][j] = i
			case a[i-1] == b[j-1]:
				steps[i][j] = steps[i-1][j-1]
			default:
				steps[i][j] = 1 + min(steps[i-1][j-1], steps[i-1][j], steps[i][j-1])
			}
		}
	}
	for i, j := len(a), len(b); i > 0 || j > 0; {
		switch {
		case i > 0 && j > 0 && a[i-1] == b[j-1] && steps[i][j] == steps[i-1][j-1]:
			i, j = i-1, j-1
		case i > 0 && j > 0 && steps[i][j] == 1+steps[i-1][j-1]:
			e.Wrong, i, j = e.Wrong+1, i-1, j-1
		case i > 0 && steps[i][j] == 1+steps[i-1][j]:
			e.Lost, i = e.Lost+1, i-1
		default:
			e.Extra, j = e.Extra+1, j-1
		}
	}
	return e
}

// Words takes a text apart for a comparison: lower case, no punctuation, numbers
// in English words, each Chinese character a word.
func Words(text string) []string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case r == '\'' || r == '’': // "don't" is one word, with or without
		case unicode.Is(unicode.Han, r):
			b.WriteString(" " + string(r) + " ")
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	var words []string
	for _, word := range strings.Fields(b.String()) {
		if n, err := strconv.Atoi(word); err == nil && n >= 0 && n < 1e6 {
			words = append(words, spell(n)...)
			continue
		}
		if long, ok := abbreviations[word]; ok {
			word = long
		}
		words = append(words, word)
	}
	return words
}

var abbreviations = map[string]string{"mr": "mister", "mrs": "missus", "dr": "doctor", "ok": "okay"}

var (
	small = strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
	tens  = strings.Fields("twenty thirty forty fifty sixty seventy eighty ninety")
)

// spell gives a number below a million in English words.
func spell(n int) []string {
	var words []string
	if n >= 1000 {
		words, n = append(spell(n/1000), "thousand"), n%1000
		if n == 0 {
			return words
		}
	}
	if n >= 100 {
		words, n = append(words, small[n/100], "hundred"), n%100
		if n == 0 {
			return words
		}
	}
	if n >= 20 {
		words, n = append(words, tens[n/10-2]), n%10
		if n == 0 {
			return words
		}
	}
	return append(words, small[n])
}
