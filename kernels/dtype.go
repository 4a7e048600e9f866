package kernels

import "fmt"

// DType is how one number, or one block of numbers, is stored.
type DType uint8

// Types of weights, inputs and states. The block types are those of GGUF
// (ggml): a block holds 32 (Q4_0, Q4_1, Q8_0) or 256 (Q4_K, Q6_K) consecutive
// numbers of a row with their scales.
const (
	None DType = iota
	F32
	F16
	BF16
	I32
	U8
	I8 // with one scale per output row in Weight.Scales
	Q4_0
	Q4_1
	Q8_0
	Q4_K
	Q6_K
)

type dtypeInfo struct {
	name         string
	block, bytes int // numbers and bytes of one block
}

var dtypes = [...]dtypeInfo{
	None: {"none", 1, 0},
	F32:  {"f32", 1, 4},
	F16:  {"f16", 1, 2},
	BF16: {"bf16", 1, 2},
	I32:  {"i32", 1, 4},
	U8:   {"u8", 1, 1},
	I8:   {"i8", 1, 1},
	Q4_0: {"q4_0", 32, 18},
	Q4_1: {"q4_1", 32, 20},
	Q8_0: {"q8_0", 32, 34},
	Q4_K: {"q4_k", 256, 144},
	Q6_K: {"q6_k", 256, 210},
}

func (t DType) String() string {
	if int(t) < len(dtypes) {
		return dtypes[t].name
	}
	return fmt.Sprintf("dtype(%d)", uint8(t))
}

// Block gives the numbers and the bytes of one block; 1 number where the type
// has no blocks, 0 bytes where the type is unknown.
func (t DType) Block() (numbers, bytes int) {
	if int(t) < len(dtypes) {
		return dtypes[t].block, dtypes[t].bytes
	}
	return 1, 0
}

// Quantised says whether numbers are stored with a scale.
func (t DType) Quantised() bool { return t >= I8 && int(t) < len(dtypes) }

// RowBytes is the size of a row of n numbers; an error where n does not fill
// whole blocks or the type is unknown.
func (t DType) RowBytes(n int) (int, error) {
	numbers, bytes := t.Block()
	if bytes == 0 {
		return 0, fmt.Errorf("unknown type %v", t)
	}
	if n < 0 || n%numbers != 0 {
		return 0, fmt.Errorf("a row of %d is not a multiple of the %d of a %v block", n, numbers, t)
	}
	return n / numbers * bytes, nil
}
