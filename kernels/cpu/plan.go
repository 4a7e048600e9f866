package cpu

import (
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

// align is the size of a cache line and of the widest vector.
const align = 64

// schedule puts the ops into an order in which they can run.
func (l *lowering) schedule() ([]*op, error) {
	order, err := plan.Order(l.steps(l.ops))
	if err != nil {
		return nil, err
	}
	ops := make([]*op, len(order))
	for i, at := range order {
		ops[i] = l.ops[at]
	}
	return ops, nil
}

// arena lays every buffer that ops use, states and constants aside, into one block.
func (l *lowering) arena(ops []*op) plan.Layout {
	var inputs []value
	for v := value(1); int(v) < l.Graph.Values(); v++ {
		if l.info(v).Kind == kernels.IsInput {
			inputs = append(inputs, v)
		}
	}
	return plan.Lay(l.steps(ops), l.roots(inputs), l.roots(l.Outputs), align, func(root value) (int, bool) {
		return l.bytes[root], l.info(root).Kind != kernels.IsState && l.consts[root] == nil
	})
}

func (l *lowering) steps(ops []*op) []plan.Step {
	steps := make([]plan.Step, len(ops))
	for i, o := range ops {
		steps[i] = plan.Step{First: o.first, Reads: l.roots(o.reads), Writes: l.roots(o.writes), Scratch: l.roots(o.scratch), States: o.states}
	}
	return steps
}

func (l *lowering) roots(values []value) []value {
	roots := make([]value, len(values))
	for i, v := range values {
		roots[i] = l.places[v].root
	}
	return roots
}
