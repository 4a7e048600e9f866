package skill

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/robot"
)

// Option is a template filled: one thing the robot could do now.
type Option struct {
	Skill  robot.Skill
	Phrase string
	// When must hold before, Success after.
	When, Success []robot.Predicate
	// Ends: choosing it closes the plan.
	Ends bool
}

// Possible says whether every precondition holds in scene.
func (o *Option) Possible(scene *robot.Scene) bool {
	_, ok := robot.HoldAll(o.When, nil, scene)
	return ok
}

// Obstacle gives the first precondition that does not hold in scene, in words.
func (o *Option) Obstacle(scene *robot.Scene) (why string, ok bool) {
	if fails, held := robot.HoldAll(o.When, nil, scene); !held {
		return fmt.Sprintf("%s needs %s", o.Skill, fails), true
	}
	return "", false
}

// Options fills every template with the objects of scene, in the order of the
// catalogue and of the scene. No argument is used twice in one option. It fails
// when two options read the same, or when there are more than 4096.
func (c *Catalogue) Options(scene *robot.Scene) ([]Option, error) {
	var options []Option
	phrases := map[string]bool{}
	for i := range c.Skills {
		t := &c.Skills[i]
		for args := range t.fillings(scene) {
			o := t.fill(args)
			if phrases[o.Phrase] {
				return nil, fmt.Errorf("catalogue %s: two options read %q (two objects of one name?)", c.Name, o.Phrase)
			}
			if len(options) == maxOptions {
				return nil, fmt.Errorf("catalogue %s: more than %d options for %d objects", c.Name, maxOptions, len(scene.Objects))
			}
			phrases[o.Phrase] = true
			options = append(options, o)
		}
	}
	return options, nil
}

// Find gives the option that is the call s, or an error that says what the
// skill takes.
func (c *Catalogue) Find(scene *robot.Scene, s robot.Skill) (Option, error) {
	options, err := c.Options(scene)
	if err != nil {
		return Option{}, err
	}
	var names, alike []string
	for i := range options {
		if options[i].Skill.Equal(s) {
			return options[i], nil
		}
		if options[i].Skill.Name == s.Name {
			alike = append(alike, options[i].Skill.String())
		}
	}
	if len(alike) > 0 {
		return Option{}, fmt.Errorf("skill %s: no such call here (there is %s)", s, abbreviate(alike))
	}
	for i := range c.Skills {
		names = append(names, c.Skills[i].Name)
	}
	return Option{}, fmt.Errorf("skill %q is not in catalogue %s, or nothing here fits it (there is %s)",
		s.Name, c.Name, strings.Join(slices.Compact(names), ", "))
}

func abbreviate(words []string) string {
	const most = 4
	if len(words) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
	}
	return strings.Join(words, ", ")
}

// fillings yields each choice of arguments, one for each slot.
func (t *Template) fillings(scene *robot.Scene) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		args := make([]string, 0, len(t.Slots))
		t.fillFrom(scene, args, yield)
	}
}

func (t *Template) fillFrom(scene *robot.Scene, args []string, yield func([]string) bool) bool {
	if len(args) == len(t.Slots) {
		return yield(args)
	}
	for _, word := range t.Slots[len(args)].words(scene) {
		if slices.Contains(args, word) {
			continue
		}
		if !t.fillFrom(scene, append(args, word), yield) {
			return false
		}
	}
	return true
}

// words gives what may fill s in scene.
func (s *Slot) words(scene *robot.Scene) []string {
	words := slices.Clone(s.Words)
	for i := range scene.Objects {
		o := &scene.Objects[i]
		if slices.Contains(s.Kinds, o.Kind) && PlainName(o.Name) {
			words = append(words, o.Name)
		}
	}
	return words
}

func (t *Template) fill(args []string) Option {
	o := Option{Skill: robot.Skill{Name: t.Name, Args: slices.Clone(args)}, Phrase: t.Phrase, Ends: t.Ends}
	for i, s := range t.Slots {
		o.Phrase = strings.Replace(o.Phrase, "{"+s.Name+"}", args[i], 1)
	}
	o.When, o.Success = t.fillPredicates(t.When, args), t.fillPredicates(t.Success, args)
	return o
}

func (t *Template) fillPredicates(ps []robot.Predicate, args []string) []robot.Predicate {
	filled := make([]robot.Predicate, len(ps))
	for i, p := range ps {
		filled[i] = p
		filled[i].Args = slices.Clone(p.Args)
		for j, arg := range p.Args {
			if name, ok := slotName(arg); ok {
				filled[i].Args[j] = args[t.slot(name)]
			}
		}
	}
	return filled
}
