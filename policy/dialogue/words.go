package dialogue

import (
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// words are what a catalogue's skills are asked for with.
type words struct {
	kinds   map[string]string // by noun
	colours []string
	verbs   map[string]string // what people say, and the verb of the catalogue
	places  map[string]bool   // words of slots: the table, left
}

// synonyms are what people say for the verbs that catalogues begin their phrases
// with. A verb that needs a destination has it in wantsTwo.
var synonyms = map[string][]string{
	"pick":  {"pick", "grab", "take", "lift", "get", "grasp", "raise", "fetch", "hold"},
	"place": {"place", "put", "drop", "set", "lay", "move", "bring", "stack", "sort", "throw", "clear", "tidy", "clean", "gather", "collect", "stow", "swap", "arrange", "unstack", "empty"},
	"push":  {"push", "shove", "slide", "nudge"},
	"move":  {"go", "return", "home", "rest"},
	"open":  {"open"},
	"close": {"close", "shut"},
	"pour":  {"pour"},
	"wipe":  {"wipe"},
}

// wantsTwo are the verbs whose sentence goes on after the first object.
var wantsTwo = map[string]bool{"place": true}

func newWords(c *skill.Catalogue) *words {
	w := &words{kinds: map[string]string{}, colours: c.Colours, verbs: map[string]string{}, places: map[string]bool{}}
	for kind, nouns := range c.Nouns {
		for _, n := range nouns {
			w.kinds[n] = kind
		}
	}
	for verb, all := range synonyms {
		for _, s := range all {
			w.verbs[s] = verb
		}
	}
	for i := range c.Skills {
		if first := strings.Fields(c.Skills[i].Phrase); len(first) > 0 && !c.Skills[i].Ends {
			if _, known := w.verbs[first[0]]; !known {
				w.verbs[first[0]] = first[0]
			}
		}
		for _, s := range c.Skills[i].Slots {
			for _, word := range s.Words {
				w.places[word] = true
			}
		}
	}
	return w
}

// reading is what a text asks for, as far as words tell.
type reading struct {
	verb    string
	objects []string // the nouns, with their colours, in order
	// able: it is something to do with what is here; whole: and lacks nothing.
	able, whole bool
}

// Words that carry no meaning of their own, and those that stand for an object.
var (
	small    = strings.Fields("a an the it its this that these those of and then to into in on onto at by up down out off from with for next beside near left right side over under above below top back away please now all every everything each both one ones other thing things there here my your robot arm can could would you will i want need like let us lets me")
	pronouns = strings.Fields("it them everything all one ones that this those these arm")
	ends     = strings.Fields("and then to into in on onto next beside near with the a of from under over your my")
)

// read looks for a verb, for objects, and for how much of the text is known.
func (w *words) read(text string, scene *robot.Scene) reading {
	u := parse(text)
	var r reading
	known, meant, destination := 0, 0, false
	for i, word := range u.words {
		verb, isVerb := w.verbs[word]
		_, isNoun := w.kinds[word]
		switch {
		case isNoun || w.named(word, scene):
			name := word
			if i > 0 && slices.Contains(w.colours, u.words[i-1]) {
				name = u.words[i-1] + " " + word
			}
			r.objects = append(r.objects, name)
			known++
		case isVerb && r.verb == "":
			r.verb, known = verb, known+1
		case w.places[word]:
			destination, known = true, known+1
		case slices.Contains(w.colours, word) || isVerb:
			known++
		case slices.Contains(small, word):
			continue // says nothing for or against
		}
		meant++
	}
	about := len(r.objects) > 0 || destination || slices.ContainsFunc(u.words, func(s string) bool { return slices.Contains(pronouns, s) }) || slices.Contains(u.words, "home")
	r.able = r.verb != "" && about && 3*known >= 2*meant
	last := ""
	if len(u.words) > 0 {
		last = u.words[len(u.words)-1]
	}
	open := slices.Contains(ends, last) || slices.Contains(w.colours, last) || u.words != nil && w.verbs[last] != "" && last != "home"
	enough := len(r.objects) >= 2 || !wantsTwo[r.verb] && len(r.objects) >= 1 && (r.verb != "push" || destination) || destination && len(r.objects) >= 1 || last == "home"
	r.whole = r.able && enough && !open
	return r
}

// named says whether word is the noun of an object's name in the scene.
func (w *words) named(word string, scene *robot.Scene) bool {
	if scene == nil {
		return false
	}
	return slices.ContainsFunc(scene.Objects, func(o robot.Object) bool {
		fields := strings.Fields(o.Name)
		return len(fields) > 0 && fields[len(fields)-1] == word
	})
}

// mend gives the text of u with words that sound like what is on the table read
// as that.
func (w *words) mend(u *utterance, scene *robot.Scene) string {
	if scene == nil {
		return u.text
	}
	text := strings.Fields(u.text)
	out := slices.Clone(text)
	colours := w.coloursOf(scene)
	for i, raw := range text {
		word := strings.Trim(raw, ".,!?;:\"'")
		before := ""
		if i > 0 {
			before = strings.Trim(out[i-1], ".,!?;:\"'")
		}
		switch {
		case slices.Contains(colours, before) && !w.here(before, word, scene):
			if noun, ok := w.soundsLike(before, word, scene); ok {
				out[i] = noun
			}
		case i+1 < len(text) && !slices.Contains(w.colours, word) && w.isNoun(strings.Trim(text[i+1], ".,!?;:"), scene) && !slices.Contains(small, word):
			if colour, ok := nearest(word, colours); ok {
				out[i] = colour
			}
		}
	}
	return strings.Join(out, " ")
}

func (w *words) isNoun(word string, scene *robot.Scene) bool {
	_, ok := w.kinds[word]
	return ok || w.named(word, scene)
}

func (w *words) coloursOf(scene *robot.Scene) (all []string) {
	for i := range scene.Objects {
		if c := scene.Objects[i].Colour; c != "" && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}

// here says whether there is a thing of this colour that the noun may mean.
func (w *words) here(colour, noun string, scene *robot.Scene) bool {
	kind := w.kinds[noun]
	return slices.ContainsFunc(scene.Objects, func(o robot.Object) bool {
		return o.Colour == colour && (o.Kind == kind || strings.HasSuffix(o.Name, " "+noun)) || noun == "one" || noun == "ones"
	})
}

// soundsLike gives the noun of the one kind of this colour that word sounds like.
func (w *words) soundsLike(colour, word string, scene *robot.Scene) (string, bool) {
	var nouns []string
	for i := range scene.Objects {
		o := &scene.Objects[i]
		if fields := strings.Fields(o.Name); o.Colour == colour && len(fields) > 0 {
			nouns = append(nouns, fields[len(fields)-1])
		}
	}
	return nearest(word, nouns)
}

// nearest gives the one of names that differs least from word, when it differs
// little and no other is as near.
func nearest(word string, names []string) (string, bool) {
	best, ties, found := 1<<30, 0, ""
	for _, n := range names {
		d := distance(sound(word), sound(n))
		switch {
		case d < best:
			best, ties, found = d, 0, n
		case d == best && n != found:
			ties++
		}
	}
	return found, found != "" && ties == 0 && best <= max(1, len(sound(found))/2) && word != ""
}

// sound spells a word as it sounds, roughly: the letters that are written in
// several ways for one sound become one.
func sound(word string) string {
	word = strings.NewReplacer("ck", "k", "c", "k", "q", "k", "ph", "f", "wh", "w", "ow", "o", "oa", "o", "ou", "o", "au", "o", "aw", "o", "all", "ol", "ee", "i", "ea", "e", "y", "i", "ll", "l", "ss", "s", "tt", "t", "gg", "g", "ue", "u", "ew", "u", "oo", "u").Replace(word)
	return strings.TrimRight(word, "e")
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// present says whether each noun of u, with its colour, is something that is
// here, and each thing has its colour.
func (w *words) present(u *utterance, scene *robot.Scene) bool {
	for i, word := range u.words {
		if !w.isNoun(word, scene) || w.places[word] {
			continue
		}
		if i == 0 || !slices.Contains(w.colours, u.words[i-1]) || !w.here(u.words[i-1], word, scene) {
			return false
		}
	}
	return true
}
