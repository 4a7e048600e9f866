package dialogue

import (
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// Sayings gives pieces of what people say when they ask for a catalogue's
// skills: what a recogniser should expect. The things are those of scene, or
// without one whatever the catalogue knows.
func Sayings(c *skill.Catalogue, scene *robot.Scene) []string {
	var all []string
	for i := range c.Skills {
		t := &c.Skills[i]
		if !t.Ends {
			all = append(all, pieces(t.Phrase)...)
		}
		for _, s := range t.Slots {
			for _, w := range s.Words {
				all = append(all, "the "+w)
			}
		}
	}
	for _, verb := range []string{"pick", "place", "push"} {
		for _, s := range synonyms[verb] {
			all = append(all, s+" the")
		}
	}
	all = append(all, "put the", "pick up the", "in the", "into the", "on the", "on top of the", "next to the", "to the left", "to the right", "and then", "the other one", "that one instead", "not that one")
	all = append(all, things(c, scene)...)
	slices.Sort(all)
	return slices.Compact(all)
}

// pieces gives the words of a template between its slots.
func pieces(phrase string) (all []string) {
	for phrase != "" {
		before, rest, _ := strings.Cut(phrase, "{")
		if before = strings.TrimSpace(before); before != "" {
			all = append(all, before)
		}
		_, phrase, _ = strings.Cut(rest, "}")
	}
	return all
}

func things(c *skill.Catalogue, scene *robot.Scene) (all []string) {
	if scene != nil {
		for i := range scene.Objects {
			o := &scene.Objects[i]
			if !skill.PlainName(o.Name) {
				continue
			}
			all = append(all, "the "+o.Name)
			if o.Colour != "" {
				all = append(all, "the "+o.Colour+" one")
				for _, n := range c.Nouns[o.Kind] {
					all = append(all, "the "+o.Colour+" "+n)
				}
			}
		}
		return all
	}
	for i := range c.Skills {
		for _, s := range c.Skills[i].Slots {
			for _, kind := range s.Kinds {
				for _, noun := range c.Nouns[kind] {
					for _, colour := range c.Colours {
						all = append(all, "the "+colour+" "+noun)
					}
				}
			}
		}
	}
	return all
}

// Commands gives whole commands about the things of scene, which is what people
// say most: each skill of the catalogue as its phrase, and with the verbs that
// stand for it in English.
func Commands(c *skill.Catalogue, scene *robot.Scene) (all []string) {
	if scene == nil {
		return nil
	}
	options, err := c.Options(scene)
	if err != nil {
		return nil // the planner tells what is wrong with the catalogue
	}
	for i := range options {
		o := &options[i]
		if o.Ends {
			continue
		}
		all = append(all, o.Phrase)
		if rest, ok := strings.CutPrefix(o.Phrase, "place "); ok {
			all = append(all, "put "+rest)
		}
	}
	return all
}

// Plain says whether a text names nothing but what is here, and is whole: there
// is nothing to mend about it.
func (d *Dialogue) Plain(text string, scene *robot.Scene) bool {
	u := parse(text)
	return u.stops() || u.yes() || u.no() || scene != nil && d.words.read(u.text, scene).whole && d.words.mend(&u, scene) == u.text && d.words.present(&u, scene)
}
