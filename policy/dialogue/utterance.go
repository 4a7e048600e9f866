package dialogue

import (
	"slices"
	"strings"
	"unicode"
)

// utterance is a text taken apart.
type utterance struct {
	text  string
	words []string
}

// parse takes a text apart: lower case, no punctuation, each Chinese character a
// word.
func parse(text string) utterance {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case unicode.Is(unicode.Han, r):
			b.WriteString(" " + string(r) + " ")
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		case r == '\'' || r == '’':
		default:
			b.WriteByte(' ')
		}
	}
	return utterance{text: Clean(text), words: strings.Fields(b.String())}
}

// after gives what follows first, when u begins with it; words of politeness may
// come before.
func (u *utterance) after(first []string) (utterance, bool) {
	for skip := 0; skip < len(u.words) && skip <= 2; skip++ {
		if skip > 0 && !slices.Contains([]string{"hey", "hello", "hi", "ok", "okay", "please", "so"}, u.words[skip-1]) {
			return *u, false
		}
		if rest := u.words[skip:]; len(first) > 0 && len(rest) >= len(first) && slices.Equal(rest[:len(first)], first) {
			rest = rest[len(first):]
			return utterance{text: strings.Join(rest, " "), words: rest}, true
		}
	}
	return *u, false
}

// is says whether u is one of the phrases, polite words aside.
func (u *utterance) is(phrases ...string) bool {
	said := u.bare()
	for _, p := range phrases {
		if said == strings.Join(parse(p).words, " ") {
			return true
		}
	}
	return false
}

// bare is the text without words that change nothing.
func (u *utterance) bare() string {
	var kept []string
	for _, w := range u.words {
		if !slices.Contains([]string{"please", "oh", "um", "uh", "well", "so", "now", "just"}, w) {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}

// stops says whether u asks for a stop: nothing but words for it, as people say
// them again and again when it matters.
func (u *utterance) stops() bool {
	if u.is("stop it", "stop that", "stop moving", "stop now", "stop the robot", "do not move", "dont move", "emergency stop", "别动", "不要动") {
		return true
	}
	if len(u.words) == 0 {
		return false
	}
	said := u.bare()
	for _, w := range strings.Fields(said) {
		if !slices.Contains([]string{"stop", "halt", "freeze", "停", "止", "下"}, w) {
			return false
		}
	}
	return said != "" && said != "下"
}

func (u *utterance) yes() bool {
	return u.is("yes", "yeah", "yep", "yes yes", "sure", "right", "correct", "ok", "okay", "yes I did", "do it", "go ahead", "thats right", "yes do it", "yes thats right",
		"是", "是的", "对", "好", "好的", "没错")
}

func (u *utterance) no() bool {
	return u.is("no", "nope", "no no", "wrong", "no I did not", "no I didnt", "never mind", "cancel", "cancel that", "forget it", "no thanks", "不", "不是", "不对", "不要", "取消", "算了")
}
