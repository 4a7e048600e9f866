package guard

import (
	_ "embed" // for the words of harm
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/kuai-robot/kuai/robot"
)

//go:embed harm.yaml
var harmYAML []byte

// words of harm.yaml, each list by what it holds.
type harmWords struct {
	Idioms, Care, Beings, Frail, Sharp, Hot, Chemical, Medicine, Food []string
	Violent, Flung, At, Consume, Never, Always, Injection, Cannot     []string
	Places                                                            []string
}

// with gives the words and, for each list of what is dangerous or is eaten, the names
// of such things in the scene: no list has every name that a household knows.
func (w *harmWords) with(scene *robot.Scene) *harmWords {
	if scene == nil {
		return w
	}
	more := *w
	for i := range scene.Objects {
		o := &scene.Objects[i]
		names := namesOf(o, scene)
		switch o.Kind {
		case "sharp":
			more.Sharp = append(slices.Clip(more.Sharp), names...)
		case "hot":
			more.Hot = append(slices.Clip(more.Hot), names...)
		case "chemical":
			more.Chemical = append(slices.Clip(more.Chemical), names...)
		case "medicine":
			more.Medicine = append(slices.Clip(more.Medicine), names...)
		case "drink", "fruit", "snack":
			more.Food = append(slices.Clip(more.Food), names...)
		}
	}
	return &more
}

// namesOf gives the name of o and those of its words that no other kind of thing in
// the scene has in its name.
func namesOf(o *robot.Object, scene *robot.Scene) []string {
	name := strings.TrimSpace(string(newSaid(o.Name)))
	names := []string{name}
	for _, word := range strings.Fields(name) {
		shared := slices.ContainsFunc(scene.Objects, func(p robot.Object) bool {
			return p.Kind != o.Kind && newSaid(p.Name).says(word)
		})
		if !shared && len(word) > 3 && !slices.Contains(vessels, word) {
			names = append(names, word)
		}
	}
	return names
}

// vessels are words of names that say what something is in, or how it looks.
var vessels = []string{"bottle", "box", "can", "tin", "bag", "tub", "carton", "jar", "tube", "pack", "wheel", "plate", "white", "black", "green", "blue", "yellow", "small", "large"}

var harmful = func() (w harmWords) {
	if err := yaml.Unmarshal(harmYAML, &w); err != nil {
		panic(err) // the file is part of the program and a test reads it
	}
	return w
}()

// Reason is why a request is declined.
type Reason string

// The reasons.
const (
	Fine       Reason = ""
	Hurts      Reason = "hurts"      // a being would be hurt
	Poisons    Reason = "poisons"    // a chemical or medicine would be eaten, or is given to who must not have it
	Forbidden  Reason = "forbidden"  // fire, weapons, self-harm, crime, destruction
	Injection  Reason = "injection"  // it tries to change the rules
	Impossible Reason = "impossible" // no skill does it
	Suspicious Reason = "suspicious" // the classifier's word alone
)

// said is a text as the rules see it: words with single spaces between and around.
type said string

func newSaid(text string) said {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case unicode.Is(unicode.Han, r):
			b.WriteString(" " + string(r) + " ")
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '#':
			b.WriteRune(r)
		case r == '-' && (b.Len() == 0 || strings.HasSuffix(b.String(), " ")):
			b.WriteRune(r) // of "rm -rf"; "two-year-old" is three words
		case r == '\'', r == '’':
			b.WriteByte('\'')
		default:
			b.WriteByte(' ')
		}
	}
	words := strings.Fields(b.String())
	for i := range words {
		words[i] = strings.TrimSuffix(strings.Trim(words[i], "'"), "'s")
		if words[i] == "an" {
			words[i] = "a"
		}
	}
	return said(" " + strings.Join(words, " ") + " ")
}

// has gives the first of phrases that is said.
func (s said) has(phrases []string) (string, bool) {
	for _, p := range phrases {
		if s.says(p) {
			return p, true
		}
	}
	return "", false
}

// says finds a phrase as whole words; a * in it stands for one to three words.
func (s said) says(phrase string) bool {
	phrase = strings.TrimSpace(string(newSaid(strings.ReplaceAll(phrase, "*", "#any"))))
	before, after, wild := strings.Cut(phrase, " #any ")
	if !wild {
		return strings.Contains(string(s), " "+phrase+" ")
	}
	rest := string(s)
	for {
		i := strings.Index(rest, " "+before+" ")
		if i < 0 {
			return false
		}
		rest = rest[i+len(before)+1:]
		words := strings.Fields(rest)
		for n := 1; n <= 3 && n < len(words); n++ {
			if strings.HasPrefix(strings.Join(words[n:], " ")+" ", after+" ") {
				return true
			}
		}
	}
}

func (s said) without(phrases []string) said {
	t := string(s)
	for _, p := range phrases {
		t = strings.ReplaceAll(t, string(newSaid(p)), " ")
	}
	return said(t)
}

// follows says whether a word of second comes after one of first, at most gap
// words later.
func (s said) follows(first, second []string, gap int) bool {
	words := strings.Fields(string(s))
	for i, w := range words {
		if !slices.Contains(first, w) && !s.at(words, i, first) {
			continue
		}
		for j := i + 1; j < len(words) && j <= i+gap; j++ {
			if slices.Contains(second, words[j]) || s.at(words, j, second) {
				return true
			}
		}
	}
	return false
}

// at says whether one of phrases of several words stands at words[i].
func (s said) at(words []string, i int, phrases []string) bool {
	rest := strings.Join(words[i:], " ") + " "
	return slices.ContainsFunc(phrases, func(p string) bool {
		p = strings.TrimSpace(string(newSaid(p)))
		return strings.Contains(p, " ") && strings.HasPrefix(rest, p+" ")
	})
}

// Harm says why text is to be declined by the rules; Fine: they have nothing
// against it. They look at what is done (skills' verbs and those of no skill) to
// whom or with which kind of thing.
func Harm(text string) Reason { return harm(text, &harmful) }

// harm is Harm with the words w.
func harm(text string, w *harmWords) Reason {
	s := newSaid(text)
	if _, ok := s.has(harmful.Injection); ok {
		return Injection
	}
	s = s.without(harmful.Idioms)
	if _, ok := s.has(harmful.Always); ok {
		return Forbidden
	}
	_, care := s.has(harmful.Care)
	if _, ok := s.has(harmful.Never); ok && !care {
		return Forbidden
	}
	hazard := slices.Concat(w.Sharp, w.Hot, w.Chemical, w.Medicine)
	toxic := slices.Concat(w.Chemical, w.Medicine)
	_, dangerous := s.has(hazard)
	_, poisonous := s.has(toxic)
	_, frail := s.has(w.Frail)
	switch {
	case care:
	case s.follows(w.Violent, w.Beings, 3) && !s.handing():
		return Hurts
	case s.flings(dangerous), dangerous && s.follows([]string{"on", "onto", "in", "into", "against"}, []string{"lap", "face", "eyes", "head", "mouth", "hand", "skin", "bed"}, 4):
		return Hurts
	case poisonous && frail, dangerous && frail && s.gives():
		return Poisons
	case poisonous && s.overdoses():
		return Forbidden
	case poisonous && s.eaten(w):
		return Poisons
	}
	if _, ok := s.has(w.Cannot); ok && !care {
		return Impossible
	}
	return Fine
}

// handing says that "grab me", "cut me a slice" ask for something.
func (s said) handing() bool {
	_, ok := s.has([]string{"grab me", "grab us", "cut me", "slice me", "grab him", "grab her", "lock the", "tie the", "hit me with"})
	return ok && !s.says("with the knife")
}

// flings says that something is thrown, poured or aimed at a being.
func (s said) flings(dangerous bool) bool {
	at := []string{"at", "over", "onto", "against", "towards", "toward", "向", "往"}
	if !s.follows(harmful.Flung, harmful.Beings, 8) {
		return false
	}
	if s.follows(at, harmful.Beings, 3) {
		return true
	}
	// Into a mouth, on a head; with what is dangerous, anywhere near one.
	body := []string{"face", "eye", "eyes", "head", "mouth", "throat", "hair", "skin", "leg", "arm", "foot", "feet", "toes", "neck", "chest", "lap", "脸", "眼睛", "头", "身上"}
	if s.follows([]string{"on", "in", "into", "down", "for", "到", "在"}, body, 4) {
		return true
	}
	if s.follows([]string{"drop", "throw", "dump", "tip", "pour"}, harmful.Beings, 8) && s.follows([]string{"on"}, harmful.Beings, 2) {
		return true
	}
	return dangerous && s.follows([]string{"on", "in", "into", "down", "to", "near", "给", "到"}, harmful.Beings, 3) && !s.says("to me") && !s.says("for me")
}

// gives says that something is brought to, or left with, somebody.
func (s said) gives() bool {
	_, ok := s.has([]string{"give", "hand", "bring", "pass", "let", "feed", "offer", "serve", "show", "put", "leave", "place", "throw", "give the", "play", "get", "hide", "drop", "给", "拿", "放", "递"})
	return ok
}

// overdoses says that somebody is to have more of it than is good for them.
func (s said) overdoses() bool {
	return s.follows([]string{"swallow", "take", "eat", "drink", "down", "gulp", "have", "吃", "喝", "吞"}, []string{"all", "whole", "entire", "every", "lots", "handful", "dozen", "全部", "所有", "整瓶"}, 4)
}

// eaten says that it comes into food or drink, or is taken by somebody.
func (s said) eaten(w *harmWords) bool {
	if _, ok := s.has(w.Consume); ok {
		return true
	}
	if s.follows([]string{"in", "into", "on", "to", "with", "inside", "over"}, w.Food, 4) && !s.follows([]string{"next", "away", "from"}, w.Food, 4) {
		_, tidy := s.has([]string{"sink", "bin", "shelf", "counter", "table", "drawer", "basket", "trash", "cupboard"})
		return !tidy || s.follows([]string{"in", "into"}, w.Food, 3)
	}
	return s.follows([]string{"到", "进", "在", "里"}, w.Food, 4)
}

// touchy says whether text holds what harm takes: two of somebody else, something
// dangerous, and what hurts. Without them there is nothing for the classifier to judge.
func touchy(text string, scene *robot.Scene) bool {
	w, s := harmful.with(scene), newSaid(text).without([]string{"me", "us", "you", "right", "back", "my back", "arm", "hold", "push", "use", "drop", "空"})
	s = s.without(harmful.Idioms)
	n := 0
	for _, words := range [][]string{w.Beings, slices.Concat(w.Sharp, w.Hot, w.Chemical, w.Medicine), slices.Concat(w.Violent, w.Flung, w.Consume)} {
		if _, ok := s.has(words); ok {
			n++
		}
	}
	return n > 1
}
