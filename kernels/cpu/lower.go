package cpu

// #include "kc.h"
import "C"

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

// value is a graph's value, or one that lowering adds after them.
type value = plan.Value

// align is the size of a cache line and of the widest vector.
const align = 64

// widestHead bounds the channels of a head that turns.
const widestHead = 1024

// lowering is a graph as steps, with the buffers that they need on the processor.
type lowering struct{ *plan.Lowering }

// lower turns a graph into steps, in the order in which they run. halves says that
// what is to be multiplied in bf16 is so in f16.
func lower(g *kernels.Graph, options kernels.Options, halves bool) (*lowering, error) {
	planned, err := plan.Lower(g, options, plan.Rules{
		Form: func(w *kernels.Weight, p kernels.Precision, windows bool) plan.Form {
			return formOf(w, p, windows, halves)
		},
		Group: func(f plan.Form) plan.Form { return plan.Form(formatOf(f)) },
		Turns: 1,
	})
	if err != nil {
		return nil, err
	}
	l := &lowering{planned}
	for _, s := range l.Steps {
		if turn, ok := s.Work.(*plan.Turn); ok {
			if op := turn.Turns[0]; l.Shape(op.X).Cols()/op.Heads > widestHead {
				return nil, fmt.Errorf("RoPE: a head of %d channels, at most %d", l.Shape(op.X).Cols()/op.Heads, widestHead)
			}
		}
		if n := l.scratchBytes(s.Work); n > 0 {
			s.Scratch = []value{l.Buffer(n)}
		}
	}
	return l, l.Schedule()
}

// scratchBytes is the memory that a step needs while it runs.
func (l *lowering) scratchBytes(work any) int {
	switch w := work.(type) {
	case *plan.Product: // rows normalised or rounded
		if format := C.int32_t(w.Group); format != C.KC_X_F32 || w.Norm != nil {
			return int(C.kc_prepared_bytes(format, C.int32_t(w.Cols), C.int64_t(w.Rows.Max())))
		}
	case plan.Attend: // keys in the order of the vectors
		if rows, _ := l.Size(w.Q); rows.Max()*w.Heads/w.KVHeads > 1 {
			return int(C.kc_attention_bytes(C.int32_t(w.Head), C.int32_t(w.KVHeads), C.int64_t(w.Keys.Max())))
		}
	case plan.Cells: // a row, and the sums of its gates
		hidden := w.WH.Cols()
		return int(C.kc_prepared_bytes(formatOf(w.Key.Form), C.int32_t(hidden), 1)) + 4*(4*hidden+C.KC_PANEL)
	case plan.Plain:
		if op, ok := w.Op.(kernels.Sample); ok { // a row of logits
			return 4 * l.Info(op.X).Shape.Cols()
		}
	}
	return 0
}

// notKnown is the error of an operator that is new to this backend.
func notKnown(what any) error { return fmt.Errorf("%T is not an operator that cpu knows", what) }
