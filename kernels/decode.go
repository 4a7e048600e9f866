package kernels

import (
	"encoding/binary"
	"math"
)

// decodeRow turns stored numbers into f32; the block layouts are those of the
// GGUF specification (ggml's quantisation types).
func decodeRow(dst []float32, src []byte, t DType, scale float32) {
	switch t {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = HalfToFloat(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
		}
	case I32:
		for i := range dst {
			dst[i] = float32(int32(binary.LittleEndian.Uint32(src[4*i:])))
		}
	case U8:
		for i := range dst {
			dst[i] = float32(src[i])
		}
	case I8:
		for i := range dst {
			dst[i] = float32(int8(src[i])) * scale
		}
	default:
		numbers, bytes := t.Block()
		for i := 0; i < len(dst); i += numbers {
			decodeBlock(dst[i:i+numbers], src[:bytes], t)
			src = src[bytes:]
		}
	}
}

func decodeBlock(dst []float32, b []byte, t DType) {
	switch t {
	case Q4_0:
		d := half(b)
		for i := range 16 {
			dst[i] = d * float32(int(b[2+i]&15)-8)
			dst[i+16] = d * float32(int(b[2+i]>>4)-8)
		}
	case Q4_1:
		d, m := half(b), half(b[2:])
		for i := range 16 {
			dst[i] = d*float32(b[4+i]&15) + m
			dst[i+16] = d*float32(b[4+i]>>4) + m
		}
	case Q8_0:
		d := half(b)
		for i := range 32 {
			dst[i] = d * float32(int8(b[2+i]))
		}
	case Q4_K:
		decodeQ4K(dst, b)
	case Q6_K:
		decodeQ6K(dst, b)
	}
}

// decodeQ4K: 256 numbers in eight groups of 32, each with a 6-bit scale and a
// 6-bit minimum under one f16 scale for all scales and one for all minima.
func decodeQ4K(dst []float32, b []byte) {
	d, dmin := half(b), half(b[2:])
	scales, quants := b[4:16], b[16:]
	for group := range 8 {
		sc, m := scaleMin(scales, group)
		scale, low := d*float32(sc), dmin*float32(m)
		for i := range 32 {
			q := quants[group/2*32+i]
			if group%2 == 1 {
				q >>= 4
			}
			dst[group*32+i] = scale*float32(q&15) - low
		}
	}
}

// scaleMin unpacks the j-th of eight 6-bit pairs from 12 bytes.
func scaleMin(s []byte, j int) (scale, low byte) {
	if j < 4 {
		return s[j] & 63, s[j+4] & 63
	}
	return s[j+4]&15 | s[j-4]>>6<<4, s[j+4]>>4 | s[j]>>6<<4
}

// decodeQ6K: 256 numbers of 6 bits (4 low, 2 high) in sixteen groups of 16,
// each with an 8-bit scale under one f16 scale.
func decodeQ6K(dst []float32, b []byte) {
	low, high, scales, d := b[:128], b[128:192], b[192:208], half(b[208:])
	for i := range 256 {
		part, at := i/128, i%128
		l, h := low[part*64+at%64], high[part*32+at%32]
		if at >= 64 {
			l >>= 4
		}
		h >>= 2 * (at / 32)
		q := int(l&15|h&3<<4) - 32
		dst[i] = d * float32(int8(scales[i/16])) * float32(q)
	}
}

func half(b []byte) float32 { return HalfToFloat(binary.LittleEndian.Uint16(b)) }

// HalfToFloat widens an IEEE 754 binary16.
func HalfToFloat(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, mantissa := uint32(h>>10)&31, uint32(h)&0x3ff
	switch exponent {
	case 0:
		f := float32(mantissa) / (1 << 24)
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | mantissa<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | mantissa<<13)
}

// FloatToHalf rounds to the nearest binary16, ties to even.
func FloatToHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	bits &= 0x7fffffff
	switch {
	case bits > 0x7f800000:
		return sign | 0x7e00
	case bits >= 0x477ff000:
		return sign | 0x7c00
	case bits < 0x38800000:
		// Adding 0.5 aligns a subnormal's mantissa to the last bits, rounded.
		sum := math.Float32frombits(bits) + 0.5
		return sign | uint16(math.Float32bits(sum)-0x3f000000)
	}
	bits += 0xfff + bits>>13&1
	return sign | uint16(bits>>13-112<<10)
}

// FloatToBrain rounds to the nearest bfloat16, ties to even.
func FloatToBrain(f float32) uint16 {
	bits := math.Float32bits(f)
	if bits&0x7fffffff > 0x7f800000 {
		return uint16(bits>>16) | 0x40
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}
