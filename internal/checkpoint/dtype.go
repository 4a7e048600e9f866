package checkpoint

import "fmt"

// DType says how the elements of a tensor are stored.
type DType uint8

// The stored formats. Those from Q4_0 on are the block formats of GGUF: a block
// of BlockLen elements of one row shares scales.
const (
	F32 DType = iota + 1
	F64
	F16
	BF16
	I8
	I16
	I32
	I64
	U8
	Bool
	Q4_0
	Q4_1
	Q5_0
	Q5_1
	Q8_0
	Q4_K
	Q5_K
	Q6_K
)

var dtypes = [...]struct {
	name           string
	elements, size int
}{
	F32:  {"F32", 1, 4},
	F64:  {"F64", 1, 8},
	F16:  {"F16", 1, 2},
	BF16: {"BF16", 1, 2},
	I8:   {"I8", 1, 1},
	I16:  {"I16", 1, 2},
	I32:  {"I32", 1, 4},
	I64:  {"I64", 1, 8},
	U8:   {"U8", 1, 1},
	Bool: {"BOOL", 1, 1},
	Q4_0: {"Q4_0", 32, 18},
	Q4_1: {"Q4_1", 32, 20},
	Q5_0: {"Q5_0", 32, 22},
	Q5_1: {"Q5_1", 32, 24},
	Q8_0: {"Q8_0", 32, 34},
	Q4_K: {"Q4_K", 256, 144},
	Q5_K: {"Q5_K", 256, 176},
	Q6_K: {"Q6_K", 256, 210},
}

// String gives the name that the file formats use.
func (d DType) String() string {
	if int(d) < len(dtypes) && dtypes[d].elements > 0 {
		return dtypes[d].name
	}
	return fmt.Sprintf("DType(%d)", uint8(d))
}

// BlockLen gives the number of elements that are stored together: 1 for plain
// types.
func (d DType) BlockLen() int { return dtypes[d].elements }

// BlockSize gives the bytes of one block.
func (d DType) BlockSize() int { return dtypes[d].size }
