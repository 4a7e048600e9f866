package task

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/kuai-robot/kuai/policy/ground"
	"github.com/kuai-robot/kuai/robot"
)

// Needs says what helps somebody who tells only what they lack. policy/need has one.
type Needs interface {
	// Helps gives the names of those of things any one of which helps, the best
	// first; none: text does not tell.
	Helps(ctx context.Context, text string, things []robot.Object) []string
}

// help gives the task of bringing what helps who says text, nil where words do not
// tell, nobody is there to be given it, or something else is asked for.
func (in *Interpreter) help(text string, r *reader, scene *robot.Scene) *Task {
	person := in.person(scene)
	if in.config.Needs == nil || person == "" || hasHan(text) || r.hard || !tellsOfSomebody(text) {
		return nil
	}
	for i := range r.clauses {
		c := &r.clauses[i]
		if c.not && len(r.clauses) == 1 || c.back && len(c.things) > 0 && c.verb != "" || !slices.Contains([]string{"", "bring", "hold", "wipe", "take_out", "open", "put"}, c.verb) {
			return nil
		}
	}
	var things []robot.Object
	for i := range scene.Objects {
		o := &scene.Objects[i]
		if in.v.Movable(o.Kind) && o.On != person && !in.ruledOut(r, o, scene) {
			things = append(things, *o)
		}
	}
	names := in.config.Needs.Helps(context.Background(), text, things)
	if len(names) == 0 {
		return nil
	}
	return &Task{
		Text: text, verb: "bring", given: in, thing: ground.Phrase{Names: names, Text: "what helps"}, amount: ground.Count, n: 1,
		prep: "on", place: ground.Phrase{Names: []string{person}}, prefer: names[:1],
	}
}

// tellsOfSomebody says that a text is about who says it, or asks for something, as
// one does that tells a need.
func tellsOfSomebody(text string) bool {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' && r != '’' })
	return slices.ContainsFunc(words, func(w string) bool {
		w, _, _ = strings.Cut(strings.ReplaceAll(w, "’", "'"), "'")
		return slices.Contains([]string{"i", "my", "me", "we", "our", "us", "something", "anything", "somebody", "someone", "what", "how"}, w)
	})
}

// ruledOut says that the text says of o that it is not meant.
func (in *Interpreter) ruledOut(r *reader, o *robot.Object, scene *robot.Scene) bool {
	for i := range r.clauses {
		out := r.clauses[i].excepts
		if r.clauses[i].not {
			out = append(slices.Clone(out), r.clauses[i].things...)
		}
		for j := range out {
			if len(out[j].Words) > 0 && slices.Contains(in.v.Things(&out[j], scene), o.Name) {
				return true
			}
		}
	}
	return false
}
