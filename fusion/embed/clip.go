package embed

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	endOfWord = "</w>"
	clipStart = "<|startoftext|>"
	clipEnd   = "<|endoftext|>"
)

// clipTokenizer is CLIP's byte-pair encoding: lower case, words apart, the last
// symbol of a word marked.
type clipTokenizer struct {
	ids        map[string]int32
	ranks      map[[2]string]int32
	start, end int32
}

// byteLetters is GPT-2's alphabet: the letter that stands for each byte.
var byteLetters = func() (letters [256]string) {
	next := rune(256)
	for b := range letters {
		r := rune(b)
		if b < '!' || b > '~' && b < 0xA1 || b == 0xAD {
			r = next
			next++
		}
		letters[b] = string(r)
	}
	return letters
}()

func splitMerge(line string) (jsonMerge, error) {
	first, then, ok := strings.Cut(line, " ")
	if !ok || first == "" || then == "" {
		return jsonMerge{}, fmt.Errorf("merge %q: want two tokens with a space between", line)
	}
	return jsonMerge{first, then}, nil
}

func parseCLIP(vocab, merges []byte) (Tokenizer, error) {
	var ids map[string]int32
	if err := json.Unmarshal(vocab, &ids); err != nil {
		return nil, err
	}
	var pairs []jsonMerge
	for line := range strings.Lines(string(merges)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#version") {
			continue
		}
		m, err := splitMerge(line)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, m)
	}
	return newCLIP(ids, pairs)
}

func parseCLIPJSON(data []byte) (Tokenizer, error) {
	var j jsonTokenizer
	if err := json.Unmarshal(data, &j); err != nil {
		return nil, err
	}
	if j.Model.Type != "BPE" || j.Model.Suffix != endOfWord {
		return nil, fmt.Errorf("model: %s with end_of_word_suffix %q, CLIP has BPE with %q", j.Model.Type, j.Model.Suffix, endOfWord)
	}
	ids := map[string]int32{}
	if err := json.Unmarshal(j.Model.Vocab, &ids); err != nil {
		return nil, fmt.Errorf("model.vocab: %w", err)
	}
	if ids == nil {
		return nil, errors.New("model.vocab: null, want an object of tokens and ids")
	}
	for _, a := range j.Added {
		ids[a.Content] = a.ID
	}
	return newCLIP(ids, j.Model.Merges)
}

func newCLIP(ids map[string]int32, merges []jsonMerge) (Tokenizer, error) {
	if err := checkIDs(ids); err != nil {
		return nil, err
	}
	t := &clipTokenizer{ids: ids, ranks: make(map[[2]string]int32, len(merges))}
	for i, m := range merges {
		if _, ok := ids[m[0]+m[1]]; !ok {
			return nil, fmt.Errorf("merge %d makes %q, which is no token", i, m[0]+m[1])
		}
		if _, twice := t.ranks[m]; !twice {
			t.ranks[m] = int32(i)
		}
	}
	var ok [2]bool
	t.start, ok[0] = ids[clipStart]
	t.end, ok[1] = ids[clipEnd]
	if !ok[0] || !ok[1] {
		return nil, fmt.Errorf("vocabulary: %s or %s is no token", clipStart, clipEnd)
	}
	return t, nil
}

func (t *clipTokenizer) Len() int { return len(t.ids) }

// Encode gives start, the words, end.
func (t *clipTokenizer) Encode(sentence string, most int) []int32 {
	ids := []int32{t.start}
	text := strings.ToLower(norm.NFC.String(strings.ToValidUTF8(sentence, "�")))
	for text != "" && len(ids) < most {
		n, word := clipWord(text)
		if word {
			ids = t.word(ids, text[:n])
		}
		text = text[n:]
	}
	return append(ids[:min(len(ids), most-1)], t.end)
}

// clipWord gives the length of the first piece of s, and whether it is a word:
// 's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
func clipWord(s string) (n int, word bool) {
	for _, ending := range []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
		if strings.HasPrefix(s, ending) {
			return len(ending), true
		}
	}
	r, size := utf8.DecodeRuneInString(s)
	run := func(in func(rune) bool) int {
		end := strings.IndexFunc(s, func(r rune) bool { return !in(r) })
		if end < 0 {
			return len(s)
		}
		return end
	}
	switch {
	case unicode.IsLetter(r):
		return run(unicode.IsLetter), true
	case unicode.IsNumber(r):
		return size, true
	case unicode.IsSpace(r):
		return run(unicode.IsSpace), false
	}
	return run(func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsSpace(r) }), true
}

// maxWord bounds the symbols that are merged at once: merging takes their
// square, and no tower sees more than some tens of tokens.
const maxWord = 1024

// word appends the tokens of one word.
func (t *clipTokenizer) word(ids []int32, word string) []int32 {
	symbols := make([]string, 0, len(word))
	for i := range min(len(word), maxWord) {
		symbols = append(symbols, byteLetters[word[i]])
	}
	symbols[len(symbols)-1] += endOfWord
	for len(symbols) > 1 {
		best, at := int32(-1), 0
		for i := range len(symbols) - 1 {
			if rank, ok := t.ranks[[2]string{symbols[i], symbols[i+1]}]; ok && (best < 0 || rank < best) {
				best, at = rank, i
			}
		}
		if best < 0 {
			break
		}
		symbols = t.merge(symbols, [2]string{symbols[at], symbols[at+1]})
	}
	for _, s := range symbols {
		id, ok := t.ids[s]
		if !ok {
			id = t.end // what the vocabulary calls unknown
		}
		ids = append(ids, id)
	}
	return ids
}

// merge joins every occurrence of pair, from the left.
func (t *clipTokenizer) merge(symbols []string, pair [2]string) []string {
	out := symbols[:0]
	for i := 0; i < len(symbols); i++ {
		if i+1 < len(symbols) && symbols[i] == pair[0] && symbols[i+1] == pair[1] {
			out = append(out, pair[0]+pair[1])
			i++
			continue
		}
		out = append(out, symbols[i])
	}
	return out
}
