package cuda

import "github.com/kuai-robot/kuai/kernels"

type logPower struct {
	kernels.LogPower
	to value
}

func (o *logPower) load(*executable) error { return nil }

func (o *logPower) command(r *recorder) Command {
	c := cLogPower{x: r.mat(o.X), to: r.mat(o.to), scalars: r.scalars}
	n := float64(r.elements(o.X))
	return Command{Kernel: "log_power", Grid: [3]int{1, 1, 1}, Block: 1024, Params: raw(&c), Cost: Cost{Bytes: 8 * n, Operations: 12 * n}}
}
