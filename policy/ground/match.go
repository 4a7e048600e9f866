package ground

import (
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/robot"
)

// Fits says whether word is one of o's: of its name, its colour, a word for its
// kind, or something that the list says of such things.
func (v *Vocabulary) Fits(word string, o *robot.Object) bool {
	names := nameWords(o.Name)
	if slices.Contains(names, word) || spelling(o.Colour) == spelling(word) && word != "" {
		return true
	}
	if slices.Contains(v.kindsOf[word], o.Kind) || word == o.Kind {
		return true
	}
	return slices.ContainsFunc(v.properties[word], func(w string) bool { return w == o.Kind || slices.Contains(names, w) })
}

// spelling settles the one colour that is spelt in two ways.
func spelling(colour string) string {
	if colour == "gray" {
		return "grey"
	}
	return colour
}

// Filter says which objects come into question at all.
type Filter func(o *robot.Object) bool

// Match gives the names of the objects of scene that p means and may accepts, in
// the order of the scene. Exceptions are taken away; how many are wanted is the
// caller's. An object whose whole name was said stands alone.
func (v *Vocabulary) Match(p *Phrase, scene *robot.Scene, may Filter) []string {
	if scene == nil {
		return nil
	}
	var names []string
	for i := range scene.Objects {
		o := &scene.Objects[i]
		if may != nil && !may(o) || !v.means(p, o, scene) {
			continue
		}
		names = append(names, o.Name)
	}
	return exact(names, p.Words)
}

// exact narrows names to the one that is said in full, if there is one.
func exact(names, words []string) []string {
	if len(names) < 2 || len(words) == 0 {
		return names
	}
	for _, n := range names {
		own := nameWords(n)
		if len(own) == len(words) && !slices.ContainsFunc(own, func(w string) bool { return !slices.Contains(words, w) }) {
			return []string{n}
		}
	}
	return names
}

func (v *Vocabulary) means(p *Phrase, o *robot.Object, scene *robot.Scene) bool {
	if p.Names != nil {
		return slices.Contains(p.Names, o.Name) && !v.excepted(p, o, scene)
	}
	if len(p.Words) == 0 && len(p.Unknown) > 0 {
		return false
	}
	for _, w := range p.Words {
		if !v.Fits(w, o) {
			return false
		}
	}
	return v.lies(p.Where, o, scene) && !v.excepted(p, o, scene)
}

func (v *Vocabulary) excepted(p *Phrase, o *robot.Object, scene *robot.Scene) bool {
	for i := range p.Except {
		e := p.Except[i]
		if len(e.Words) == 0 && len(e.Names) == 0 && e.Where == nil {
			continue // it says nothing, so it takes nothing away
		}
		if v.means(&e, o, scene) {
			return true
		}
	}
	return false
}

// lies says whether o is where w says.
func (v *Vocabulary) lies(w *Where, o *robot.Object, scene *robot.Scene) bool {
	if w == nil {
		return true
	}
	under := o.On + o.In
	if under == "" {
		return false
	}
	if len(w.Place.Names) > 0 {
		return slices.Contains(w.Place.Names, under)
	}
	for range scene.Objects {
		place, ok := scene.Find(under)
		if !ok {
			return slices.Contains(w.Place.Words, under) // the table of a tabletop is no object
		}
		if v.means(&w.Place, place, scene) {
			return true
		}
		if under = place.On + place.In; under == "" {
			return false
		}
	}
	return false
}

// Places gives the names of the places that p means: objects that cannot be
// picked up, and the words of slots, such as the table.
func (v *Vocabulary) Places(p *Phrase, scene *robot.Scene) []string {
	names := v.Match(p, scene, func(o *robot.Object) bool { return !v.Movable(o.Kind) })
	if len(names) == 0 && len(p.Words) == 1 && slices.Contains(v.slotWords, p.Words[0]) {
		return []string{p.Words[0]}
	}
	return names
}

// Things gives the names of the movable objects that p means.
func (v *Vocabulary) Things(p *Phrase, scene *robot.Scene) []string {
	return v.Match(p, scene, func(o *robot.Object) bool { return v.Movable(o.Kind) })
}

// Known says whether some word of p has a meaning in the catalogue, whether or not
// such a thing is here.
func (v *Vocabulary) Known(p *Phrase) bool {
	return slices.ContainsFunc(p.Words, func(w string) bool { return v.content(w, nil) || v.entries[w].class == Content })
}

// IsColour says whether the word only tells things apart.
func (v *Vocabulary) IsColour(word string) bool {
	return slices.Contains(v.colours, word)
}

// Whole says whether all words of p stand for whole kinds: "drinks", not "cola".
func (v *Vocabulary) Whole(p *Phrase) bool {
	return len(p.Words) > 0 && !slices.ContainsFunc(p.Words, func(w string) bool { return v.kindsOf[w] == nil })
}

// Mass says whether the phrase's last word is one that has no plural: "the
// cutlery" is all of it.
func Mass(p *Phrase) bool {
	return len(p.Words) > 0 && slices.Contains([]string{"cutlery", "waste", "rubbish", "trash", "litter", "garbage", "junk", "food", "crockery", "tableware", "silverware"}, p.Words[len(p.Words)-1])
}

// Need gives the kinds that help who says t.
func (v *Vocabulary) Need(t *Token) []string {
	if kinds := v.kindsOf[t.Value]; kinds != nil {
		return kinds
	}
	return strings.Fields(t.Value)
}

// KindOf gives the kind that the catalogue has for a noun; empty: none.
func (v *Vocabulary) KindOf(noun string) string { return v.nouns[noun] }

// SlotWords gives the words that fill slots and are no objects.
func (v *Vocabulary) SlotWords() []string { return v.slotWords }
