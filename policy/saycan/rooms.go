package saycan

import (
	"strings"

	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// drawer is the kind of place whose line tells whether it is open: what lies in
// a closed one is out of reach.
const drawer = "drawer"

// rooms tells where the robot stands and, place by place, what is there:
//
//	At the table. table: apple, mug; top drawer (closed): fork; held: sponge
//
// A place is what rests on nothing and lies in nothing. Those with nothing there
// are left out, but for drawers, which may have to be opened. Places and things
// keep the order of the scene.
func rooms(scene *robot.Scene) string {
	var b strings.Builder
	if skill.PlainName(scene.Station) {
		b.WriteString("At the " + scene.Station + ". ")
	}
	var parts []string
	for i := range scene.Objects {
		place := &scene.Objects[i]
		if place.Held || place.On != "" || place.In != "" || !skill.PlainName(place.Name) {
			continue
		}
		title := place.Name
		if place.Kind == drawer {
			title += map[bool]string{true: " (closed)", false: " (open)"}[place.Open <= robot.ClosedAtMost]
		}
		if there := things(scene, place.Name); there != "" {
			parts = append(parts, title+": "+there)
		} else if place.Kind == drawer {
			parts = append(parts, title)
		}
	}
	if held, ok := scene.Held(); ok && skill.PlainName(held.Name) {
		parts = append(parts, "held: "+held.Name)
	}
	b.WriteString(strings.Join(parts, "; "))
	return b.String()
}

// things names what is at a place; what is there by way of another thing is told
// with it.
func things(scene *robot.Scene, place string) string {
	var names []string
	for i := range scene.Objects {
		o := &scene.Objects[i]
		// No option has a name that is not plain, and it could say anything.
		if o.Held || (o.On == "" && o.In == "") || !skill.PlainName(o.Name) || root(scene, o) != place {
			continue
		}
		switch {
		case o.In != "" && o.In != place:
			names = append(names, o.Name+" in "+o.In)
		case o.On != "" && o.On != place:
			names = append(names, o.Name+" on "+o.On)
		default:
			names = append(names, o.Name)
		}
	}
	return strings.Join(names, ", ")
}

// root gives the name of the place that o is at.
func root(scene *robot.Scene, o *robot.Object) string {
	for range scene.Objects { // a circle ends too
		under, ok := scene.Find(o.On + o.In) // at most one is set
		if !ok {
			break
		}
		o = under
	}
	return o.Name
}
