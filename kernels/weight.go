package kernels

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Weight is a constant tensor in the format it is stored in, row-major and
// little-endian. A matrix is [outputs, inputs].
type Weight struct {
	Name   string // as in the file; errors say it
	Type   DType
	Shape  []int
	Data   []byte    // not copied; must not change until the programs that use it are compiled
	Scales []float32 // I8 only: number = byte * Scales[row]
	Range  float32   // I8 only: the largest magnitude of its product's input, as calibrated; 0: not known
	// Packed is called, if it is set, each time a backend has packed some part of
	// Data: until it is read again its memory may go back to the system.
	Packed func()
	// Hold, if it is set, keeps Data readable until what it returns is called, also
	// after the file was closed that it lies in.
	Hold func() (release func())
	// Source says where Data lies, if it is set: weights of one source, type and shape
	// hold the same numbers, and a backend packs them once.
	Source string
}

// NewWeight makes an f32 weight of numbers; for tests and computed constants.
func NewWeight(name string, numbers []float32, shape ...int) *Weight {
	data := make([]byte, 4*len(numbers))
	for i, x := range numbers {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(x))
	}
	return &Weight{Name: name, Type: F32, Shape: shape, Data: data}
}

// Rows is the first dimension, Cols the product of the others. A vector of n
// is one row of n.
func (w *Weight) Rows() int {
	if len(w.Shape) < 2 {
		return 1
	}
	return w.Shape[0]
}

// Cols is the length of a row.
func (w *Weight) Cols() int {
	if len(w.Shape) == 0 {
		return 1
	}
	if len(w.Shape) == 1 {
		return w.Shape[0]
	}
	n := 1
	for _, d := range w.Shape[1:] {
		n *= d
	}
	return n
}

// Len is the number of numbers.
func (w *Weight) Len() int { return w.Rows() * w.Cols() }

// maxWeight bounds the numbers of one weight, so that sizes cannot overflow.
const maxWeight = 1 << 34

// Check says what is wrong between type, shape and data.
func (w *Weight) Check() error {
	total := 1
	for _, d := range w.Shape {
		if d <= 0 || d > maxWeight/total {
			return fmt.Errorf("weight %s: shape %v", w.Name, w.Shape)
		}
		total *= d
	}
	row, err := w.Type.RowBytes(w.Cols())
	if err != nil {
		return fmt.Errorf("weight %s %v: %w", w.Name, w.Shape, err)
	}
	if want := row * w.Rows(); len(w.Data) != want {
		return fmt.Errorf("weight %s %v %v: %d bytes of data, want %d", w.Name, w.Type, w.Shape, len(w.Data), want)
	}
	if w.Type == I8 && len(w.Scales) != w.Rows() {
		return fmt.Errorf("weight %s %v: %d scales for %d rows", w.Name, w.Shape, len(w.Scales), w.Rows())
	}
	if !(w.Range >= 0) || w.Range > math.MaxFloat32 {
		return fmt.Errorf("weight %s: range %g, want a number that is not negative", w.Name, w.Range)
	}
	return nil
}

// Row decodes row r to dst, which holds Cols numbers.
func (w *Weight) Row(dst []float32, r int) {
	n := w.Cols()
	size, err := w.Type.RowBytes(n)
	if err != nil {
		panic(err) // Check has been called
	}
	scale := float32(1)
	if w.Type == I8 {
		scale = w.Scales[r]
	}
	decodeRow(dst[:n], w.Data[r*size:(r+1)*size], w.Type, scale)
}

// Float32 decodes the whole weight.
func (w *Weight) Float32() []float32 {
	out := make([]float32, w.Len())
	n := w.Cols()
	for r := range w.Rows() {
		w.Row(out[r*n:], r)
	}
	return out
}
