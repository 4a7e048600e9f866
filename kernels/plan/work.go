package plan

import (
	"math"

	"github.com/kuai-robot/kuai/kernels"
)

// What steps do, beside *Product.
type (
	// Plain is an operator that is computed as it stands.
	Plain struct {
		Op kernels.Op
		To Value
	}
	// Copy is the step of Concat and of slices that cannot be views.
	Copy struct {
		From, To Value
		After    kernels.Dim // rows of To before the first
	}
	// Keep is a Store that no other step has taken in.
	Keep struct {
		From, To Value
		Row      kernels.Scalar
	}
	// PadRows puts rows before those of From, zeros or their mirror image, and
	// after them where To is longer.
	PadRows struct {
		From, To Value
		Left     int
		Mirror   bool
	}
	// Windows are the places of a Conv2D's kernel as rows; with Resize the picture
	// is resized as it is read.
	Windows struct {
		kernels.Conv2D
		To     Value
		Wide   int // places from left to right
		Resize *kernels.Resize
	}
	// Table computes cosines and sines.
	Table struct {
		Positions   Value
		Frequencies []float64
		To          Value
	}
	// Turn is one RoPE, or several of one table, each perhaps into a state.
	Turn struct {
		Turns       []kernels.RoPE
		To          []Value
		Row         []kernels.Scalar
		Table       Value
		Interleaved bool
	}
	// Attend is an Attention.
	Attend struct {
		kernels.Attention
		To   Value
		Keys kernels.Dim // rows of K
		Head int         // channels of a head
	}
	// Cells is an LSTM whose products with its input are computed.
	Cells struct {
		kernels.LSTM
		Gates, To Value
		Key       Key // of WH
		Limit     float32
	}
)

// frequencies gives the angle by which each pair turns per position.
func frequencies(op kernels.RoPE, dims int) []float64 {
	scale := float64(op.Scale)
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

// sum adds two biases, each of which may be absent.
func sum(a, b *kernels.Weight) []float32 {
	switch {
	case a == nil && b == nil:
		return nil
	case a == nil:
		return b.Float32()
	case b == nil:
		return a.Float32()
	}
	out := a.Float32()
	for i, v := range b.Float32() {
		out[i] += v
	}
	return out
}
