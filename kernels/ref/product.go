package ref

import (
	"math"

	"github.com/kuai-robot/kuai/kernels"
)

// product is a matrix, rounded, and how the rows that it multiplies are rounded.
type product[T real] struct {
	w          []float32 // [outputs, inputs]
	bias       []float32 // nil, or [outputs]
	act        kernels.Activation
	mode       kernels.Precision // Stored: per 32; Int8: per row
	fixedRange float32           // of Int8; 0 where each row has its own
	inputs     int
}

// product prepares the matrix w; what prepare writes needs inputs numbers of
// narrow scratch.
func (e *executable[T]) product(w, bias *kernels.Weight, act kernels.Activation) *product[T] {
	mode := e.options.Of(w)
	switch {
	case e.backend.exact:
		mode = kernels.Float32
	case mode == kernels.Stored && w.Type == kernels.I8:
		mode = kernels.Int8
	}
	e.needNarrow(2 * w.Cols())
	return &product[T]{
		w: e.weight(w, mode), bias: e.weight(bias, kernels.Float32), act: act,
		mode: mode, fixedRange: e.options.Range(w), inputs: w.Cols(),
	}
}

// roundWeight rounds a decoded weight to what the mode multiplies with.
func roundWeight(data []float32, w *kernels.Weight, mode kernels.Precision) {
	switch {
	case mode == kernels.BFloat16:
		roundBrain(data, data)
	case mode == kernels.Int8:
		for n := w.Cols(); len(data) > 0; data = data[n:] {
			roundInt8(data[:n], data[:n], 0)
		}
	}
}

// prepare rounds a row of x to what the mode multiplies with.
func (p *product[T]) prepare(scratch, x []float32) []float32 {
	out := scratch[:len(x)]
	switch p.mode {
	case kernels.BFloat16:
		roundBrain(out, x)
	case kernels.Int8:
		roundInt8(out, x, p.fixedRange)
	case kernels.Stored:
		for i := 0; i < len(x); i += 32 {
			end := min(i+32, len(x))
			roundInt8(out[i:end], x[i:end], 0)
		}
	default:
		return x
	}
	return out
}

// row is act(x·wᵀ + bias), x prepared.
func (p *product[T]) row(dst, x []float32) {
	for n := range dst {
		sum := dot[T](x, p.w[n*p.inputs:])
		if p.bias != nil {
			sum += T(p.bias[n])
		}
		dst[n] = float32(apply(p.act, sum))
	}
}

func dot[T real](a, b []float32) T {
	var sum T
	for i, x := range a {
		sum += T(x) * T(b[i])
	}
	return sum
}

func roundBrain(dst, src []float32) {
	for i, x := range src {
		dst[i] = math.Float32frombits(uint32(kernels.FloatToBrain(x)) << 16)
	}
}

// roundInt8 rounds to multiples of limit/127; limit 0 means the largest
// magnitude there is. An infinite number becomes none: clipped to a fixed limit it
// would look like any other.
func roundInt8(dst, src []float32, limit float32) {
	if limit == 0 {
		for _, x := range src {
			limit = max(limit, float32(math.Abs(float64(x))))
		}
	}
	scale := limit / 127
	for i, x := range src {
		if scale == 0 {
			dst[i] = 0
			continue
		}
		q := math.RoundToEven(float64(x / scale))
		dst[i] = float32(min(max(q, -127), 127))*scale + x*0
	}
}

func (e *executable[T]) matMul(op kernels.MatMul, out kernels.Value) step[T] {
	p := e.product(op.W, op.Bias, op.Act)
	rows, inputs := e.size(op.X)
	outputs := op.W.Rows()
	return func(in *instance[T], s *kernels.Scalars) {
		x, dst := in.f32[op.X], in.f32[out]
		for r := range rows.At(s) {
			y := dst[r*outputs : (r+1)*outputs]
			p.row(y, p.prepare(in.narrow, x[r*inputs:(r+1)*inputs]))
			if op.Residual == 0 {
				continue
			}
			for i, v := range in.f32[op.Residual][r*outputs : (r+1)*outputs] {
				y[i] += v
			}
		}
	}
}

func (e *executable[T]) lstm(op kernels.LSTM, out kernels.Value) step[T] {
	fromX := e.product(op.WX, op.BiasX, kernels.Identity)
	fromH := e.product(op.WH, op.BiasH, kernels.Identity)
	rows, inputs := e.size(op.X)
	hidden := op.WH.Cols()
	prepared := max(inputs, hidden)
	e.needNarrow(prepared + 8*hidden)
	return func(in *instance[T], s *kernels.Scalars) {
		h, c := in.f32[op.H], in.f32[op.C]
		gates := in.narrow[prepared : prepared+4*hidden]
		more := in.narrow[prepared+4*hidden:][:4*hidden]
		for r := range rows.At(s) {
			fromX.row(gates, fromX.prepare(in.narrow, in.f32[op.X][r*inputs:(r+1)*inputs]))
			fromH.row(more, fromH.prepare(in.narrow, h[:hidden]))
			for j := range hidden {
				gate := func(k int) T { return T(gates[k*hidden+j]) + T(more[k*hidden+j]) }
				cell := sigmoid(gate(1))*T(c[j]) + sigmoid(gate(0))*tanh(gate(2))
				c[j] = float32(cell)
				h[j] = float32(sigmoid(gate(3)) * tanh(cell))
			}
			copy(in.f32[out][r*hidden:], h[:hidden])
		}
	}
}
