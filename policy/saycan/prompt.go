package saycan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// Prompt is the form in which an instruction is put to the model. Preamble is
// the same for every call, so that the model reads it once and keeps it in its
// cache; what differs stands at the end.
type Prompt struct {
	// Preamble holds worked examples in the form that Build continues.
	Preamble string
	// Objects says whether a line names what is in the scene.
	Objects bool
	// Places says whether a line tells from left to right what is there and on or
	// in what: the form that adapters are trained on (train/planner).
	Places bool
	// Rooms says whether a line tells where the robot stands and place by place
	// what is there: the form of Places for a robot on wheels.
	Rooms bool
	// Within is how far the model is held to the options (see Options).
	Within float64
}

// DefaultPrompt teaches the form by examples of a household; none of them uses
// the objects of the tabletop. The examples, their order and Within are those of
// many tried with which SmolLM2-135M-Instruct planned most of
// sim/eval/testdata/development.jsonl right; a line of objects made it worse.
func DefaultPrompt() Prompt { return Prompt{Preamble: preamble, Within: 0.5} }

// AdapterPrompt is the bare form that train/planner trains adapters on. Holding the
// model to the options makes no difference on sim/eval/testdata/development.jsonl.
func AdapterPrompt() Prompt { return Prompt{Places: true} }

// HouseholdPrompt is AdapterPrompt for a robot that drives from place to place.
func HouseholdPrompt() Prompt { return Prompt{Rooms: true} }

const preamble = `A robot follows instructions. It writes down each step and ends with done.

Instruction: thank you, that is all
1. done

Instruction: put the white spoon in the grey box
1. pick up the white spoon
2. place the white spoon in the grey box
3. done

Instruction: do not touch the brown cup
1. done

Instruction: put the brown cup in the white box
1. pick up the brown cup
2. place the brown cup in the white box
3. done

Instruction: grab the black spoon
1. pick up the black spoon
2. done

Instruction: the pink one goes in the black one
1. pick up the pink cup
2. place the pink cup in the black box
3. done

Instruction: drop the grey mug into the orange container
1. pick up the grey cup
2. place the grey cup in the orange box
3. done

Instruction: stack the pink plate on the white plate
1. pick up the pink plate
2. place the pink plate on the white plate
3. done

Instruction: lift the orange plate
1. pick up the orange plate
2. done

Instruction: can I have the white spoon
1. pick up the white spoon
2. done

Instruction: the white cup belongs next to the brown plate
1. pick up the white cup
2. place the white cup next to the brown plate
3. done

Instruction: take the orange spoon out of the brown cup
1. pick up the orange spoon
2. place the orange spoon on the shelf
3. done

Instruction: put a plate in the brown box, but not the grey plate
1. pick up the orange plate
2. place the orange plate in the brown box
3. done

Instruction: tidy the kitchen
1. pick up the grey cup
2. place the grey cup in the white box
3. pick up the pink plate
4. place the pink plate in the white box
5. done

Instruction: put the pink spoon in the black box, then the white spoon in the brown cup
1. pick up the pink spoon
2. place the pink spoon in the black box
3. pick up the white spoon
4. place the white spoon in the brown cup
5. done

Instruction: put the grey spoon next to the white plate
1. pick up the grey spoon
2. place the grey spoon next to the white plate
3. done

Instruction: slide the black box to the right
1. push the black box to the right
2. done

`

// Opening gives what a prompt begins with whatever is asked for: the preamble and
// the line about the scene. It is empty where neither is part of the form.
func (p *Prompt) Opening(scene *robot.Scene) string {
	var b strings.Builder
	b.WriteString(p.Preamble)
	if p.Objects {
		b.WriteString("Objects: ")
		for i := range scene.Objects {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(scene.Objects[i].Name)
		}
		b.WriteString("\n")
	}
	if p.Places {
		b.WriteString(places(scene) + "\n")
	}
	if p.Rooms {
		b.WriteString(rooms(scene) + "\n")
	}
	return b.String()
}

// Build gives the text that the model reads before it continues with a phrase:
// the opening, the instruction on one line, the steps done so far, and the
// number of the next. Line breaks in the instruction become spaces, so that
// what a person says cannot pose as a step.
func (p *Prompt) Build(scene *robot.Scene, instruction string, done []string) string {
	var b strings.Builder
	b.WriteString(p.Opening(scene))
	b.WriteString("Instruction: ")
	b.WriteString(strings.Join(strings.Fields(instruction), " "))
	b.WriteString("\n")
	for i, phrase := range done {
		b.WriteString(strconv.Itoa(i+1) + ". " + phrase + terminator)
	}
	b.WriteString(strconv.Itoa(len(done)+1) + ".")
	return b.String()
}

// places lists the objects from left to right as the robot sees them, y in its
// base frame being to the left; what lies on the table is named alone.
func places(scene *robot.Scene) string {
	objects := slices.Clone(scene.Objects)
	slices.SortStableFunc(objects, func(a, b robot.Object) int { return cmp.Compare(b.Pose.Position[1], a.Pose.Position[1]) })
	var parts []string
	for i := range objects {
		o := &objects[i]
		if !skill.PlainName(o.Name) {
			continue // no option has it, and it could say anything
		}
		part := o.Name
		switch {
		case o.Held:
			part += " held"
		case o.In != "":
			part += " in " + o.In
		case o.On != "" && o.On != table:
			part += " on " + o.On
		}
		parts = append(parts, part)
	}
	return "Left to right: " + strings.Join(parts, ", ")
}

// table is what things rest on that rest on nothing else.
const table = "table"
