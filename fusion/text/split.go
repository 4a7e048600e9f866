package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// splitter gives the length in bytes of the first piece of a text that is not
// empty. Merges never cross from one piece to the next. Each follows the
// regular expression of its model, quoted above it.
type splitter func(s string) int

// splitters by the name that tokenizer.ggml.pre gives them.
var splitters = map[string]splitter{
	"gpt-2":   splitGPT2,
	"default": splitGPT2,
	"smollm":  splitSmolLM,
	"qwen2":   splitQwen2,
}

// class sorts runes as the expressions do.
type class uint8

const (
	end class = iota
	letter
	number
	space
	other
)

// classify gives the class of the first rune of s and its length. A byte that
// is not UTF-8 is other.
func classify(s string) (class, int) {
	if s == "" {
		return end, 0
	}
	r, n := utf8.DecodeRuneInString(s)
	switch {
	case unicode.IsLetter(r):
		return letter, n
	case unicode.IsNumber(r):
		return number, n
	case unicode.IsSpace(r):
		return space, n
	}
	return other, n
}

// run gives the length of the longest start of s whose runes are of class c.
func run(s string, c class) int {
	at := 0
	for {
		k, n := classify(s[at:])
		if k != c || n == 0 {
			return at
		}
		at += n
	}
}

// lastRun is run, and the length of the last rune in it.
func lastRun(s string, c class) (total, last int) {
	for {
		k, n := classify(s[total:])
		if k != c || n == 0 {
			return total, last
		}
		total, last = total+n, n
	}
}

// splitSmolLM takes every digit apart and splits what lies between as GPT-2
// does: \p{N}, then the expression of splitGPT2 within each part.
func splitSmolLM(s string) int {
	if c, n := classify(s); c == number {
		return n
	}
	until := strings.IndexFunc(s, unicode.IsNumber)
	if until < 0 {
		until = len(s)
	}
	return splitGPT2(s[:until])
}

// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func splitGPT2(s string) int {
	if n := contraction(s); n > 0 {
		return n
	}
	at := 0
	if s[0] == ' ' {
		at = 1
	}
	if c, _ := classify(s[at:]); c == letter || c == number || c == other {
		return at + run(s[at:], c)
	}
	return spaces(s)
}

// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
func splitQwen2(s string) int {
	if len(s) > 1 && s[0] == '\'' {
		if n := contraction("'" + strings.ToLower(s[1:min(3, len(s))])); n > 0 {
			return n
		}
	}
	c, n := classify(s)
	switch {
	case c == letter:
		return run(s, letter)
	case c == number:
		return n
	}
	if follows, _ := classify(s[n:]); follows == letter && s[0] != '\r' && s[0] != '\n' {
		return n + run(s[n:], letter)
	}
	at := 0
	if s[0] == ' ' {
		at = 1
	}
	if c, _ := classify(s[at:]); c == other {
		at += run(s[at:], other)
		for at < len(s) && (s[at] == '\r' || s[at] == '\n') {
			at++
		}
		return at
	}
	if breaks := strings.LastIndexAny(s[:run(s, space)], "\r\n"); breaks >= 0 {
		return breaks + 1
	}
	return spaces(s)
}

// contraction gives the length of an English ending at the start of s, or 0.
func contraction(s string) int {
	if len(s) < 2 || s[0] != '\'' {
		return 0
	}
	switch s[1] {
	case 's', 't', 'm', 'd':
		return 2
	}
	if len(s) > 2 {
		switch s[1:3] {
		case "re", "ve", "ll":
			return 3
		}
	}
	return 0
}

// spaces takes the white space at the start of s, but leaves the last of
// several to the word that follows.
func spaces(s string) int {
	total, last := lastRun(s, space)
	if total < len(s) && total > last {
		return total - last
	}
	return total
}
