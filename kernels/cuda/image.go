package cuda

import (
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

// windows are the places of a Conv2D's kernel as rows.
type windows struct {
	plan.Windows
	scale, shift Ptr
}

// newWindows cuts a picture, or one that is resized in the same launch.
func newWindows(planned plan.Windows) work {
	w := windows{Windows: planned}
	if planned.Resize != nil {
		return &resizeWindows{w}
	}
	return &w
}

// load puts the factors of bytes on the device.
func (o *windows) load(e *executable) (err error) {
	channels := o.W.Shape[1]
	scale, shift := o.PixelScale, o.PixelShift
	if scale == nil {
		scale = make([]float32, channels)
		for i := range scale {
			scale[i] = 1
		}
	}
	if shift == nil {
		shift = make([]float32, channels)
	}
	if o.scale, err = e.floats(scale); err != nil {
		return err
	}
	o.shift, err = e.floats(shift)
	return err
}

func (o *windows) command(r *recorder) Command {
	info := r.Info(o.X)
	c := cWindows{
		x: r.at(o.X), to: r.mat(o.To), scale: o.scale, shift: o.shift, bytes: flag(info.Type == kernels.U8),
		height: int32(info.Shape[0].Max()), width: int32(info.Shape[1].Max()), channels: int32(info.Shape[2].Max()),
		kh: int32(o.W.Shape[2]), kw: int32(o.W.Shape[3]), stride: int32(max(1, o.Stride)), padding: int32(o.Padding), outWidth: int32(o.Wide),
	}
	n := r.elements(o.To)
	size, _ := info.Type.RowBytes(info.Shape.MaxLen())
	return Command{
		Kernel: "image_windows", Grid: r.across(n, 256), Block: 256, Params: raw(&c),
		Cost: Cost{Bytes: 4*float64(n) + float64(size), Operations: 2 * float64(n)},
	}
}

type maxPool struct {
	kernels.MaxPool2D
	to value
}

func (o *maxPool) load(*executable) error { return nil }

func (o *maxPool) command(r *recorder) Command {
	from, to := r.Info(o.X).Shape, r.Info(o.to).Shape
	c := cMaxPool{
		x: r.at(o.X), to: r.at(o.to), height: int32(from[0].Max()), width: int32(from[1].Max()), channels: int32(from[2].Max()),
		kernel: int32(o.Kernel), stride: int32(max(1, o.Stride)), padding: int32(o.Padding),
		outHeight: int32(to[0].Max()), outWidth: int32(to[1].Max()),
	}
	n := r.elements(o.to)
	return Command{Kernel: "image_max", Grid: r.across(n, 256), Block: 256, Params: raw(&c), Cost: Cost{Bytes: 4 * float64(n+from.MaxLen())}}
}
