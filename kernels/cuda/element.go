package cuda

import "github.com/kuai-robot/kuai/kernels"

type activateEach struct {
	kernels.Activate
	to value
}

func (a *activateEach) load(*executable) error { return nil }

func (a *activateEach) command(r *recorder) Command {
	c := cActivate{x: r.mat(a.X), to: r.mat(a.to), scalars: r.scalars, act: int32(a.Act)}
	n := r.elements(a.X)
	return Command{Kernel: "activate_each", Grid: r.across(n, 256), Block: 256, Params: raw(&c), Cost: Cost{Bytes: 8 * float64(n), Operations: 10 * float64(n)}}
}

type binaryEach struct {
	kernels.Binary
	to value
}

func (b *binaryEach) load(*executable) error { return nil }

func (b *binaryEach) command(r *recorder) Command {
	xRows, xCols := r.Size(b.X)
	yRows, yCols := r.Size(b.Y)
	c := cBinary{
		x: r.mat(b.X), y: r.mat(b.Y), to: r.mat(b.to), scalars: r.scalars, kind: int32(b.Kind), act: int32(b.Act),
		yRow: flag(xRows == yRows), yCol: flag(xCols == yCols),
	}
	n := r.elements(b.X)
	return Command{Kernel: "binary_each", Grid: r.across(n, 256), Block: 256, Params: raw(&c), Cost: Cost{Bytes: 12 * float64(n), Operations: 4 * float64(n)}}
}
