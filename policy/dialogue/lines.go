package dialogue

import (
	"fmt"
	"strings"
)

// lines are what the robot says.
type lines struct {
	yes, again, sayAgain, allRight, noPlan, instead, noOther string

	didYouSay, heard, which func(string) string
}

func linesOf(language string) lines {
	if language == "zh" {
		return lines{
			yes: "请说。", again: "我没听懂。", sayAgain: "好，请再说一遍。", allRight: "好。", noPlan: "我还没做过什么。",
			instead: "那要哪一个？", noOther: "没有别的了。",
			didYouSay: func(s string) string { return fmt.Sprintf("你说的是“%s”吗？", s) },
			heard:     func(s string) string { return fmt.Sprintf("我听到“%s”，但我不会做。", Clean(s)) },
			which:     func(s string) string { return "哪一个：" + s + "？" },
		}
	}
	return lines{
		yes: "Yes?", again: "I did not understand that.", sayAgain: "All right. Please say it again.", allRight: "All right.",
		noPlan: "I have not done anything yet.", instead: "Which one then?", noOther: "There is no other one.",
		didYouSay: func(s string) string { return fmt.Sprintf("Did you say: %s?", s) },
		heard:     func(s string) string { return fmt.Sprintf("I heard: %s. I cannot do that.", Clean(s)) },
		which:     func(s string) string { return "Which one: " + s + "?" },
	}
}

// either lists names for a question.
func either(names []string) string {
	if len(names) == 1 {
		return "the " + names[0]
	}
	last := len(names) - 1
	return "the " + strings.Join(names[:last], ", the ") + " or the " + names[last]
}
