package ref

import "github.com/kuai-robot/kuai/kernels"

// A convolution gathers each window into a row, in the order of the weight
// (channel, then place in the kernel), and multiplies it.

func (e *executable[T]) conv1D(op kernels.Conv1D, out kernels.Value) step[T] {
	p := e.product(op.W, op.Bias, op.Act)
	frames, channels := e.size(op.X)
	places, outputs := e.size(out)
	kernel, stride := op.W.Shape[2], max(1, op.Stride)
	return func(in *instance[T], s *kernels.Scalars) {
		x, window := in.f32[op.X], in.narrow[p.inputs:2*p.inputs]
		for o := range places.At(s) {
			clear(window)
			for k := range kernel {
				t := o*stride + k - op.Padding - op.Left
				if t < 0 || t >= frames.At(s) {
					continue
				}
				for c := range channels {
					window[c*kernel+k] = x[t*channels+c]
				}
			}
			p.row(in.f32[out][o*outputs:(o+1)*outputs], p.prepare(in.narrow, window))
		}
	}
}

func (e *executable[T]) conv2D(op kernels.Conv2D, out kernels.Value) step[T] {
	p := e.product(op.W, op.Bias, op.Act)
	info, result := e.graph.Info(op.X), e.graph.Shape(out)
	height, width, channels := info.Shape[0].Max(), info.Shape[1].Max(), info.Shape[2].Max()
	kh, kw, stride, outputs := op.W.Shape[2], op.W.Shape[3], max(1, op.Stride), result.Cols()
	pixel := func(in *instance[T], at, c int) float32 {
		if info.Type == kernels.F32 {
			return in.f32[op.X][at]
		}
		x := float32(in.bytes[op.X][at])
		if op.PixelScale != nil {
			x *= op.PixelScale[c]
		}
		if op.PixelShift != nil {
			x += op.PixelShift[c]
		}
		return x
	}
	return func(in *instance[T], _ *kernels.Scalars) {
		window := in.narrow[p.inputs : 2*p.inputs]
		for o := range result[0].Max() * result[1].Max() {
			top, left := o/result[1].Max()*stride-op.Padding, o%result[1].Max()*stride-op.Padding
			for i := range window {
				c, y, x := i/(kh*kw), top+i/kw%kh, left+i%kw
				window[i] = 0
				if y >= 0 && y < height && x >= 0 && x < width {
					window[i] = pixel(in, (y*width+x)*channels+c, c)
				}
			}
			p.row(in.f32[out][o*outputs:(o+1)*outputs], p.prepare(in.narrow, window))
		}
	}
}

// maxPool takes the largest of the places inside the image; padding never wins.
func (e *executable[T]) maxPool(op kernels.MaxPool2D, out kernels.Value) step[T] {
	from, to := e.graph.Shape(op.X), e.graph.Shape(out)
	height, width, channels := from[0].Max(), from[1].Max(), from[2].Max()
	stride := max(1, op.Stride)
	return func(in *instance[T], _ *kernels.Scalars) {
		x, dst := in.f32[op.X], in.f32[out]
		for i := range to.MaxLen() {
			c, o := i%channels, i/channels
			top, left := o/to[1].Max()*stride-op.Padding, o%to[1].Max()*stride-op.Padding
			first := true
			for row := max(0, top); row < min(height, top+op.Kernel); row++ {
				for col := max(0, left); col < min(width, left+op.Kernel); col++ {
					v := x[(row*width+col)*channels+c]
					if first || v > dst[i] {
						dst[i], first = v, false
					}
				}
			}
		}
	}
}
