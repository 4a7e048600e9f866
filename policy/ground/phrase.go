package ground

import (
	"slices"
	"strconv"
	"strings"
)

// Amount says how many of what a phrase matches are meant.
type Amount uint8

// The amounts.
const (
	// The is one that the speaker has in mind: two that fit are a question.
	The Amount = iota
	// Any is one, whichever.
	Any
	// Count is Phrase.N of them.
	Count
	// All is every one.
	All
)

// Phrase is a noun phrase: "the two red apples on the shelf".
type Phrase struct {
	// Words must all fit, each as Vocabulary.Fits has it; empty: anything.
	Words []string
	// Text is what was said, for sentences about it.
	Text   string
	Amount Amount
	N      int
	Plural bool
	// Both was said: of what follows there are two.
	Both bool
	// More: as many besides those that are there already.
	More bool
	// Pronoun is it, them, one or other; with one and other Words may narrow it.
	Pronoun string
	// Where the things are to be: a preposition and a place.
	Where *Where
	// Except are those that are not meant.
	Except []Phrase
	// Unknown are the words that nothing here and no list knows; Odd are those of
	// them that stand before the noun as if they told which one is meant.
	// Before are those before an article, which are no part of it.
	Unknown, Odd, Before []string
	// Names, where it is settled which objects are meant.
	Names []string
}

// Where is a place that restricts a phrase.
type Where struct {
	Prep  string
	Place Phrase
}

// ReadPhrase reads the phrase that tokens begin with and gives how many tokens
// it takes; 0: none begins there.
func ReadPhrase(tokens []Token) (Phrase, int) {
	var p Phrase
	var text []string
	i := 0
	for ; i < len(tokens); i++ {
		t := &tokens[i]
		if len(p.Words) > 0 && (t.Class == Quant || t.Class == Number) && t.Text != "one" && t.Value != "none" && !(t.Class == Quant && t.Value == "all" && hasHan(t.Text)) {
			break
		}
		if !p.take(t) {
			break
		}
		if t.Class != Filler || len(text) > 0 {
			text = append(text, t.Text)
		}
	}
	for len(text) > 0 && i > 0 && (tokens[i-1].Class == Filler || tokens[i-1].Class == Marker) {
		text, i = text[:len(text)-1], i-1
	}
	if i == 0 || len(p.Words) == 0 && p.Pronoun == "" && len(p.Unknown) == 0 && p.Amount == The {
		return Phrase{}, 0
	}
	p.Text = said(text)
	if p.Plural && p.Amount == The {
		p.Amount = All
	}
	return p, i
}

// said joins words, Chinese ones without spaces, and drops articles in front.
func said(words []string) string {
	for len(words) > 0 && slices.Contains([]string{"a", "an", "the", "some", "any"}, words[0]) {
		words = words[1:]
	}
	text := strings.Join(words, " ")
	if hasHan(text) {
		text = strings.ReplaceAll(text, " ", "")
	}
	return text
}

// take adds t to the phrase when it can be a part of it.
func (p *Phrase) take(t *Token) bool {
	switch t.Class {
	case Content:
		if len(p.Words) == 0 {
			p.Odd = telling(p.Unknown)
		}
		for _, w := range strings.Fields(t.Value) {
			if !slices.Contains(p.Words, w) {
				p.Words = append(p.Words, w)
			}
		}
		p.Plural = p.Plural || t.Plural
		p.loose(t)
	case Unknown:
		if len(t.Text) <= 3 && !hasHan(t.Text) {
			return true
		}
		p.Unknown = append(p.Unknown, t.Text)
	case Quant:
		p.quantify(t)
	case Number:
		if len(p.Words) > 0 && t.Text == "one" {
			p.Pronoun = "one"
			return true
		}
		if t.Text == "one" && p.Pronoun == "other" {
			return true
		}
		p.N, _ = strconv.Atoi(t.Value)
		p.Amount = Count
		if p.N == 1 {
			p.Amount = Any
		}
	case Pronoun:
		if t.Value == "me" || t.Value == "here" || len(p.Words) > 0 && t.Value != "one" {
			return false
		}
		if t.Value == "one" && p.Pronoun == "other" {
			return true
		}
		p.Pronoun = t.Value
		p.loose(t)
		p.Plural = p.Plural || t.Value == "them" || t.Text == "ones" || t.Text == "things" || t.Text == "items" || t.Text == "others" || strings.Contains(t.Text, "rest") || strings.Contains(t.Text, "remaining")
	case Filler:
		if len(p.Words) == 0 && slices.Contains(determiners, t.Text) {
			p.Before, p.Unknown = append(p.Before, p.Unknown...), nil // "juggle THE cup"
		}
		if len(p.Words) > 0 && slices.Contains([]string{"the", "my", "your", "his", "her", "has", "have", "is", "are", "was", "would", "could", "should", "will"}, t.Text) {
			return false
		}
		p.More = p.More || t.Text == "more" && p.N > 0
		return !slices.Contains([]string{"please", "thanks", "robot"}, t.Text)
	case Marker:
		return t.Value == "that" && t.Text == "的" && len(p.Words) > 0
	default:
		return false
	}
	return true
}

// determiners begin a noun phrase.
var determiners = []string{"the", "my", "your", "our", "his", "her", "their"}

// telling gives those of words before a noun that say which kind of it is meant, as
// a noun does ("lemonade bottle"), and not what it is like ("dirty mug").
func telling(words []string) (odd []string) {
	for _, w := range words {
		if hasHan(w) || slices.Contains([]string{"own", "spare", "best", "last", "next", "fine", "round", "soft", "fresh", "whole", "only", "same", "dear", "said", "remaining", "that's", "it's", "favourite", "favorite"}, w) {
			continue
		}
		if !slices.ContainsFunc([]string{"y", "ed", "ing", "ful", "ous", "ive", "al", "ic", "ish", "less", "ble", "est", "er", "en", "ent", "ant", "'s", "'d", "'ll", "'ve", "n't"}, func(end string) bool { return strings.HasSuffix(w, end) }) {
			odd = append(odd, w)
		}
	}
	return odd
}

// loose makes "something to drink" any of it.
func (p *Phrase) loose(t *Token) {
	if p.Amount == The && (strings.HasPrefix(t.Text, "something") || strings.HasPrefix(t.Text, "anything") || strings.HasSuffix(t.Text, "的东西")) {
		p.Amount, p.N = Any, 1
	}
}

func (p *Phrase) quantify(t *Token) {
	switch t.Value {
	case "all":
		p.Amount = All
	case "both":
		p.Amount, p.N, p.Both = Count, 2, true
	case "any":
		if len(p.Words) == 0 {
			p.Before, p.Unknown = append(p.Before, p.Unknown...), nil
		}
		if p.Amount == The {
			p.Amount = Any
		}
		if t.Text == "another" && len(p.Words) == 0 {
			p.Pronoun = "other"
		}
	}
}

// Empty says that the phrase says nothing about what is meant.
func (p *Phrase) Empty() bool {
	return len(p.Words) == 0 && p.Pronoun == "" && len(p.Unknown) == 0 && len(p.Names) == 0 && p.Where == nil
}

// TextWords gives the words of Text in the singular.
func (p *Phrase) TextWords() []string { return nameWords(p.Text) }
