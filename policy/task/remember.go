package task

import (
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/policy/ground"
	"github.com/kuai-robot/kuai/robot"
)

// remember takes text as something to be remembered or forgotten.
func (in *Interpreter) remember(text string, scene *robot.Scene, at robot.Time, l *lines) (string, bool) {
	t := strings.ToLower(strings.Trim(strings.TrimSpace(text), ".!。"))
	if slices.Contains([]string{"forget that", "forget it all", "forget what i told you", "forget what i said", "忘掉", "忘了吧", "把那个忘掉"}, t) {
		if in.config.Memory == nil {
			return l.noMemory, true
		}
		told, ok := in.config.Memory.Forget()
		if !ok {
			return l.nothing, true
		}
		return l.pick("I have forgotten: %s", "我忘了：%s", told), true
	}
	told := t
	for _, p := range []string{"remember that ", "remember, ", "remember: ", "please remember that ", "note that ", "keep in mind that ", "记住"} {
		if rest, ok := strings.CutPrefix(t, p); ok {
			told = strings.TrimLeft(rest, "，, ")
			return in.tell(told, at, l), true
		}
	}
	for _, p := range []string{"i like ", "i prefer ", "i love ", "i always ", "my favourite ", "my favorite ", "i usually ", "i don't like ", "i hate ", "我喜欢", "我爱", "我最喜欢"} {
		if strings.HasPrefix(t, p) && !in.asksToo(text, scene) {
			return in.tell(told, at, l), true
		}
	}
	return "", false
}

// asksToo says whether a text that begins as if it told what somebody likes ends in
// a request: "I don't like how dirty it is, clean it".
func (in *Interpreter) asksToo(text string, scene *robot.Scene) bool {
	r := read(in.v, text, scene)
	return len(r.clauses) > 1 && r.clauses[len(r.clauses)-1].verb != "" && r.clauses[len(r.clauses)-1].said != "feel like"
}

func (in *Interpreter) tell(told string, at robot.Time, l *lines) string {
	if in.config.Memory == nil {
		return l.noMemory
	}
	in.config.Memory.Tell(told, at)
	return l.pick("I will remember: %s", "我记住了：%s", told)
}

// liked gives the objects that the phrase may mean and that somebody said they
// like.
func (in *Interpreter) liked(p *ground.Phrase, scene *robot.Scene) []string {
	if in.config.Memory == nil {
		return nil
	}
	var names []string
	for _, told := range in.config.Memory.Likes() {
		if strings.Contains(told, "don't like") || strings.Contains(told, "hate") {
			continue
		}
		r := read(in.v, told, scene)
		for i := range r.clauses {
			c := &r.clauses[i]
			for _, at := range c.ats {
				c.things = append(c.things, at.place)
			}
			for j := range c.things {
				liked := in.v.Things(&ground.Phrase{Words: c.things[j].Words}, scene)
				if len(c.things[j].Words) > 0 && len(liked) == 1 {
					names = append(names, liked...)
				}
			}
		}
	}
	return names
}
