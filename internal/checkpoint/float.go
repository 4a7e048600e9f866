package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/kernels"
)

// stored are the types that the kernels compute with as they are.
var stored = map[DType]kernels.DType{
	F32: kernels.F32, F16: kernels.F16, BF16: kernels.BF16, Q4_0: kernels.Q4_0, Q4_1: kernels.Q4_1,
	Q8_0: kernels.Q8_0, Q4_K: kernels.Q4_K, Q6_K: kernels.Q6_K,
}

// Weight gives t to the kernels: its bytes as they are stored, or decoded to
// f32 where the kernels do not know the type.
func (t *Tensor) Weight() (*kernels.Weight, error) {
	if dtype, ok := stored[t.DType]; ok {
		return t.stored(dtype), nil
	}
	if t.Scales != nil {
		w := t.stored(kernels.I8)
		w.Scales, w.Range = t.Scales, t.Range
		return w, nil
	}
	values := make([]float32, t.Len())
	if err := t.Float32(values); err != nil {
		return nil, err
	}
	return kernels.NewWeight(t.Name, values, t.Shape...), nil
}

// stored is the weight of bytes that stay where they are.
func (t *Tensor) stored(dtype kernels.DType) *kernels.Weight {
	w := &kernels.Weight{Name: t.Name, Type: dtype, Shape: t.Shape, Data: t.Data, Packed: t.Release}
	if m := t.mapped; m != nil {
		w.Source = m.source(t.Data)
		w.Hold = func() func() {
			m.hold()
			return func() { _ = m.release() } // a mapping that was made can be undone
		}
	}
	return w
}

// Float32 converts the elements of t into dst, which must hold t.Len().
// Integers and bools are no weights: they are an error here.
func (t *Tensor) Float32(dst []float32) error {
	if len(dst) != t.Len() {
		return fmt.Errorf("tensor %s: %d elements into room for %d", t.Name, t.Len(), len(dst))
	}
	if _, ok := stored[t.DType]; ok || t.Scales != nil {
		w, err := t.Weight()
		if err != nil {
			return err
		}
		for r := range w.Rows() {
			w.Row(dst[r*w.Cols():], r)
		}
		return nil
	}
	decode := decoders[t.DType]
	if decode == nil {
		return fmt.Errorf("tensor %s: %s is not a type of weights", t.Name, t.DType)
	}
	elements, size := t.DType.BlockLen(), t.DType.BlockSize()
	src := t.Data
	for len(dst) > 0 {
		decode(dst[:elements:elements], src[:size:size])
		dst, src = dst[elements:], src[size:]
	}
	return nil
}

// decoders convert one block of the types that the kernels leave to this
// package; the layouts are those of ggml's block structures.
var decoders = map[DType]func(dst []float32, b []byte){
	F64:  func(dst []float32, b []byte) { dst[0] = float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) },
	Q5_0: decodeQ5_0,
	Q5_1: decodeQ5_1,
	Q5_K: decodeQ5_K,
}

func f16(b []byte) float32 { return kernels.HalfToFloat(binary.LittleEndian.Uint16(b)) }

// Q5_0: scale; fifth bits as one 32-bit word; 16 bytes of which
// the low nibbles are elements 0 to 15 and the high ones 16 to 31.
func decodeQ5_0(dst []float32, b []byte) {
	d, high := f16(b), binary.LittleEndian.Uint32(b[2:])
	for i, q := range b[6:22] {
		dst[i] = d * float32(int(uint32(q&15)|high>>i&1<<4)-16)
		dst[i+16] = d * float32(int(uint32(q>>4)|high>>(i+16)&1<<4)-16)
	}
}

// Q5_1: scale, minimum; fifth bits; nibbles.
func decodeQ5_1(dst []float32, b []byte) {
	d, m, high := f16(b), f16(b[2:]), binary.LittleEndian.Uint32(b[4:])
	for i, q := range b[8:24] {
		dst[i] = d*float32(uint32(q&15)|high>>i&1<<4) + m
		dst[i+16] = d*float32(uint32(q>>4)|high>>(i+16)&1<<4) + m
	}
}

// scaleMinK unpacks the 6-bit scale and minimum of sub-block j from the 12
// bytes that hold eight of each.
func scaleMinK(j int, s []byte) (scale, minimum float32) {
	if j < 4 {
		return float32(s[j] & 63), float32(s[j+4] & 63)
	}
	return float32(s[j+4]&15 | s[j-4]>>6<<4), float32(s[j+4]>>4 | s[j]>>6<<4)
}

// Q5_K: super-scale, super-minimum, eight 6-bit scales and minima, a plane of fifth
// bits (two of each byte a group), 256 nibbles in four groups of 64.
func decodeQ5_K(dst []float32, b []byte) {
	d, m := f16(b), f16(b[2:])
	scales, high, quants := b[4:16], b[16:48], b[48:176]
	for group := range 4 {
		s0, m0 := scaleMinK(2*group, scales)
		s1, m1 := scaleMinK(2*group+1, scales)
		out := dst[64*group:]
		for i, q := range quants[32*group : 32*group+32] {
			low, top := q&15|high[i]>>(2*group)&1<<4, q>>4|high[i]>>(2*group+1)&1<<4
			out[i] = d*s0*float32(low) - m*m0
			out[i+32] = d*s1*float32(top) - m*m1
		}
	}
}
