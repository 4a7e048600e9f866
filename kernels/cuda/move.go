package cuda

import (
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

type embedRows struct {
	kernels.Embed
	to    value
	table cMatrix
}

func (o *embedRows) key() packKey { return packKey{Weight: o.Table, Form: plan.Form(o.Table.Type)} }

func (o *embedRows) load(e *executable) (err error) {
	o.table, err = e.pack(o.key())
	return err
}

func (o *embedRows) command(r *recorder) Command {
	c := cEmbed{table: o.table, to: r.mat(o.to), ids: r.at(o.IDs), scalars: r.scalars, kind: int32(o.Table.Type), scale: o.Scale}
	if o.Scale == 0 {
		c.scale = 1
	}
	rows, cols := r.Size(o.to)
	n := float64(r.bound(rows) * cols)
	return Command{
		Kernel: "embed_rows", Grid: [3]int{max(1, r.bound(rows)), 1, 1}, Block: 128, Params: raw(&c),
		Cost: Cost{Bytes: 4*n + n*float64(packedBytes(o.key()))/float64(o.Table.Len()), Operations: 4 * n},
	}
}

type gather struct {
	kernels.Gather
	to value
}

func (o *gather) load(*executable) error { return nil }

func (o *gather) command(r *recorder) Command {
	c := cGather{x: r.mat(o.X), to: r.mat(o.to), ids: r.at(o.Rows), scalars: r.scalars}
	rows, _ := r.Size(o.to)
	return Command{
		Kernel: "gather_rows", Grid: [3]int{max(1, r.bound(rows)), 1, 1}, Block: 128, Params: raw(&c),
		Cost: Cost{Bytes: 8 * float64(r.elements(o.to))},
	}
}

// copyRows is the launch of Concat, of Store, and of slices that cannot be views.
type copyRows struct {
	from, to value
	after    kernels.Dim // rows of to before the first
	row      kernels.Scalar
}

func (o *copyRows) load(*executable) error { return nil }

func (o *copyRows) command(r *recorder) Command {
	c := cCopy{
		x: r.mat(o.from), to: r.at(o.to), after: dimOf(o.after), toLd: int32(r.Places[o.to].Ld), row: int32(o.row.ID),
		typ: int32(r.Info(o.to).Type), scalars: r.scalars,
	}
	n := r.elements(o.from)
	return Command{Kernel: "copy_rows", Grid: r.across(n, 256), Block: 256, Params: raw(&c), Cost: Cost{Bytes: 8 * float64(n)}}
}

type padRows struct{ plan.PadRows }

func (o *padRows) load(*executable) error { return nil }

func (o *padRows) command(r *recorder) Command {
	c := cPad{x: r.mat(o.From), to: r.mat(o.To), scalars: r.scalars, left: int32(o.Left), mirror: flag(o.Mirror)}
	n := r.elements(o.To)
	return Command{Kernel: "pad_rows", Grid: r.across(n, 256), Block: 256, Params: raw(&c), Cost: Cost{Bytes: 8 * float64(n)}}
}
