package checkpoint

import (
	"encoding/binary"
	"fmt"
)

// halves are where a block keeps its scales and minima in f16; all else in a
// block is a bounded integer, so that these alone decide.
var halves = map[DType][]int{
	F16: {0}, Q4_0: {0}, Q4_1: {0, 2}, Q5_0: {0}, Q5_1: {0, 2}, Q8_0: {0}, Q4_K: {0, 2}, Q5_K: {0, 2}, Q6_K: {208},
}

// Finite fails when an element of t is NaN or infinite, and says which. It reads
// exponents only: a fraction of a second for a whole model. Its memory is
// released after.
func (t *Tensor) Finite() error {
	if t.Scales != nil {
		return nil // checked when they were joined
	}
	defer t.Release()
	at := -1
	switch t.DType {
	case F32:
		at = firstOf(t.Data, 4, func(b []byte) bool { return binary.LittleEndian.Uint32(b)&0x7F800000 == 0x7F800000 })
	case F64:
		// What overflows f32 is as useless as infinity.
		at = firstOf(t.Data, 8, func(b []byte) bool { return binary.LittleEndian.Uint64(b)<<1 >= 0x47F0000000000000<<1 })
	case BF16:
		at = firstOf(t.Data, 2, func(b []byte) bool { return binary.LittleEndian.Uint16(b)&0x7F80 == 0x7F80 })
	default:
		offsets, ok := halves[t.DType]
		if !ok {
			return fmt.Errorf("tensor %s: %s is not a type of weights", t.Name, t.DType)
		}
		at = firstHalf(t.Data, t.DType.BlockSize(), offsets)
	}
	if at < 0 {
		return nil
	}
	if n := t.DType.BlockLen(); n > 1 {
		return fmt.Errorf("tensor %s: the scale of elements %d to %d is NaN or infinite", t.Name, at*n, at*n+n-1)
	}
	return fmt.Errorf("tensor %s: element %d is NaN or infinite", t.Name, at)
}

// firstOf gives the index of the first item of size bytes that is bad, or -1.
func firstOf(data []byte, size int, bad func([]byte) bool) int {
	for i := 0; len(data) >= size; i++ {
		if bad(data) {
			return i
		}
		data = data[size:]
	}
	return -1
}

// firstHalf gives the index of the first block with a bad f16 at one of the
// offsets, or -1.
func firstHalf(data []byte, size int, offsets []int) int {
	for i := 0; len(data) >= size; i++ {
		for _, at := range offsets {
			if binary.LittleEndian.Uint16(data[at:])&0x7C00 == 0x7C00 {
				return i
			}
		}
		data = data[size:]
	}
	return -1
}
