package multimodal

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Part is a piece of a sequence: tokens, or rows of the decoder that stand where
// tokens would, or the features of a medium that the text after it looks at. One
// of the three is set.
type Part struct {
	Tokens     []int32
	Embeddings []float32 // rows of the decoder's width, one after the other
	Medium     []float32 // rows of Cross.Config.Inputs
}

// Fill is what stands for each placeholder, such as "<image>", by its text; the
// n-th occurrence takes the n-th part.
type Fill map[string][]Part

// Tokenizer gives the tokens of plain text.
type Tokenizer interface {
	Encode(text string) []int32
}

// Interleave gives a text with parts in place of its placeholders. Each part of
// fill must be used, and nothing that a part could replace is left: a robot must
// not answer about a picture that it was not shown.
func Interleave(t Tokenizer, text string, fill Fill) ([]Part, error) {
	used := map[string]int{}
	var parts []Part
	plain := func(s string) {
		if tokens := t.Encode(s); len(tokens) > 0 {
			parts = append(parts, Part{Tokens: tokens})
		}
	}
	for {
		at, name := next(text, fill)
		if name == "" {
			break
		}
		if used[name] == len(fill[name]) {
			return nil, fmt.Errorf("text has %s more than the %d times that there is something for it", name, len(fill[name]))
		}
		plain(text[:at])
		parts = append(parts, fill[name][used[name]])
		used[name]++
		text = text[at+len(name):]
	}
	plain(text)
	for _, name := range slices.Sorted(maps.Keys(fill)) {
		if used[name] < len(fill[name]) {
			return nil, fmt.Errorf("text has %s %d times, and there are %d for it", name, used[name], len(fill[name]))
		}
	}
	if len(parts) == 0 {
		return nil, errors.New("the text is empty")
	}
	return parts, nil
}

// next finds the first placeholder, the longest where several begin.
func next(text string, fill Fill) (at int, name string) {
	at = -1
	for candidate := range fill {
		if candidate == "" {
			continue
		}
		i := strings.Index(text, candidate)
		if i >= 0 && (at < 0 || i < at || i == at && len(candidate) > len(name)) {
			at, name = i, candidate
		}
	}
	return at, name
}
