package speech

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Vocabulary is what somebody is likely to say: phrases, as a trie of their
// tokens, from any word of a phrase on. A token that goes on along the trie is
// made more probable by Strength (shallow fusion; arXiv 1712.01996), in the search
// alone: nothing is forced, since a word that the model finds e^Strength times
// less probable than another still loses. It belongs to one Session.
type Vocabulary struct {
	Strength float64

	nodes   []node
	starts  []bool    // by token: begins a word
	extra   []float64 // by token, for the hypothesis that is being continued
	touched []int32
}

type node struct {
	children map[int32]int32
}

// DefaultStrength decides between words that the model finds nearly as probable.
const DefaultStrength = 1.5

// startShare is how much of the strength a token gets that begins a phrase: less
// than one that goes on, or else any text would drift to the phrases.
const startShare = 0.3

// Vocabulary makes a vocabulary of phrases, as plain words, for Expect.
func (s *Session) Vocabulary(phrases []string) *Vocabulary {
	r := s.recogniser
	v := &Vocabulary{nodes: []node{{}}, Strength: DefaultStrength, extra: make([]float64, r.config.Vocabulary), starts: make([]bool, r.config.Vocabulary)}
	for id := range int32(r.words.tokenizer.Len()) {
		v.starts[id] = strings.HasPrefix(r.words.tokenizer.Decode([]int32{id}), " ")
	}
	for _, phrase := range phrases {
		words := strings.Fields(phrase)
		for i := range words {
			rest := strings.Join(words[i:], " ")
			v.add(r.words.spell(rest))
			v.add(r.words.spell(capital(rest)))
		}
	}
	return v
}

// spell gives the tokens of plain words as the model writes them in a sentence.
func (v *vocabulary) spell(text string) []int32 {
	return v.tokenizer.Encode(" " + strings.Join(strings.Fields(text), " "))
}

func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

func (v *Vocabulary) add(tokens []int32) {
	at := int32(0)
	for _, id := range tokens {
		if v.nodes[at].children == nil {
			v.nodes[at].children = map[int32]int32{}
		}
		next, ok := v.nodes[at].children[id]
		if !ok {
			next = int32(len(v.nodes))
			v.nodes[at].children[id] = next
			v.nodes = append(v.nodes, node{})
		}
		at = next
	}
}

// Expect makes the session favour v; nil favours nothing.
func (s *Session) Expect(v *Vocabulary) { s.vocabulary = v }

// after gives where a hypothesis at places is once it has said id.
func (v *Vocabulary) after(places []int32, id int32) (next []int32) {
	if v == nil {
		return nil
	}
	for _, at := range places {
		if to, ok := v.nodes[at].children[id]; ok {
			next = append(next, to)
		}
	}
	if to, ok := v.nodes[0].children[id]; ok && v.starts[id] && !slices.Contains(next, to) {
		next = append(next, to)
	}
	return next
}

// expect readies favour for a hypothesis at places; forget undoes it.
func (v *Vocabulary) expect(places []int32) {
	if v == nil {
		return
	}
	for id := range v.nodes[0].children {
		v.extra[id] = startShare * v.Strength
		v.touched = append(v.touched, id)
	}
	for _, at := range places {
		for id := range v.nodes[at].children {
			v.extra[id] = v.Strength
			v.touched = append(v.touched, id)
		}
	}
}

// favour gives what is added to a token's log-probability.
func (v *Vocabulary) favour(id int32) float64 {
	if v == nil {
		return 0
	}
	return v.extra[id]
}

func (v *Vocabulary) forget() {
	if v == nil {
		return
	}
	for _, id := range v.touched {
		v.extra[id] = 0
	}
	v.touched = v.touched[:0]
}
