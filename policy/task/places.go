package task

import (
	"slices"

	"github.com/kuai-robot/kuai/policy/ground"
	"github.com/kuai-robot/kuai/robot"
)

// destinations gives the places that p means and where thing can be put.
func (in *Interpreter) destinations(thing string, p *ground.Phrase, prep string, scene *robot.Scene) []string {
	for _, literal := range []bool{true, false} { // "in the red one" is the bowl, not the block
		names := in.v.Match(p, scene, func(o *robot.Object) bool {
			goal, ok := in.goal(thing, o.Name, prep, scene)
			return ok && o.Name != thing && (!literal || prep == "" || prep == "to" || goal[0].Name == prep)
		})
		if len(names) > 0 {
			return names
		}
	}
	if places := in.v.Places(p, scene); len(places) == 1 {
		if _, ok := in.goal(thing, places[0], prep, scene); ok {
			return places
		}
	}
	return nil
}

// homes says, for a kind of thing, which kinds of places it belongs to, the first
// that is there.
var homes = map[string][]string{
	"waste": {"bin"}, "dish": {"sink"}, "cutlery": {"sink", "drawer"}, "toy": {"basket"}, "block": {"bowl"}, "fruit": {"basket"},
}

// belongs gives where the object belongs: the place for its kind, or else a
// surface that is not one of those that are cleared.
func (in *Interpreter) belongs(name string, cleared []string, scene *robot.Scene) string {
	o, ok := scene.Find(name)
	if !ok {
		return ""
	}
	now := o.On + o.In
	var free, any string
	for _, kind := range append(slices.Clone(homes[o.Kind]), "surface") {
		for i := range scene.Objects {
			p := &scene.Objects[i]
			if p.Kind != kind || kind == "surface" && slices.Contains(cleared, p.Name) {
				continue
			}
			if _, fits := in.goal(name, p.Name, "", scene); !fits {
				continue
			}
			if p.Name == now {
				return now
			}
			if any == "" {
				any = p.Name
			}
			if free == "" && (robot.Predicate{Name: "clear", Args: []string{p.Name}}).Holds(nil, scene) {
				free = p.Name
			}
		}
		if under, ok := scene.Find(now); ok && kind == "surface" && under.Kind == kind && !slices.Contains(cleared, now) {
			return now
		}
		if free != "" && kind != "surface" {
			return free
		}
		if any != "" {
			return any
		}
	}
	return ""
}

// homely says whether the kind has a place of its own.
func homely(kind string) bool { return homes[kind] != nil }
