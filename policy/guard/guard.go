package guard

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// MaxBytes bounds an instruction; a longer one is no sentence and would fill
// the language model's context.
const MaxBytes = 600

// Refusal is why an instruction is not carried out, in words for whoever gave it.
type Refusal struct {
	Reason string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Reason }

// Guard checks instructions against a catalogue's words.
type Guard struct {
	// kinds gives, for a word, the kind that it means.
	kinds   map[string]string
	words   map[string]bool // kinds that are words of a slot, such as the table
	colours []string
}

// New gives the guard of a catalogue.
func New(c *skill.Catalogue) *Guard {
	g := &Guard{kinds: map[string]string{}, words: map[string]bool{}, colours: c.Colours}
	for kind, nouns := range c.Nouns {
		for _, n := range nouns {
			g.kinds[n] = kind
		}
	}
	for i := range c.Skills {
		for _, s := range c.Skills[i].Slots {
			for _, w := range s.Words {
				g.words[w] = true
			}
		}
	}
	return g
}

// Check gives the first reason not to carry out text in scene, or nil: what Safe
// refuses, and what names an object that is not there.
func (g *Guard) Check(text string, scene *robot.Scene) *Refusal {
	if r := g.Safe(text, scene); r != nil {
		return r
	}
	if scene == nil {
		return nil
	}
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' })
	for i, word := range words {
		kind, ok := g.kinds[word]
		if !ok || g.words[kind] {
			continue
		}
		colour := ""
		if i > 0 && slices.Contains(g.colours, words[i-1]) {
			colour = words[i-1]
		}
		if !there(scene, kind, colour) {
			return &Refusal{fmt.Sprintf("there is no %s here: %s", strings.TrimSpace(colour+" "+named(word, kind, scene)), whatThereIs(scene, kind))}
		}
	}
	return nil
}

func there(scene *robot.Scene, kind, colour string) bool {
	return slices.ContainsFunc(scene.Objects, func(o robot.Object) bool {
		return o.Kind == kind && (colour == "" || spelling(o.Colour) == spelling(colour))
	})
}

// named gives the noun to answer with: the kind where there are others of it,
// else what the person said.
func named(word, kind string, scene *robot.Scene) string {
	if there(scene, kind, "") {
		return kind
	}
	return word
}

// spelling settles the one colour of the usual lists that is spelt in two ways.
func spelling(colour string) string {
	if colour == "gray" {
		return "grey"
	}
	return colour
}

// whatThereIs lists the objects of the kind, or all when there are none of it.
func whatThereIs(scene *robot.Scene, kind string) string {
	var alike, all []string
	for i := range scene.Objects {
		o := &scene.Objects[i]
		if !skill.PlainName(o.Name) {
			continue
		}
		all = append(all, "the "+o.Name)
		if o.Kind == kind {
			alike = append(alike, "the "+o.Name)
		}
	}
	if len(alike) == 0 {
		alike = all
	}
	if len(alike) == 0 {
		return "I see nothing at all"
	}
	return "I see " + list(alike)
}

func list(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// readable refuses what is no sentence.
func readable(text string) *Refusal {
	switch {
	case !utf8.ValidString(text):
		return &Refusal{"the instruction is not UTF-8 text: send it as UTF-8"}
	case len(text) > MaxBytes:
		return &Refusal{fmt.Sprintf("the instruction has %d bytes, at most %d are read: say it in fewer words", len(text), MaxBytes)}
	case !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
		return &Refusal{"the instruction has no words: say what to do, such as \"put the red block in the blue bowl\""}
	}
	return nil
}

// Safe gives the reason why text must not be carried out, whatever is there, or
// nil: it cannot be read, or what it asks for may hurt somebody or is nothing that
// a skill does. Rules decide first, then the classifier.
func (g *Guard) Safe(text string, scene *robot.Scene) *Refusal {
	if r := readable(text); r != nil {
		return r
	}
	if question(text) {
		return nil // it moves nothing
	}
	why := judge(text, harmful.with(scene), touchy(text, scene))
	if why == Fine {
		return nil
	}
	return declined(why, text)
}

// question says whether text asks for words alone.
func question(text string) bool {
	s := newSaid(text)
	for _, w := range []string{"where is", "where are", "what is", "what's", "how many", "which", "is there", "are there", "is the", "do you see", "why", "who", "what did", "what can", "what do"} {
		if strings.HasPrefix(string(s), " "+w+" ") {
			return true
		}
	}
	return false
}
