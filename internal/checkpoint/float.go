package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Float32 converts the elements of t into dst, which must hold t.Len().
// Integers and bools are no weights: they are an error here.
func (t *Tensor) Float32(dst []float32) error {
	if len(dst) != t.Len() {
		return fmt.Errorf("tensor %s: %d elements into room for %d", t.Name, t.Len(), len(dst))
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

// Finite fails when an element of t is NaN or infinite, and says which.
func (t *Tensor) Finite() error {
	values := make([]float32, t.Len())
	if err := t.Float32(values); err != nil {
		return err
	}
	for i, v := range values {
		if v-v != 0 {
			return fmt.Errorf("tensor %s: element %d is %v", t.Name, i, v)
		}
	}
	return nil
}

// decoders convert one block; the layouts are those of ggml's block structures.
var decoders = [...]func(dst []float32, b []byte){
	F32: func(dst []float32, b []byte) { dst[0] = f32(b) },
	F64: func(dst []float32, b []byte) { dst[0] = float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) },
	F16: func(dst []float32, b []byte) { dst[0] = f16(b) },
	BF16: func(dst []float32, b []byte) {
		dst[0] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16)
	},
	Q4_0: decodeQ4_0,
	Q4_1: decodeQ4_1,
	Q5_0: decodeQ5_0,
	Q5_1: decodeQ5_1,
	Q8_0: decodeQ8_0,
	Q4_K: decodeQ4_K,
	Q5_K: decodeQ5_K,
	Q6_K: decodeQ6_K,
}

func f32(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }

func f16(b []byte) float32 { return HalfToFloat(binary.LittleEndian.Uint16(b)) }

// HalfToFloat converts an IEEE 754 binary16 value.
func HalfToFloat(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, fraction := uint32(h>>10)&0x1f, uint32(h&0x3ff)
	switch exponent {
	case 0: // zero or subnormal: fraction · 2⁻²⁴
		v := math.Float32bits(float32(fraction) * (1.0 / (1 << 24)))
		return math.Float32frombits(v | sign)
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// Q4_0: scale; 16 bytes, low nibbles are elements 0 to 15, high ones 16 to 31.
func decodeQ4_0(dst []float32, b []byte) {
	d := f16(b)
	for i, q := range b[2:18] {
		dst[i] = d * float32(int(q&15)-8)
		dst[i+16] = d * float32(int(q>>4)-8)
	}
}

// Q4_1: scale, minimum; nibbles as in Q4_0.
func decodeQ4_1(dst []float32, b []byte) {
	d, m := f16(b), f16(b[2:])
	for i, q := range b[4:20] {
		dst[i] = d*float32(q&15) + m
		dst[i+16] = d*float32(q>>4) + m
	}
}

// Q5_0: scale; fifth bits as one 32-bit word; nibbles as in Q4_0.
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

// Q8_0: scale; 32 signed bytes.
func decodeQ8_0(dst []float32, b []byte) {
	d := f16(b)
	for i, q := range b[2:34] {
		dst[i] = d * float32(int8(q))
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

// Q4_K: super-scale, super-minimum, eight 6-bit scales and minima, 256 nibbles
// in four groups of 64 of which the low nibbles come first.
func decodeQ4_K(dst []float32, b []byte) {
	d, m := f16(b), f16(b[2:])
	scales, quants := b[4:16], b[16:144]
	for group := range 4 {
		s0, m0 := scaleMinK(2*group, scales)
		s1, m1 := scaleMinK(2*group+1, scales)
		out := dst[64*group:]
		for i, q := range quants[32*group : 32*group+32] {
			out[i] = d*s0*float32(q&15) - m*m0
			out[i+32] = d*s1*float32(q>>4) - m*m1
		}
	}
}

// Q5_K: as Q4_K with a plane of fifth bits, two bits of each byte a group.
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

// Q6_K: 128 bytes of low nibbles, 64 bytes of high pairs, sixteen 8-bit scales,
// super-scale; two halves of 128 elements.
func decodeQ6_K(dst []float32, b []byte) {
	d := f16(b[208:])
	for half := range 2 {
		low, high := b[64*half:64*half+64], b[128+32*half:128+32*half+32]
		scales, out := b[192+8*half:], dst[128*half:]
		for i := range 32 {
			h := high[i]
			quarter := [4]byte{
				low[i]&15 | h&3<<4,
				low[i+32]&15 | h>>2&3<<4,
				low[i]>>4 | h>>4&3<<4,
				low[i+32]>>4 | h>>6<<4,
			}
			for k, q := range quarter {
				scale := float32(int8(scales[2*k+i/16]))
				out[32*k+i] = d * scale * float32(int(q)-32)
			}
		}
	}
}
