package ground

import (
	"slices"
	"strings"
	"unicode"

	"github.com/kuai-robot/kuai/robot"
)

// Marks in the words that split gives.
const (
	comma    = ","
	fullStop = "."
)

// split takes a text apart: lower case, each Chinese character a word, the ends
// of parts and sentences as words of their own.
func split(text string) []string {
	var b strings.Builder
	for _, r := range strings.NewReplacer("->", " to ", "=>", " to ", "→", " to ").Replace(strings.ToLower(text)) {
		switch {
		case unicode.Is(unicode.Han, r):
			b.WriteString(" " + string(r) + " ")
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '&':
			b.WriteRune(r)
		case r == '\'', r == '’':
			b.WriteByte('\'')
		case strings.ContainsRune(",;:，；：、–—", r):
			b.WriteString(" " + comma + " ")
		case strings.ContainsRune(".!?。！？…\n", r):
			b.WriteString(" " + fullStop + " ")
		default:
			b.WriteByte(' ')
		}
	}
	words := strings.Fields(b.String())
	for i := range words {
		if w := strings.Trim(words[i], "'"); w != "" {
			words[i] = w
		}
	}
	return words
}

// Tokens takes text apart. What looks like a misspelling of a word that names
// something here, or of a verb, is read as that.
func (v *Vocabulary) Tokens(text string, scene *robot.Scene) []Token {
	words := split(text)
	var tokens []Token
	for i := 0; i < len(words); {
		t, n := v.next(words[i:], tokens, scene)
		tokens = append(tokens, t)
		i += n
	}
	return tokens
}

// next gives the token that words begin with, and how many of them it takes.
func (v *Vocabulary) next(words []string, before []Token, scene *robot.Scene) (Token, int) {
	switch words[0] {
	case comma:
		return Token{Text: comma, Class: Break}, 1
	case fullStop:
		return Token{Text: fullStop, Class: Stop}, 1
	}
	if n := v.nameAt(words, scene); n > 1 {
		return v.named(words[:n], strings.Join(words[:n], " ")), n
	}
	for n := min(v.longest, len(words)); n > 0; n-- {
		key := strings.Join(words[:n], " ")
		if e, ok := v.entries[key]; ok && !v.rather(key, e, words[n:], before, scene) {
			t := Token{Text: key, Class: e.class, Value: e.value}
			t.Plural = e.class == Content && singular(words[n-1]) != words[n-1]
			return t, n
		}
	}
	return v.single(words[0], scene), 1
}

// nameAt gives how many words of the beginning are an object's whole name.
func (v *Vocabulary) nameAt(words []string, scene *robot.Scene) (n int) {
	if scene == nil {
		return 0
	}
	for i := range scene.Objects {
		name := split(scene.Objects[i].Name)
		if len(name) > n && len(name) <= len(words) && slices.EqualFunc(name, words[:len(name)], func(a, b string) bool { return singular(a) == singular(b) }) {
			n = len(name)
		}
	}
	return n
}

func (v *Vocabulary) named(words []string, text string) Token {
	last := words[len(words)-1]
	return Token{Text: text, Class: Content, Value: strings.Join(nameWords(text), " "), Plural: singular(last) != last}
}

// rather says whether a word of the list names something here instead: "can" and
// "drink" are nouns too, and "trash" is a verb only before a thing.
func (v *Vocabulary) rather(key string, e entry, rest []string, before []Token, scene *robot.Scene) bool {
	if e.class == Content || strings.Contains(key, " ") || e.class == Prep && key != "near" {
		return false
	}
	after := ""
	if len(before) > 0 {
		after = before[len(before)-1].Text
	}
	if e.class == Particle && slices.Contains([]string{"my", "his", "her", "your", "their"}, after) {
		return true // "my back"
	}
	known := v.content(singular(key), scene)
	determined := slices.Contains([]string{"the", "a", "an", "any", "some", "my", "all", "every", "each", "one", "two", "three", "of", "this", "that", "all the"}, after) ||
		len(before) > 0 && (before[len(before)-1].Class == Content || before[len(before)-1].Class == Number)
	if e.class == Verb && slices.Contains([]string{"is", "are", "was", "were", "it's", "looks", "feels", "so", "very"}, after) && slices.Contains([]string{"empty", "clean", "open", "free", "clear"}, key) &&
		!slices.ContainsFunc(before, func(t Token) bool { return t.Text == "sure" || t.Text == "ensure" || t.Text == "see" }) {
		return true // it says what something is like
	}
	if !known {
		return false
	}
	switch e.class {
	case Prep:
		return determined // "the near one"
	case Filler, Verb:
		followed := len(rest) > 0 && slices.Contains([]string{"the", "a", "an", "you", "i", "we", "that", "this", "all", "every", "it", "my", "me"}, rest[0])
		return determined || e.class == Filler && !followed && len(before) > 0
	}
	return false
}

// single reads one word that no list holds as it is.
func (v *Vocabulary) single(word string, scene *robot.Scene) Token {
	one := singular(word)
	if e, ok := v.entries[one]; ok && e.class == Content {
		return Token{Text: word, Class: Content, Value: e.value, Plural: one != word}
	}
	if v.content(one, scene) {
		return Token{Text: word, Class: Content, Value: one, Plural: one != word}
	}
	if isNumber(word) {
		return Token{Text: word, Class: Number, Value: word}
	}
	if mended, ok := v.mend(word, scene); ok {
		if e, ok := v.entries[mended]; ok && e.class == Verb && len(word) == len(mended) && word[0] == mended[0] {
			return Token{Text: mended, Class: Verb, Value: e.value}
		}
		return v.single(mended, scene)
	}
	return Token{Text: word, Class: Unknown, Value: word}
}

func isNumber(word string) bool {
	return len(word) <= 3 && word != "" && strings.Trim(word, "0123456789") == ""
}

// mend gives the known word that word is a misspelling of: one letter too many,
// too few or another, or two exchanged. Short words are left alone.
func (v *Vocabulary) mend(word string, scene *robot.Scene) (string, bool) {
	if len(word) < 4 || len(word) > 20 || hasHan(word) {
		return "", false
	}
	found := ""
	try := func(known string) bool {
		if len(known) >= 4 && known != found && misspelt(word, known) {
			if found != "" {
				return false
			}
			found = known
		}
		return true
	}
	if scene != nil {
		for i := range scene.Objects {
			for _, w := range strings.Fields(strings.ToLower(scene.Objects[i].Name)) {
				if !try(w) {
					return "", false
				}
			}
		}
	}
	for key, e := range v.entries {
		if e.class == Verb || e.class == Content {
			if !strings.Contains(key, " ") && !v.elsewhere[key] && !try(key) {
				return "", false
			}
		}
	}
	for noun := range v.nouns {
		if !try(noun) {
			return "", false
		}
	}
	return found, found != "" && found != word && !v.ordinary(word)
}

// ordinary are words that are one letter from a known one and are no mistake.
func (v *Vocabulary) ordinary(word string) bool {
	return slices.Contains([]string{"book", "cook", "cold", "hold", "gold", "list", "sick", "lick", "love", "move", "rice", "nice", "dice", "mice", "lake", "make", "cake", "bake", "wake", "sake", "rake", "shore", "stove", "cable", "wish", "fish", "food", "fear", "then", "them", "give", "live", "band", "hard", "hand", "land", "sand", "card", "cart", "cars", "cans", "pots", "puts", "wine", "wire", "pipe", "ripe", "clean", "clear", "plane", "please", "place", "plate", "slate", "late", "mouse", "house", "blame", "window", "pillow", "clown", "crown", "brown", "shoot", "reach", "teach", "beach", "each", "bear", "wear", "tear", "dear", "year", "hear", "beat", "seat", "heat", "work", "pork", "cork", "corn", "shop", "ship", "whip", "clip", "trip", "chin", "cheap", "label", "stable", "able", "wink", "link", "think", "stink", "pink", "since", "melon", "sofa", "later", "waiter", "battle", "apply", "ample", "arrange", "cooked", "soon", "blanket", "casket", "self", "shell", "draw", "drawn", "country", "counted", "settle", "nettle", "pager", "those", "chose", "cloth", "being", "string", "spring", "curry", "marry", "through", "threw", "wide", "wise", "wore", "sore", "store", "score", "shelter", "bottom", "button", "tops", "stop", "step", "bath", "path", "bake", "bale", "ball", "bowel", "spool", "plane", "plan", "plant", "planet", "slice", "spice", "price", "twice", "thing", "think", "sing", "ring", "wing", "king", "night", "light", "right", "fight", "tight", "sight", "might", "eight", "sugar", "cigar", "water", "lemma", "order", "older", "under", "finder", "fingers", "finger", "candle", "tower", "flower", "shower"}, word)
}

// misspelt says whether a and b differ by one slip.
func misspelt(a, b string) bool {
	if a == b {
		return true
	}
	if len(a) == len(b) {
		var at []int
		for i := range len(a) {
			if a[i] != b[i] {
				at = append(at, i)
			}
		}
		return len(at) == 1 && len(a) >= 5 || len(at) == 2 && at[1] == at[0]+1 && a[at[0]] == b[at[1]] && a[at[1]] == b[at[0]]
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b) != len(a)+1 {
		return false
	}
	for i := range len(b) {
		if b[:i]+b[i+1:] == a {
			return true
		}
	}
	return false
}
