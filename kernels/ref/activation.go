package ref

import (
	"math"

	"github.com/kuai-robot/kuai/kernels"
)

// apply is the activation of one number. The transcendental functions are
// those of package math in f64, rounded to T.
func apply[T real](act kernels.Activation, x T) T {
	switch act {
	case kernels.GELU:
		return T(0.5 * float64(x) * math.Erfc(-float64(x)/math.Sqrt2))
	case kernels.GELUTanh:
		v := float64(x)
		return T(0.5 * v * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v))))
	case kernels.QuickGELU:
		return x * sigmoid(1.702*x)
	case kernels.SiLU:
		return x * sigmoid(x)
	case kernels.ReLU:
		return max(x, 0)
	case kernels.Sigmoid:
		return sigmoid(x)
	case kernels.Tanh:
		return tanh(x)
	}
	return x
}

func sigmoid[T real](x T) T { return T(1 / (1 + math.Exp(-float64(x)))) }

func tanh[T real](x T) T { return T(math.Tanh(float64(x))) }

func exp[T real](x T) T { return T(math.Exp(float64(x))) }

func (e *executable[T]) activate(op kernels.Activate, out kernels.Value) step[T] {
	rows, cols := e.size(op.X)
	return func(in *instance[T], s *kernels.Scalars) {
		dst := in.f32[out]
		for i, x := range in.f32[op.X][:rows.At(s)*cols] {
			dst[i] = float32(apply(op.Act, T(x)))
		}
	}
}

func (e *executable[T]) binary(op kernels.Binary, out kernels.Value) step[T] {
	rows, cols := e.size(op.X)
	yRows, yCols := e.size(op.Y)
	stepRow, stepCol := yCols, 1
	if yRows != rows {
		stepRow = 0
	}
	if yCols != cols {
		stepCol = 0
	}
	return func(in *instance[T], s *kernels.Scalars) {
		x, y, dst := in.f32[op.X], in.f32[op.Y], in.f32[out]
		for r := range rows.At(s) {
			for c := range cols {
				a, b := apply(op.Act, T(x[r*cols+c])), T(y[r*stepRow+c*stepCol])
				dst[r*cols+c] = float32(combine(op.Kind, a, b))
			}
		}
	}
}

func combine[T real](kind kernels.BinaryKind, a, b T) T {
	switch kind {
	case kernels.Mul:
		return a * b
	case kernels.Hypot:
		return T(math.Sqrt(float64(a*a + b*b)))
	}
	return a + b
}
