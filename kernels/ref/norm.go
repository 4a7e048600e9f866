package ref

import (
	"math"

	"github.com/kuai-robot/kuai/kernels"
)

func (e *executable[T]) norm(op kernels.Norm, out kernels.Value) step[T] {
	gain, bias := e.weight(op.Gain, kernels.Float32), e.weight(op.Bias, kernels.Float32)
	rows, cols := e.size(op.X)
	groups := max(1, op.Groups)
	n := cols / groups
	return func(in *instance[T], s *kernels.Scalars) {
		for i := range rows.At(s) * groups {
			x, y := in.f32[op.X][i*n:(i+1)*n], in.f32[out][i*n:(i+1)*n]
			mean, scale := moments[T](op.Kind, x, T(op.Epsilon))
			for j, v := range x {
				r := (T(v) - mean) * scale
				if gain != nil {
					r *= T(op.GainOffset) + T(gain[j])
				}
				if bias != nil {
					r += T(bias[j])
				}
				y[j] = float32(r)
			}
		}
	}
}

// moments gives what to subtract and then to multiply with.
func moments[T real](kind kernels.NormKind, x []float32, epsilon T) (mean, scale T) {
	var sum, squares T
	if kind == kernels.Layer {
		for _, v := range x {
			sum += T(v)
		}
		mean = sum / T(len(x))
	}
	for _, v := range x {
		d := T(v) - mean
		squares += d * d
	}
	if kind == kernels.L2 {
		return 0, 1 / max(T(math.Sqrt(float64(squares))), epsilon)
	}
	return mean, 1 / T(math.Sqrt(float64(squares/T(len(x))+epsilon)))
}

func (e *executable[T]) rope(op kernels.RoPE, out kernels.Value) step[T] {
	rows, cols := e.size(op.X)
	head := cols / op.Heads
	frequencies := frequenciesOf(op, head)
	half := len(frequencies)
	return func(in *instance[T], s *kernels.Scalars) {
		for r := range rows.At(s) {
			position := float64(in.i32[op.Positions][r])
			for at := r * cols; at < (r+1)*cols; at += head {
				x, y := in.f32[op.X][at:at+head], in.f32[out][at:at+head]
				copy(y, x)
				for i, f := range frequencies {
					a, b := i, i+half
					if op.Interleaved {
						a, b = 2*i, 2*i+1
					}
					sin, cos := math.Sincos(position * f)
					y[a] = float32(T(x[a])*T(cos) - T(x[b])*T(sin))
					y[b] = float32(T(x[a])*T(sin) + T(x[b])*T(cos))
				}
			}
		}
	}
}

// frequenciesOf gives the angle by which each pair of a head turns per position.
func frequenciesOf(op kernels.RoPE, head int) []float64 {
	dims, scale := op.Dims, float64(op.Scale)
	if dims == 0 {
		dims = head
	}
	if scale == 0 {
		scale = 1
	}
	out := make([]float64, dims/2)
	for i := range out {
		out[i] = scale * math.Pow(float64(op.Base), -2*float64(i)/float64(dims))
	}
	if op.Factors != nil {
		for i, f := range op.Factors.Float32() {
			out[i] /= float64(f)
		}
	}
	return out
}

func (e *executable[T]) softmax(op kernels.Softmax, out kernels.Value) step[T] {
	rows, cols := e.size(op.X)
	return func(in *instance[T], s *kernels.Scalars) {
		for r := range rows.At(s) {
			x, y := in.f32[op.X][r*cols:(r+1)*cols], in.f32[out][r*cols:(r+1)*cols]
			top, sum := logSum[T](x)
			for i, v := range x {
				if op.Log {
					y[i] = float32(T(v) - top - T(math.Log(float64(sum))))
				} else {
					y[i] = float32(exp(T(v)-top) / sum)
				}
			}
		}
	}
}

// logSum gives the largest element and the sum of exponentials relative to it.
func logSum[T real](x []float32) (top, sum T) {
	top = T(x[0])
	for _, v := range x {
		top = max(top, T(v))
	}
	for _, v := range x {
		sum += exp(T(v) - top)
	}
	return top, sum
}

func (e *executable[T]) logProb(op kernels.LogProb, out kernels.Value) step[T] {
	_, cols := e.size(op.X)
	n := e.graph.Shape(op.Rows)[0]
	return func(in *instance[T], s *kernels.Scalars) {
		for i := range n.At(s) {
			r := int(in.i32[op.Rows][i])
			x := in.f32[op.X][r*cols : (r+1)*cols]
			top, sum := logSum[T](x)
			in.f32[out][i] = float32(T(x[in.i32[op.Cols][i]]) - top - T(math.Log(float64(sum))))
		}
	}
}
