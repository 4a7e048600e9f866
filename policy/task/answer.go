package task

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/policy/ground"
	"github.com/kuai-robot/kuai/robot"
)

// asked is what kind of question a text is.
type asked string

const (
	askWhere  asked = "where"
	askMany   asked = "how many"
	askWhat   asked = "what"   // what is on, in, there
	askWhich  asked = "which"  // which cups do you see
	askIs     asked = "is"     // is there, is it open, are you holding
	askColour asked = "colour" // what colour is
	askDid    asked = "did"    // what did you do
	askWhy    asked = "why"
	askCan    asked = "can" // what can you do
	askWho    asked = "who"
)

// openings are how questions begin, the longer ones first where they share words.
var openings = []struct {
	words string
	kind  asked
}{
	{"where did you", askWhere}, {"where did i", askWhere}, {"have you seen", askWhere}, {"did you see", askWhere}, {"did anyone see", askWhere}, {"has anyone seen", askWhere}, {"did you find", askWhere}, {"seen", askWhere}, {"in which place", askWhere}, {"where is", askWhere}, {"where's", askWhere}, {"where are", askWhere}, {"where", askWhere},
	{"how many", askMany}, {"count the", askMany},
	{"what colour", askColour}, {"what color", askColour}, {"which colour", askColour}, {"which color", askColour},
	{"what did you", askDid}, {"what have you", askDid}, {"what were you", askDid}, {"what are you doing", askDid}, {"what was the last", askDid}, {"which did you", askDid},
	{"why", askWhy}, {"how come", askWhy}, {"what for", askWhy},
	{"what can you", askCan}, {"what are you able", askCan}, {"what do you know how", askCan},
	{"who are you", askWho}, {"what are you called", askWho}, {"what is your name", askWho}, {"what's your name", askWho},
	{"which", askWhich}, {"what drinks", askWhich}, {"what kind", askWhich}, {"what", askWhat}, {"what's", askWhat}, {"whats", askWhat},
	{"is", askIs}, {"are", askIs}, {"isn't", askIs}, {"aren't", askIs}, {"do you see", askIs}, {"do you have", askIs}, {"do we have", askIs}, {"do we still have", askIs},
	{"did you", askDid}, {"have you got", askIs}, {"can you see", askIs}, {"can you find", askIs}, {"has", askIs}, {"have we", askIs}, {"do i have", askIs}, {"do you hold", askIs}, {"does", askIs}, {"was", askIs},
	{"你叫什么", askWho}, {"你是谁", askWho}, {"你会什么", askCan}, {"你能做什么", askCan}, {"为什么", askWhy}, {"你做了什么", askDid}, {"你刚才", askDid}, {"刚才做了什么", askDid}, {"做了什么", askDid},
}

// inside are words of Chinese questions, which stand anywhere.
var inside = []struct {
	words string
	kind  asked
}{
	{"在哪", askWhere}, {"哪里", askWhere}, {"哪儿", askWhere}, {"什么地方", askWhere}, {"多少", askMany}, {"几个", askMany}, {"几", askMany}, {"什么颜色", askColour},
	{"为什么", askWhy}, {"有什么", askWhat}, {"是什么", askWhat}, {"哪些", askWhich}, {"有没有", askIs}, {"是不是", askIs}, {"开着吗", askIs}, {"关着吗", askIs},
}

// polite are what may come before a question.
var polite = []string{"can you tell me", "could you tell me", "please tell me", "tell me", "do you know", "i wonder", "i'd like to know", "i want to know", "let me know", "say", "hey", "robot", "kuai", "please", "so", "and", "ok", "okay", "well", "hello", "excuse me", "请问", "告诉我", "请告诉我"}

// kindOf says what text asks, and gives the rest of it.
func kindOf(text string) (asked, string) {
	t := strings.ToLower(strings.TrimSpace(text))
	t = strings.ReplaceAll(t, "’", "'")
	trimmed := true
	told := false
	for trimmed {
		trimmed = false
		for _, p := range polite {
			if rest, ok := strings.CutPrefix(t, p); ok && (rest == "" || strings.ContainsRune(" ,:，", rune(rest[0])) || hasHan(p)) {
				t, trimmed, told = strings.TrimLeft(rest, " ,:，"), true, told || strings.Contains(p, "tell") || strings.Contains(p, "know")
			}
		}
	}
	for _, o := range openings {
		rest, ok := strings.CutPrefix(t, o.words)
		if ok && (hasHan(o.words) || rest == "" || strings.ContainsRune(" ,?!.", rune(rest[0]))) {
			return o.kind, rest
		}
	}
	if told && strings.HasPrefix(t, "if ") || strings.HasPrefix(t, "whether ") {
		return askIs, t
	}
	if strings.HasSuffix(t, "?") && (strings.HasPrefix(t, "any ") || strings.HasPrefix(t, "anything ")) {
		return askIs, t
	}
	for _, o := range inside {
		if strings.Contains(t, o.words) {
			return o.kind, t
		}
	}
	if strings.Contains(t, "有") && strings.HasSuffix(strings.TrimRight(t, "?？"), "吗") {
		return askIs, t
	}
	return "", ""
}

// answer gives the answer to a question about what is seen, was done and why; ok
// is false when text is no such question.
func (in *Interpreter) answer(text string, scene *robot.Scene, l *lines) (string, bool) {
	kind, rest := kindOf(text)
	if before, after, ok := strings.Cut(text, ":"); kind == "" && ok {
		if r := read(in.v, before, scene); !slices.ContainsFunc(r.clauses, func(c clause) bool { return len(in.namesOf(&c, scene)) > 0 }) {
			kind, rest = kindOf(after) // "one question: where is the cup?"
		}
	}
	if (kind == askWhat || kind == askWhere || kind == askWhich) && in.goesOn(text, scene) {
		return "", false // "what a day, now the cup please"
	}
	if kind == "" || kind == askWhat && strings.HasPrefix(strings.TrimSpace(rest), "about") {
		return "", false
	}
	switch kind {
	case askDid:
		return in.answerDid(rest, scene, l), true
	case askWhy:
		return in.answerWhy(l), true
	case askCan:
		return in.answerCan(l), true
	case askWho:
		return in.answerWho(l), true
	}
	q := in.question(rest, scene)
	if kind == askIs && q.verb != "" && q.verb != "open" && q.verb != "close" && q.verb != "hold" && q.verb != "clear" && q.verb != "wipe" {
		return "", false // "is it possible to bring …"
	}
	switch kind {
	case askWhere:
		return in.answerWhere(q, scene, l), true
	case askMany:
		return in.answerMany(q, scene, l), true
	case askColour:
		return in.answerColour(q, scene, l), true
	case askWhat, askWhich:
		if q.you && (strings.Contains(rest, "hold") || strings.Contains(rest, "hand") || strings.Contains(rest, "手")) {
			return in.answerHolding(scene, l), true
		}
		return in.answerWhat(q, kind, scene, l)
	}
	return in.answerIs(q, rest, scene, l)
}

// goesOn says whether a text that begins like a question is none and ends in a
// request.
func (in *Interpreter) goesOn(text string, scene *robot.Scene) bool {
	i := strings.LastIndexAny(text, ",;")
	if i < 0 || strings.ContainsAny(text, "?？") {
		return false
	}
	r := read(in.v, text[i+1:], scene)
	return slices.ContainsFunc(r.clauses, func(c clause) bool {
		return c.verb != "" && !c.not || strings.Contains(text[i:], "please") && len(in.namesOf(&c, scene)) > 0
	})
}

// asking is a question taken apart.
type asking struct {
	thing ground.Phrase
	place *ground.Where
	verb  string
	other ground.Phrase // a second thing that is named
	// state is a word about a drawer or surface: open, closed, clean, dirty, empty.
	state string
	you   bool
}

// question reads what a question is about.
func (in *Interpreter) question(text string, scene *robot.Scene) *asking {
	q := &asking{you: strings.Contains(" "+text+" ", " you ") || strings.Contains(text, "你"), state: stateIn(text)}
	text = strings.NewReplacer("do you see", " ", "can you see", " ", "are there", " ", "there is", " ", "is there", " ", "do we have", " ", "do you have", " ", "有没有", " ", "有多少", " ", "多少", " ", "几个", " ", "在哪里", " ", "在哪儿", " ", "在哪", " ", "哪里", " ", "什么颜色", " ", "有什么", " ", "是什么", " ", "有", " ", "吗", " ").Replace(text)
	r := read(in.v, text, scene)
	for i := range r.clauses {
		c := &r.clauses[i]
		if q.verb == "" {
			q.verb = c.verb
		}
		for j := range c.things {
			if p := &c.things[j]; q.thing.Empty() {
				q.thing = *p
			} else if len(p.Words) > 0 && len(q.thing.Words) == 0 {
				q.thing.Words, q.thing.Text = p.Words, p.Text
			} else if len(q.other.Words) == 0 {
				q.other = *p
			}
		}
		for j := range c.ats {
			if p := &c.ats[j].place; len(p.Words) > 0 && q.place == nil {
				q.place = &ground.Where{Prep: c.ats[j].prep, Place: *p}
			}
		}
	}
	return q
}

func stateIn(text string) string {
	for _, w := range []string{"open", "closed", "shut", "clean", "dirty", "empty", "full", "开着", "关着", "干净", "脏", "空"} {
		if strings.Contains(" "+strings.Trim(text, " ?.!？")+" ", " "+w+" ") || hasHan(w) && strings.Contains(text, w) {
			return w
		}
	}
	return ""
}

// whereIs says where o is.
func whereIs(o *robot.Object, scene *robot.Scene, l *lines) string {
	switch {
	case o.Held:
		return l.pick("in my hand", "在我手里")
	case o.In != "":
		return l.pick("in the %s", "在 %s 里", o.In)
	case o.On != "":
		if p, ok := scene.Find(o.On); ok && p.Kind == "person" {
			return l.pick("with you (the %s)", "在你手里（%s）", o.On)
		}
		return l.pick("on the %s", "在 %s 上", o.On)
	}
	return l.pick("here", "在这里")
}

func (in *Interpreter) answerWhere(q *asking, scene *robot.Scene, l *lines) string {
	p := q.thing
	p.Where = q.place
	names := in.found(&p, scene)
	if len(names) == 0 && len(p.Words) == 0 && p.Names == nil && q.you {
		return l.pick("I am at the %s.", "我在 %s。", map[bool]string{true: scene.Station, false: "table"}[scene.Station != ""])
	}
	if (p.Pronoun == "it" || p.Pronoun == "them") && len(p.Words) == 0 {
		names = in.talk.names
	}
	if len(names) == 0 {
		if in.config.Memory != nil {
			if place, _, ok := in.config.Memory.Seen(strings.Join(p.Words, " ")); ok {
				return l.absent(p.Text, nil) + ". " + l.seen(p.Text, place)
			}
		}
		return sentence(l.absent(p.Text, nil))
	}
	if in.v.Things(&p, scene) != nil {
		in.talk.names = names
	}
	var parts []string
	for _, n := range names {
		if o, ok := scene.Find(n); ok {
			parts = append(parts, l.pick("the %s is %s", "%s %s", n, whereIs(o, scene, l)))
		}
	}
	return sentence(strings.Join(parts, ", "))
}

// found gives the things, or places, that a question's phrase means.
func (in *Interpreter) found(p *ground.Phrase, scene *robot.Scene) []string {
	if len(p.Words) == 0 && p.Names == nil && p.Where == nil {
		return nil
	}
	if names := in.v.Things(p, scene); len(names) > 0 {
		return names
	}
	if len(p.Words) == 0 {
		return nil
	}
	return in.v.Match(p, scene, nil)
}

func (in *Interpreter) answerMany(q *asking, scene *robot.Scene, l *lines) string {
	p := q.thing
	p.Where = q.place
	p.Names = nil
	names := in.found(&p, scene)
	if len(p.Words) == 0 && p.Where == nil {
		names = in.v.Things(&p, scene)
	}
	if len(names) == 0 {
		return l.pick("There are none: 0.", "没有，0 个。")
	}
	return l.pick("%s: %s.", "%s：%s。", number(len(names), l), list(names, l.and()))
}

func number(n int, l *lines) string {
	words := []string{"none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
	zh := []string{"没有", "一个", "两个", "三个", "四个", "五个", "六个", "七个", "八个", "九个", "十个"}
	switch {
	case n < len(words) && l.zh:
		return fmt.Sprintf("%s（%d）", zh[n], n)
	case n < len(words):
		return fmt.Sprintf("%s (%d)", words[n], n)
	}
	return fmt.Sprint(n)
}

func (in *Interpreter) answerColour(q *asking, scene *robot.Scene, l *lines) string {
	p := q.thing
	p.Where = q.place
	names := in.found(&p, scene)
	var parts []string
	for _, n := range names {
		o, _ := scene.Find(n)
		colour := o.Colour
		if colour == "" {
			if first, _, _ := strings.Cut(n, " "); in.v.IsColour(first) {
				colour = first
			}
		}
		if colour == "" {
			parts = append(parts, l.pick("I do not know the colour of the %s", "我不知道 %s 的颜色", n))
			continue
		}
		parts = append(parts, l.pick("the %s is %s", "%s 是 %s", n, colour))
	}
	if len(parts) == 0 {
		return sentence(l.absent(p.Text, nil))
	}
	return sentence(strings.Join(parts, ", "))
}

// sentence begins with a capital and ends with a full stop.
func sentence(text string) string {
	if text == "" {
		return text
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !slices.ContainsFunc([]string{".", "。", "?", "？", "!"}, func(e string) bool { return strings.HasSuffix(text, e) }) {
		text += "."
	}
	return text
}
