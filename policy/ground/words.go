package ground

import (
	_ "embed" // for the list of words
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
	"go.yaml.in/yaml/v3"
)

//go:embed lexicon.yaml
var lexiconYAML []byte

// Class is what a word does in a sentence.
type Class uint8

// The classes. Content words name things, kinds, colours and properties.
const (
	Unknown Class = iota
	Content
	Verb
	Particle
	Prep
	Quant
	Number
	Pronoun
	Marker
	Need
	Filler
	Break // the end of a part of a sentence
	Stop  // the end of a sentence
)

// Token is a word, or several that stand for one.
type Token struct {
	Text  string
	Class Class
	// Value is the verb, preposition, quantifier, marker or number in the terms of
	// the list; of a Content token the words that it stands for.
	Value  string
	Plural bool
}

type lexicon struct {
	Verbs, Particles, Preps, Quants, Pronouns, Markers map[string][]string
	Numbers                                            map[string][]string
	Fillers, Colours, Others                           []string
	Generic, Families, Aliases, Properties, Needs      map[string][]string
}

type entry struct {
	class Class
	value string
}

// Vocabulary is what is known of words for one catalogue.
type Vocabulary struct {
	catalogue *skill.Catalogue
	entries   map[string]entry
	longest   int
	// kindsOf gives the kinds that a word means as a whole: fruit, food.
	kindsOf map[string][]string
	// nouns gives the kind of a catalogue's noun.
	nouns      map[string]string
	properties map[string][]string
	colours    []string
	movable    map[string]bool
	slotWords  []string
	// elsewhere are names of things that no robot here knows.
	elsewhere map[string]bool
}

// New gives the vocabulary of a catalogue.
func New(c *skill.Catalogue) (*Vocabulary, error) {
	if c == nil {
		return nil, errors.New("ground: needs a catalogue")
	}
	var l lexicon
	if err := yaml.Unmarshal(lexiconYAML, &l); err != nil {
		return nil, fmt.Errorf("ground: lexicon.yaml: %w", err)
	}
	v := &Vocabulary{
		catalogue: c, entries: map[string]entry{}, kindsOf: map[string][]string{}, nouns: map[string]string{},
		properties: l.Properties, colours: slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(c.Colours), l.Colours...)))), movable: map[string]bool{}, elsewhere: map[string]bool{},
	}
	v.addAll(&l)
	v.addKinds(&l)
	v.addCatalogue(&l)
	return v, nil
}

func (v *Vocabulary) add(phrase string, class Class, value string) {
	words := split(phrase)
	key := strings.Join(words, " ")
	if _, taken := v.entries[key]; taken || key == "" {
		return
	}
	v.entries[key] = entry{class, value}
	v.longest = max(v.longest, len(words))
}

// addAll enters the classes, those that may hold the words of another last.
func (v *Vocabulary) addAll(l *lexicon) {
	for _, group := range []struct {
		words map[string][]string
		class Class
	}{
		{l.Verbs, Verb}, {l.Markers, Marker}, {l.Quants, Quant}, {l.Numbers, Number}, {l.Pronouns, Pronoun},
		{l.Preps, Prep}, {l.Particles, Particle}, {l.Needs, Need}, {l.Aliases, Content},
	} {
		for _, value := range sortedKeys(group.words) {
			for _, phrase := range group.words[value] {
				v.add(phrase, group.class, value)
			}
		}
	}
	for _, f := range l.Fillers {
		v.add(f, Filler, "")
	}
	for _, o := range l.Others {
		v.add(o, Content, singular(o))
		v.elsewhere[o] = true
	}
}

// addKinds enters the words for whole kinds.
func (v *Vocabulary) addKinds(l *lexicon) {
	for _, kind := range sortedKeys(l.Generic) {
		kinds := []string{kind}
		if family := l.Families[kind]; family != nil {
			kinds = family
		}
		for _, word := range append([]string{kind}, l.Generic[kind]...) {
			if !slices.Contains(strings.Fields(word), " ") && strings.Contains(word, " ") || hasHan(word) {
				v.add(word, Content, kind)
			}
			key := singular(word)
			v.kindsOf[key] = append(v.kindsOf[key], kinds...)
		}
	}
}

// addCatalogue enters the catalogue's nouns; where the list has no words for a
// kind, each noun of it means the whole kind.
func (v *Vocabulary) addCatalogue(l *lexicon) {
	for _, kind := range sortedKeys(v.catalogue.Nouns) {
		_, listed := l.Generic[kind]
		for _, noun := range v.catalogue.Nouns[kind] {
			n := singular(noun)
			v.nouns[n] = kind
			if _, whole := v.kindsOf[n]; !whole && (!listed || l.Generic[kind] == nil || kind == "block" || kind == "bowl") {
				v.kindsOf[n] = append(v.kindsOf[n], kind)
			}
		}
	}
	for i := range v.catalogue.Skills {
		t := &v.catalogue.Skills[i]
		for _, s := range t.Slots {
			v.slotWords = append(v.slotWords, s.Words...)
			for _, p := range t.Success {
				if p.Name == "held" && p.Args[0] == "{"+s.Name+"}" {
					for _, kind := range s.Kinds {
						v.movable[kind] = true
					}
				}
			}
		}
	}
}

// Movable says whether things of the kind can be picked up.
func (v *Vocabulary) Movable(kind string) bool { return v.movable[kind] }

// content says whether word, in the singular, may name something.
func (v *Vocabulary) content(word string, scene *robot.Scene) bool {
	if v.nouns[word] != "" || v.kindsOf[word] != nil || v.properties[word] != nil ||
		slices.Contains(v.colours, word) || slices.Contains(v.slotWords, word) {
		return true
	}
	return scene != nil && slices.ContainsFunc(scene.Objects, func(o robot.Object) bool {
		return o.Colour == word || slices.ContainsFunc(nameWords(o.Name), func(w string) bool { return w == word })
	})
}

func nameWords(name string) []string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == ' ' || r == '-' })
	for i := range words {
		words[i] = singular(words[i])
	}
	return words
}

func sortedKeys(m map[string][]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// singular gives the singular of an English noun, roughly; other words stay.
func singular(word string) string {
	switch word {
	case "scissors", "dishes", "knives", "glasses", "shelves", "leaves", "boxes":
		return map[string]string{"scissors": "scissors", "dishes": "dish", "knives": "knife", "glasses": "glass", "shelves": "shelf", "leaves": "leaf", "boxes": "box"}[word]
	}
	switch {
	case strings.HasSuffix(word, "ies") && len(word) > 5 && word != "cookies":
		return strings.TrimSuffix(word, "ies") + "y"
	case strings.HasSuffix(word, "ches"), strings.HasSuffix(word, "shes"), strings.HasSuffix(word, "xes"), strings.HasSuffix(word, "sses"):
		return strings.TrimSuffix(word, "es")
	case strings.HasSuffix(word, "s") && !strings.HasSuffix(word, "ss") && !strings.HasSuffix(word, "us") && !strings.HasSuffix(word, "is") && len(word) > 3:
		return strings.TrimSuffix(word, "s")
	}
	return word
}

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}
