package cuda

import "github.com/kuai-robot/kuai/kernels"

// picture is what both kernels know of the camera's picture and of the resized one.
func (r *recorder) picture(op kernels.Resize) cPicture {
	return cPicture{
		x: r.at(op.X), across: r.at(op.Across), down: r.at(op.Down), scalars: r.scalars, width: int32(op.Width.ID),
		channels: int32(r.Info(op.X).Shape.Cols()), acrossLd: int32(r.Info(op.Across).Shape.Cols()), downLd: int32(r.Info(op.Down).Shape.Cols()),
		outHeight: int32(r.Info(op.Down).Shape[0].Max()), outWidth: int32(r.Info(op.Across).Shape[0].Max()),
	}
}

// cost reads each pixel once; the largest picture that was asked for has the most.
func (r *recorder) resizeCost(op kernels.Resize, n, bytes int) Cost {
	pixels := r.elements(op.X)
	return Cost{Bytes: float64(pixels + n*bytes), Operations: 2 * float64(pixels)}
}

type resizeBytes struct {
	kernels.Resize
	to value
}

func (o *resizeBytes) load(*executable) error { return nil }

func (o *resizeBytes) command(r *recorder) Command {
	c := cResize{from: r.picture(o.Resize), to: r.at(o.to)}
	n := r.elements(o.to)
	return Command{Kernel: "resize_bytes", Grid: r.across(n, 256), Block: 256, Params: raw(&c), Cost: r.resizeCost(o.Resize, n, 1)}
}

// resizeWindows are the windows of a Conv2D of the resized picture.
type resizeWindows struct{ windows }

func (o *resizeWindows) command(r *recorder) Command {
	c := cResizeWindows{
		from: r.picture(*o.Resize), to: r.mat(o.To), scale: o.scale, shift: o.shift, kh: int32(o.W.Shape[2]), kw: int32(o.W.Shape[3]),
		stride: int32(max(1, o.Stride)), padding: int32(o.Padding), placesWide: int32(o.Wide),
	}
	n := r.elements(o.To)
	return Command{Kernel: "resize_windows", Grid: r.across(n, 256), Block: 256, Params: raw(&c), Cost: r.resizeCost(*o.Resize, n, 4)}
}
