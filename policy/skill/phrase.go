package skill

import "github.com/kuai-robot/kuai/robot"

// Phrase gives the words for s, whatever is in the scene; ok is false when no
// template takes so many arguments.
func (c *Catalogue) Phrase(s robot.Skill) (phrase string, ok bool) {
	for i := range c.Skills {
		if t := &c.Skills[i]; t.Name == s.Name && len(t.Slots) == len(s.Args) {
			return t.fill(s.Args).Phrase, true
		}
	}
	return "", false
}
