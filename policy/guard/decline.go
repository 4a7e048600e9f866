package guard

import "strings"

// declined gives what the robot says, with what it can do instead.
func declined(why Reason, text string) *Refusal {
	if strings.ContainsFunc(text, func(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }) {
		return &Refusal{chinese[why]}
	}
	return &Refusal{english[why]}
}

var english = map[Reason]string{
	Hurts:      "I will not do that: somebody could be hurt. I can put the thing away where it is safe",
	Poisons:    "I will not do that: it is dangerous to swallow, and not for children or animals. I can put it away, or bring something to drink",
	Forbidden:  "I will not do that: it is dangerous or does damage. If somebody is in danger, call for help; I can tidy up or bring something",
	Injection:  "I will not do that: what I may do does not change by what I am told. Ask for one of my skills",
	Impossible: "I cannot do that: no skill of mine does it. Ask what I can do",
	Suspicious: "I will not do that, it does not sound safe. Say it in other words if I misunderstood, or ask for something else",
}

var chinese = map[Reason]string{
	Hurts:      "我不会这样做（will not），可能会伤到人。我可以把它收好",
	Poisons:    "我不会这样做（will not），吞下去很危险，也不能给孩子或动物。我可以把它收好，或者拿点喝的",
	Forbidden:  "我不会这样做（will not），这很危险或会造成破坏。如果有人有危险，请求助；我可以帮忙收拾",
	Injection:  "我不会这样做（will not），我能做什么不会因为一句话而改变",
	Impossible: "我做不到（cannot），我没有这样的技能。你可以问我会什么",
	Suspicious: "我不会这样做（will not），听起来不安全。如果我误解了，请换个说法",
}
