package cuda

import "github.com/kuai-robot/kuai/kernels"

const softmaxThreads = 256

type softmax struct {
	kernels.Softmax
	to value
}

func (s *softmax) load(*executable) error { return nil }

func (s *softmax) command(r *recorder) Command {
	rows, cols := r.Size(s.X)
	c := cSoftmax{x: r.mat(s.X), to: r.mat(s.to), scalars: r.scalars, log: flag(s.Log)}
	n := float64(r.bound(rows) * cols)
	return Command{
		Kernel: "softmax_rows", Grid: [3]int{max(1, r.bound(rows)), 1, 1}, Block: softmaxThreads, Params: raw(&c),
		Cost: Cost{Bytes: 8 * n, Operations: 10 * n},
	}
}

type logProb struct {
	kernels.LogProb
	to value
}

func (s *logProb) load(*executable) error { return nil }

func (s *logProb) command(r *recorder) Command {
	rows, cols := r.Size(s.X)
	c := cLogProb{x: r.mat(s.X), to: r.at(s.to), rows: r.at(s.Rows), cols: r.at(s.Cols), n: dimOf(r.Info(s.Rows).Shape[0]), scalars: r.scalars}
	n := float64(r.bound(rows) * cols)
	return Command{
		Kernel: "logprob", Grid: [3]int{max(1, r.bound(rows)), 1, 1}, Block: softmaxThreads, Params: raw(&c),
		Cost: Cost{Bytes: 4 * n, Operations: 5 * n},
	}
}
