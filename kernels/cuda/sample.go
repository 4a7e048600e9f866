package cuda

import "github.com/kuai-robot/kuai/kernels"

// sample chooses tokens, with memory for the logits and weights of its rows.
type sample struct {
	kernels.Sample
	to, weights, logits value
}

func (l *lowering) sample(i int, op kernels.Sample, out value) {
	rows, cols := l.size(op.X)
	s := &sample{op, out, l.temp(rows, cols), l.temp(rows, cols)}
	l.add(i, s, "Sample", []value{op.X, op.Recent, op.How}, []value{out}, s.weights, s.logits)
}

func (s *sample) load(*executable) error { return nil }

func (s *sample) command(r *recorder) Command {
	c := cSample{
		x: r.mat(s.X), recent: r.at(s.Recent), how: r.at(s.How), to: r.at(s.to), weights: r.at(s.weights), logits: r.at(s.logits),
		scalars: r.scalars, n: dimOf(r.info(s.Recent).Shape[0]),
	}
	rows, _ := r.size(s.X)
	n := float64(r.elements(s.X))
	return Command{
		Kernel: "sample_rows", Grid: [3]int{max(1, r.bound(rows)), 1, 1}, Block: 512, Params: raw(&c),
		Cost: Cost{Bytes: 4 * n, Operations: 10 * n},
	}
}
