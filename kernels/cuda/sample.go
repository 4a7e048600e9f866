package cuda

import (
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

// sample chooses tokens, with memory for the logits and weights of its rows.
type sample struct {
	kernels.Sample
	to, weights, logits value
}

func (l *lowering) sample(op kernels.Sample, out value, s *plan.Step) *sample {
	bytes := 4 * l.Info(op.X).Shape.MaxLen()
	return &sample{op, out, l.scratch(s, bytes), l.scratch(s, bytes)}
}

func (s *sample) load(*executable) error { return nil }

func (s *sample) command(r *recorder) Command {
	c := cSample{
		x: r.mat(s.X), recent: r.at(s.Recent), how: r.at(s.How), to: r.at(s.to), weights: r.at(s.weights), logits: r.at(s.logits),
		scalars: r.scalars, n: dimOf(r.Info(s.Recent).Shape[0]),
	}
	rows, _ := r.Size(s.X)
	n := float64(r.elements(s.X))
	return Command{
		Kernel: "sample_rows", Grid: [3]int{max(1, r.bound(rows)), 1, 1}, Block: 512, Params: raw(&c),
		Cost: Cost{Bytes: 4 * n, Operations: 10 * n},
	}
}
