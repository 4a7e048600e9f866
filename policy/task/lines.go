package task

import (
	"fmt"
	"strings"
)

// lines are what the robot says, in one language.
type lines struct {
	zh bool

	leave, allRight, notUnderstood, noMemory, nothing, noPlan string
}

func (in *Interpreter) linesFor(text string) lines {
	if hasHan(text) || in.config.Language == "zh" && !strings.ContainsFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' }) {
		return lines{
			zh: true, leave: "好，我不动。", allRight: "好。", notUnderstood: "我没听懂，请换个说法。",
			noMemory: "我没有开启记忆（memory.on），所以记不住。", nothing: "没有什么可忘的。", noPlan: "我还没做过什么。",
		}
	}
	return lines{
		leave: "All right, I leave it as it is.", allRight: "All right.",
		notUnderstood: "I did not understand that: please say it in other words, in English or Chinese.",
		noMemory:      "My memory is off (memory.on), so I cannot keep that.", nothing: "There is nothing to forget.",
		noPlan: "I have not done anything yet.",
	}
}

func (l *lines) pick(en, zh string, args ...any) string {
	if l.zh {
		return fmt.Sprintf(zh, args...)
	}
	return fmt.Sprintf(en, args...)
}

func (l *lines) which(names []string) string {
	if l.zh {
		return "你要哪一个：" + strings.Join(names, " 还是 ") + "？"
	}
	return "Do you mean " + list(names, "or") + "?"
}

func (l *lines) absent(text string, alike []string) string {
	say := l.pick("there is no %s here", "这里没有%s（no %[1]s）", text)
	if len(alike) == 0 {
		return say
	}
	return say + l.pick(": I see %s", "，我看到 %s", list(alike, l.and()))
}

func (l *lines) and() string {
	if l.zh {
		return "和"
	}
	return "and"
}

func (l *lines) seen(name, place string) string {
	return l.pick("I saw the %s last at the %s.", "我上次看到%s在 %s。", name, place)
}

func (l *lines) nothingThere(place string) string {
	return l.pick("There is nothing there: %s.", "%s 那里没有东西。", place)
}

func (l *lines) cannotPut(thing, place string) string {
	return l.pick("the %s cannot be put there (%s): say another place", "%s 不能放到 %s，请换个地方", thing, place)
}

func (l *lines) cannotDo(verb, place string) string {
	return l.pick("I cannot %s the %s", "我不能这样做（%s）：%s", verb, place)
}

func (l *lines) tooMany(n, most int) string {
	return l.pick("these are %d requests, I take at most %d at a time: say fewer", "这是 %d 件事，一次最多 %d 件：请少说一些", n, most)
}

func (l *lines) tooFew(text string, have, want int, names []string) string {
	if have == 0 {
		return l.absent(text, nil)
	}
	return l.pick("I see only %d of %d: %s. Do you want that?", "我只看到 %d 个（要 %d 个）：%s。要吗？", have, want, list(names, l.and()))
}

// list joins names as a sentence does.
func list(names []string, word string) string {
	if word != "和" {
		the := make([]string, len(names))
		for i, n := range names {
			the[i] = "the " + n
		}
		names = the
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	if word == "和" {
		return strings.Join(names[:last], "、") + "和" + names[last]
	}
	return strings.Join(names[:last], ", ") + " " + word + " " + names[last]
}
