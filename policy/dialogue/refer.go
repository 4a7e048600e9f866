package dialogue

import (
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/robot"
)

// refers takes u as something about the last plan.
func (d *Dialogue) refers(h *Heard, u *utterance, scene *robot.Scene) (Reply, bool) {
	other := u.mentions("other one") || u.mentions("the other") || u.mentions("different one") || u.mentions("another one") || u.mentions("另 一 个") || u.mentions("别 的")
	not := u.mentions("not that one") || u.mentions("not this one") || u.is("not that") || u.mentions("wrong one") || u.mentions("不 是 那 个") || u.mentions("不 是 这 个")
	instead := u.mentions("instead") || u.mentions("i meant") || u.mentions("i said") || u.mentions("换")
	colour := d.colourOne(u)
	switch {
	case other || not || instead || colour != "":
	case u.no():
		if d.running() {
			return Reply{Kind: Answer, Cancel: true, Say: d.said.allRight}, true
		}
		return Reply{Kind: Ignored, Why: "no to nothing"}, true
	case u.yes():
		return Reply{Kind: Ignored, Why: "yes to nothing"}, true
	default:
		return Reply{}, false
	}
	if d.words.read(u.text, scene).whole && !other && !not {
		return Reply{}, false // a whole command that happens to say "instead"
	}
	if d.last == nil || scene == nil {
		return Reply{Kind: Answer, Say: d.said.noPlan}, true
	}
	old, others := d.alternatives(scene)
	if name, ok := d.pickFrom(u, others, scene); ok && old != "" {
		return d.instead(old, name), true
	}
	switch {
	case old == "" || len(others) == 0:
		return Reply{Kind: Answer, Cancel: not && d.running(), Say: d.said.noOther}, true
	case len(others) == 1 && (other || instead):
		return d.instead(old, others[0]), true
	case u.mentions("that one instead") || u.mentions("that instead"):
		if name, ok := d.runnerUp(others); ok {
			return d.instead(old, name), true
		}
	}
	r := d.ask(h.At, &question{instruction: d.last.Instruction, old: old, choice: others}, d.said.which(either(others)))
	r.Cancel = d.running()
	return r, true
}

// mentions says whether the words of phrase follow each other in u.
func (u *utterance) mentions(phrase string) bool {
	return strings.Contains(" "+strings.Join(u.words, " ")+" ", " "+phrase+" ")
}

// colourOne gives the colour of "the COLOUR one".
func (d *Dialogue) colourOne(u *utterance) string {
	for i, w := range u.words[:max(len(u.words)-1, 0)] {
		if slices.Contains(d.words.colours, w) && u.words[i+1] == "one" {
			return w
		}
	}
	return ""
}

func (d *Dialogue) running() bool { return d.last != nil && d.last.Status == robot.Running }

// object gives what the last plan's newest step is about.
func (d *Dialogue) object() string {
	for i := len(d.last.Steps) - 1; i >= 0; i-- {
		if args := d.last.Steps[i].Skill.Args; len(args) > 0 {
			return args[0]
		}
	}
	return ""
}

// alternatives gives the object of the last plan and the others of its kind.
func (d *Dialogue) alternatives(scene *robot.Scene) (old string, others []string) {
	old = d.object()
	o, ok := scene.Find(old)
	if !ok {
		return "", nil
	}
	for i := range scene.Objects {
		p := &scene.Objects[i]
		if p.Kind == o.Kind && p.Name != old && !d.spoken(p.Name) {
			others = append(others, p.Name)
		}
	}
	return old, others
}

// spoken says whether the last instruction names the object already, in another
// part: "the other one" of two blocks that are to be stacked is neither.
func (d *Dialogue) spoken(name string) bool {
	return strings.Contains(strings.ToLower(d.last.Instruction), strings.ToLower(name))
}

// pickFrom gives the one of names that u names, by colour or in full.
func (d *Dialogue) pickFrom(u *utterance, names []string, scene *robot.Scene) (string, bool) {
	var found []string
	for _, name := range names {
		fields := strings.Fields(strings.ToLower(name))
		whole := u.mentions(strings.Join(fields, " "))
		if whole || len(fields) > 1 && slices.Contains(u.words, fields[0]) && !d.otherNoun(u, fields[len(fields)-1]) {
			found = append(found, name)
		}
	}
	if len(found) == 1 {
		return found[0], true
	}
	return "", false
}

// otherNoun says whether u names another kind of thing.
func (d *Dialogue) otherNoun(u *utterance, noun string) bool {
	return slices.ContainsFunc(u.words, func(w string) bool {
		kind, ok := d.words.kinds[w]
		return ok && kind != d.words.kinds[noun]
	})
}

// runnerUp gives the object of the best candidate, of the newest decision, that
// is about one of names: the robot showed it on its page.
func (d *Dialogue) runnerUp(names []string) (string, bool) {
	for i := len(d.last.Steps) - 1; i >= 0; i-- {
		for _, c := range d.last.Steps[i].Decision.Candidates {
			if args := c.Skill.Args; len(args) > 0 && slices.Contains(names, args[0]) {
				return args[0], true
			}
		}
	}
	return "", false
}

// instead is the last instruction with another object.
func (d *Dialogue) instead(old, name string) Reply {
	r := d.do(replaceName(d.last.Instruction, old, name))
	r.Cancel = d.running()
	return r
}

// replaceName puts name in the place of old, or of what it may have been called.
func replaceName(instruction, old, name string) string {
	lower := strings.ToLower(instruction)
	if i := strings.Index(lower, strings.ToLower(old)); i >= 0 {
		return instruction[:i] + name + instruction[i+len(old):]
	}
	colour, _, _ := strings.Cut(strings.ToLower(old), " ")
	if fields := strings.Fields(name); len(fields) > 1 {
		if i := strings.Index(" "+lower+" ", " "+colour+" "); i >= 0 {
			return instruction[:i] + fields[0] + instruction[i+len(colour):]
		}
	}
	return "pick up the " + name
}
