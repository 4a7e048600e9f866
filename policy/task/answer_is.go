package task

import (
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/policy/ground"
	"github.com/kuai-robot/kuai/robot"
)

// answerWhat lists what is somewhere, or which things of a kind there are.
func (in *Interpreter) answerWhat(q *asking, kind asked, scene *robot.Scene, l *lines) (string, bool) {
	p := q.thing
	p.Names = nil
	if len(in.v.Things(&p, scene)) == 0 && len(q.other.Words) > 0 { // which drawer has the spoon
		return in.answerWhere(&asking{thing: q.other}, scene, l), true
	}
	p.Where = q.place
	if q.place != nil && len(p.Words) == 0 && len(in.v.Match(&q.place.Place, scene, nil)) == 0 && len(in.v.Places(&q.place.Place, scene)) == 0 {
		return sentence(l.absent(q.place.Place.Text, nil)), true
	}
	names := in.v.Things(&p, scene)
	if len(names) == 0 && len(p.Words) > 0 {
		names = in.v.Match(&p, scene, nil)
		if p.Where == nil && len(names) == 1 && kind == askWhat { // what's the table like: what is there
			names = in.v.Things(&ground.Phrase{Where: &ground.Where{Prep: "on", Place: q.thing}}, scene)
		}
	}
	if len(names) == 0 && q.place == nil && len(p.Words) == 0 {
		if !q.you && kind == askWhat && len(p.Unknown) > 0 {
			return "", false // the world at large: nothing that it can see
		}
		names = in.v.Things(&ground.Phrase{}, scene)
	}
	if len(names) == 0 {
		return l.pick("Nothing.", "没有东西（nothing）。"), true
	}
	return l.pick("I see %s.", "我看到%s。", list(names, l.and())), true
}

func (in *Interpreter) answerHolding(scene *robot.Scene, l *lines) string {
	if held, ok := scene.Held(); ok {
		return l.pick("Yes, the %s.", "有，%s。", held.Name)
	}
	return l.pick("No, nothing.", "没有，手里是空的（nothing）。")
}

// answerIs answers yes or no, and what speaks for it.
func (in *Interpreter) answerIs(q *asking, text string, scene *robot.Scene, l *lines) (string, bool) {
	if q.you && (q.verb == "hold" || strings.Contains(text, "holding") || strings.Contains(text, "hand") || strings.Contains(text, "手")) {
		return in.answerHeld(q, scene, l), true
	}
	if q.state != "" || q.verb == "open" || q.verb == "close" {
		if say, ok := in.answerState(q, scene, l); ok {
			return say, true
		}
	}
	p := q.thing
	p.Names = nil
	// "has the green block something on it": what is on it.
	if strings.HasSuffix(strings.TrimRight(text, " ?"), "on it") || strings.HasSuffix(strings.TrimRight(text, " ?"), "in it") {
		where := &ground.Where{Prep: "on", Place: ground.Phrase{Words: p.Words, Text: p.Text}}
		return in.yesNo(in.v.Things(&ground.Phrase{Where: where}, scene), "", l), true
	}
	if len(p.Words) == 0 && q.place == nil && len(p.Unknown) == 0 {
		return "", false
	}
	// "is the cup in the sink": of the one that is meant, whether it is there.
	p.Where = q.place
	names := in.v.Match(&p, scene, func(o *robot.Object) bool { return in.v.Movable(o.Kind) || q.place == nil })
	if len(p.Words) == 0 && len(p.Unknown) > 0 {
		names = nil
	}
	elsewhere := ""
	if len(names) == 0 && q.place != nil && len(p.Words) > 0 {
		all := p
		all.Where = nil
		if other := in.v.Things(&all, scene); len(other) > 0 {
			o, _ := scene.Find(other[0])
			elsewhere = l.pick("the %s is %s", "%s %s", o.Name, whereIs(o, scene, l))
		}
	}
	return in.yesNo(names, elsewhere, l), true
}

func (in *Interpreter) yesNo(names []string, elsewhere string, l *lines) string {
	if len(names) > 0 {
		return l.pick("Yes, %s.", "有（yes），%s。", list(names, l.and()))
	}
	if elsewhere != "" {
		return l.pick("No, %s.", "没有（no），%s。", elsewhere)
	}
	return l.pick("No, there is none: nothing like that.", "没有（no）。")
}

func (in *Interpreter) answerHeld(q *asking, scene *robot.Scene, l *lines) string {
	held, ok := scene.Held()
	if !ok {
		return in.answerHolding(scene, l)
	}
	if len(q.thing.Words) > 0 && !slices.Contains(in.found(&ground.Phrase{Words: q.thing.Words}, scene), held.Name) {
		return l.pick("No, I hold the %s.", "没有，我拿着 %s。", held.Name)
	}
	return in.answerHolding(scene, l)
}

// answerState answers about what can be open, clean or empty.
func (in *Interpreter) answerState(q *asking, scene *robot.Scene, l *lines) (string, bool) {
	p := q.thing
	names := in.v.Match(&ground.Phrase{Words: p.Words}, scene, func(o *robot.Object) bool { return !in.v.Movable(o.Kind) })
	if len(p.Words) == 0 || len(names) == 0 {
		return "", false
	}
	state := q.state
	if state == "" {
		state = map[string]string{"open": "open", "close": "closed"}[q.verb]
	}
	predicate := map[string]string{
		"open": "open", "开着": "open", "closed": "closed", "shut": "closed", "关着": "closed",
		"clean": "clean", "干净": "clean", "dirty": "not clean", "脏": "not clean", "empty": "clear", "空": "clear", "full": "not clear",
	}[state]
	var parts []string
	yes := true
	for _, n := range names {
		name, not := strings.CutPrefix(predicate, "not ")
		holds := robot.Predicate{Name: name, Args: []string{n}, Not: not}.Holds(nil, scene)
		yes = yes && holds
		parts = append(parts, l.pick("the %s is %s", "%s：%s", n, in.stateOf(n, name, scene, l)))
	}
	if yes {
		return l.pick("Yes, %s.", "是（yes），%s。", strings.Join(parts, ", ")), true
	}
	return l.pick("No, %s.", "不是（no），%s。", strings.Join(parts, ", ")), true
}

func (in *Interpreter) stateOf(name, about string, scene *robot.Scene, l *lines) string {
	is := robot.Predicate{Name: about, Args: []string{name}}.Holds(nil, scene)
	switch about {
	case "open", "closed":
		if (robot.Predicate{Name: "open", Args: []string{name}}).Holds(nil, scene) {
			return l.pick("open", "开着（open）")
		}
		return l.pick("closed", "关着（closed）")
	case "clean":
		return map[bool]string{true: l.pick("clean", "干净（clean）"), false: l.pick("dirty", "脏（dirty）")}[is]
	}
	return map[bool]string{true: l.pick("empty", "空的（empty）"), false: l.pick("not empty", "不空")}[is]
}

// answerDid tells what was done.
func (in *Interpreter) answerDid(rest string, scene *robot.Scene, l *lines) string {
	var did []string
	failed := ""
	for i := range in.talk.turns {
		did = append(did, in.talk.turns[i].Items...)
		failed = in.talk.turns[i].Failed
	}
	if len(did) == 0 {
		return l.noPlan
	}
	if over := len(did) - 4; over > 0 {
		did = did[over:]
	}
	say := l.pick("I was asked to and did: %s.", "我做了：%s。", strings.Join(did, "; "))
	if failed != "" {
		say = l.pick("I tried: %s. It did not work out: %s.", "我试了：%s。没有成功：%s。", strings.Join(did, "; "), failed)
	}
	return say
}

// answerWhy tells why the last thing was done.
func (in *Interpreter) answerWhy(l *lines) string {
	for i := len(in.talk.turns) - 1; i >= 0; i-- {
		t := &in.talk.turns[i]
		if t.Failed != "" {
			return sentence(l.pick("because %s", "因为%s", t.Failed))
		}
		if len(t.Items) == 0 {
			continue
		}
		say := l.pick("Because you said: %q, which I took as: %s.", "因为你说“%s”，我理解为：%s。", t.Text, strings.Join(t.Items, "; "))
		if t.Why != "" {
			say += " " + sentence(t.Why)
		}
		return say
	}
	return l.noPlan
}

func (in *Interpreter) answerCan(l *lines) string {
	var can []string
	for i := range in.catalogue.Skills {
		t := &in.catalogue.Skills[i]
		if phrase := strings.NewReplacer("{", "", "}", "").Replace(t.Phrase); !t.Ends && !slices.Contains(can, phrase) {
			can = append(can, phrase)
		}
	}
	return l.pick("I can: %s.", "我会：%s。", strings.Join(can, "; "))
}

func (in *Interpreter) answerWho(l *lines) string {
	name := in.config.Name
	if name == "" {
		name = "kuai"
	}
	persona := in.config.Persona
	if persona == "" {
		persona = l.pick("a robot that does what it is told, within reason", "一个机器人")
	}
	return l.pick("I am %s, %s.", "我是 %s，%s。", name, persona)
}
