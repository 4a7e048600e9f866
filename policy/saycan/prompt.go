package saycan

import (
	"strconv"
	"strings"

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
}

// DefaultPrompt teaches the form by examples of a household; none of them uses
// the objects of the tabletop.
func DefaultPrompt() Prompt { return Prompt{Preamble: preamble} }

// The examples cover one step, two, a stack, and nothing to do.
const preamble = `A robot follows instructions. It writes down each step and ends with done.

Instruction: put the apple in the basket
1. pick up the apple
2. place the apple in the basket
3. done

Instruction: give me the cup
1. pick up the cup
2. done

Instruction: stack the plate on the book
1. pick up the plate
2. place the plate on the book
3. done

Instruction: slide the box to the right
1. push the box to the right
2. done

Instruction: thank you, that is all
1. done

`

// Build gives the text that the model reads before it continues with a phrase:
// the preamble, the instruction on one line, the steps done so far, and the
// number of the next. Line breaks in the instruction become spaces, so that
// what a person says cannot pose as a step.
func (p *Prompt) Build(scene *robot.Scene, instruction string, done []string) string {
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
	b.WriteString("Instruction: ")
	b.WriteString(strings.Join(strings.Fields(instruction), " "))
	b.WriteString("\n")
	for i, phrase := range done {
		b.WriteString(strconv.Itoa(i+1) + ". " + phrase + terminator)
	}
	b.WriteString(strconv.Itoa(len(done)+1) + ".")
	return b.String()
}
