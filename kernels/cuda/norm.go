package cuda

import "github.com/kuai-robot/kuai/kernels"

// normOf is a norm, alone or in a product; nil is none.
type normOf struct {
	kernels.Norm
	device cNorm
}

// load puts the gain, its offset added, and the bias on the device.
func (n *normOf) load(e *executable) (err error) {
	n.device = cNorm{kind: int32(n.Kind), epsilon: n.Epsilon}
	if n.Gain != nil {
		gain := n.Gain.Float32()
		for i := range gain {
			gain[i] += n.GainOffset
		}
		if n.device.gain, err = e.floats(gain); err != nil {
			return err
		}
	}
	if n.Bias != nil {
		n.device.bias, err = e.floats(n.Bias.Float32())
	}
	return err
}

// param is the norm as kernels want it.
func (n *normOf) param() cNorm {
	if n == nil {
		return cNorm{kind: -1}
	}
	return n.device
}

// normRows is a Norm that no product has taken in.
type normRows struct {
	normOf
	to value
}

func (n *normRows) command(r *recorder) Command {
	rows, cols := r.Size(n.X)
	groups := max(1, n.Groups)
	c := cNormOf{x: r.mat(n.X), to: r.mat(n.to), norm: n.device, scalars: r.scalars, groups: int32(groups)}
	return Command{
		Kernel: "norm_rows", Grid: [3]int{ceil(r.bound(rows)*groups, 4), 1, 1}, Block: 128, Params: raw(&c),
		Cost: Cost{Bytes: 8 * float64(r.bound(rows)*cols), Operations: 8 * float64(r.bound(rows)*cols)},
	}
}
