package agent

import (
	"fmt"
	"slices"

	"github.com/kuai-robot/kuai/robot"
)

// same says that every object, and the robot, is where it was: a skill that succeeded from one
// of the scenes would succeed from the other and change as little.
func same(a, b *robot.Scene) bool {
	if len(a.Objects) != len(b.Objects) || a.Station != b.Station {
		return false
	}
	for i := range a.Objects {
		if !untouched(a, b, a.Objects[i].Name) {
			return false
		}
	}
	return true
}

func untouched(before, now *robot.Scene, name string) bool {
	return robot.Predicate{Name: "untouched", Args: []string{name}}.Holds(before, now)
}

// changed names the first thing in the scene that is no longer as it was
// although the skill does not concern it; empty when all is well. rough leaves
// out what the skill may do in passing, such as nudging a neighbour, and a
// moment between two relations, such as a fall.
func changed(before, now *robot.Scene, s robot.Skill, rough bool) string {
	for i := range now.Objects {
		if _, ok := before.Find(now.Objects[i].Name); !ok {
			return fmt.Sprintf("the %s has appeared", now.Objects[i].Name)
		}
	}
	for i := range before.Objects {
		was := &before.Objects[i]
		is, ok := now.Find(was.Name)
		switch {
		case !ok:
			return fmt.Sprintf("the %s is gone", was.Name)
		case concerns(s, before, was), was.Held && is.Held: // what it holds goes where the robot goes
		case rough && place(is) != "" && place(is) != place(was):
			return fmt.Sprintf("the %s is now %s", was.Name, place(is))
		case !rough && !untouched(before, now, was.Name):
			return fmt.Sprintf("the %s has moved", was.Name)
		}
	}
	return ""
}

// concerns says whether the skill may move o: it is named, or rests on or in
// something that is.
func concerns(s robot.Skill, scene *robot.Scene, o *robot.Object) bool {
	for range scene.Objects { // a chain of supports is no longer than that
		if slices.Contains(s.Args, o.Name) {
			return true
		}
		under, ok := scene.Find(o.On + o.In)
		if !ok {
			return false
		}
		o = under
	}
	return false
}

func place(o *robot.Object) string {
	switch {
	case o.Held:
		return "held"
	case o.On != "":
		return "on the " + o.On
	case o.In != "":
		return "in the " + o.In
	}
	return ""
}
