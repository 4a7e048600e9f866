package checkpoint

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"unicode/utf8"
)

// The GGUF format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
const (
	ggufMagic        = "GGUF"
	ggufAlignment    = 32 // where general.alignment is absent
	ggufMaxAlignment = 1 << 20
	ggufMaxDims      = 4
	ggufMaxName      = 64
	ggufMaxKey       = 1<<16 - 1
	ggufMinField     = 8 + 1 + 4 + 1           // key length, key, type, the smallest value
	ggufMinTensor    = 8 + 1 + 4 + 8*1 + 4 + 8 // name length, name, dims, one dim, type, offset
)

// ggufTypes are the tensor types of the format that kuai can compute with.
var ggufTypes = map[uint32]DType{
	0: F32, 1: F16, 2: Q4_0, 3: Q4_1, 6: Q5_0, 7: Q5_1, 8: Q8_0,
	12: Q4_K, 13: Q5_K, 14: Q6_K, 24: I8, 25: I16, 26: I32, 27: I64, 28: F64, 30: BF16,
}

// ParseGGUF reads a GGUF file, version 2 or 3, little-endian, from data, which
// the tensors of the result point into.
func ParseGGUF(data []byte) (*File, error) {
	c := &cursor{data: data}
	if magic := c.take(4, "magic"); c.err == nil && string(magic) != ggufMagic {
		return nil, fmt.Errorf("magic: %q, a GGUF file starts with %q", magic, ggufMagic)
	}
	switch version := c.u32("version"); {
	case c.err != nil:
		return nil, c.err
	case version == bits.ReverseBytes32(2) || version == bits.ReverseBytes32(3):
		return nil, errors.New("version: the file is big-endian, convert it to little-endian")
	case version != 2 && version != 3:
		return nil, fmt.Errorf("version: %d, kuai reads 2 and 3", version)
	}
	tensorCount, fieldCount := c.u64("tensor count"), c.u64("metadata count")
	if c.err == nil && fieldCount > c.left()/ggufMinField {
		return nil, fmt.Errorf("metadata count: %d fields do not fit into a file of %d bytes", fieldCount, len(data))
	}
	if c.err == nil && tensorCount > c.left()/ggufMinTensor {
		return nil, fmt.Errorf("tensor count: %d tensors do not fit into a file of %d bytes", tensorCount, len(data))
	}
	meta := parseMetadata(c, fieldCount)
	if c.err != nil {
		return nil, c.err
	}
	alignment, err := ggufAlign(meta)
	if err != nil {
		return nil, err
	}
	tensors, offsets := parseTensorInfos(c, tensorCount)
	if c.err != nil {
		return nil, c.err
	}
	start := (c.at + alignment - 1) / alignment * alignment
	if err := placeTensors(data, start, alignment, tensors, offsets); err != nil {
		return nil, err
	}
	return newFile(meta, tensors)
}

func ggufAlign(meta Metadata) (uint64, error) {
	if !meta.Has("general.alignment") {
		return ggufAlignment, nil
	}
	a, err := meta.Int("general.alignment")
	if err != nil {
		return 0, err
	}
	if a < 1 || a > ggufMaxAlignment || a&(a-1) != 0 {
		return 0, fmt.Errorf("metadata general.alignment: %d is not a power of two up to %d", a, ggufMaxAlignment)
	}
	return uint64(a), nil
}

// parseTensorInfos reads the table of tensors; data and sizes are not looked at
// yet. offsets count from the start of the data section.
func parseTensorInfos(c *cursor, count uint64) (tensors []Tensor, offsets []uint64) {
	tensors, offsets = make([]Tensor, 0, count), make([]uint64, 0, count)
	for i := uint64(0); i < count && c.err == nil; i++ {
		field := fmt.Sprintf("tensor %d", i)
		n := c.u64(field + " name")
		if n == 0 || n > ggufMaxName {
			c.fail("%s: a name of %d bytes, want 1 to %d", field, n, ggufMaxName)
			return nil, nil
		}
		name := string(c.take(n, field+" name"))
		if !utf8.ValidString(name) {
			c.fail("%s: the name is not UTF-8", field)
			return nil, nil
		}
		field = "tensor " + name
		dims := c.u32(field + " dimensions")
		if dims == 0 || dims > ggufMaxDims {
			c.fail("%s: %d dimensions, want 1 to %d", field, dims, ggufMaxDims)
			return nil, nil
		}
		shape := make([]int, dims)
		for d := range shape {
			size := c.u64(field + " shape")
			if size > math.MaxInt {
				c.fail("%s: a dimension of %d", field, size)
				return nil, nil
			}
			// The file writes the fastest dimension first.
			shape[len(shape)-1-d] = int(size)
		}
		code := c.u32(field + " type")
		dtype, known := ggufTypes[code]
		if c.err == nil && !known {
			c.fail("%s: type %d is not one that kuai reads", field, code)
			return nil, nil
		}
		offsets = append(offsets, c.u64(field+" offset"))
		tensors = append(tensors, Tensor{Name: name, DType: dtype, Shape: shape})
	}
	return tensors, offsets
}

// placeTensors checks sizes, alignment and overlap and points every tensor at
// its bytes.
func placeTensors(data []byte, start, alignment uint64, tensors []Tensor, offsets []uint64) error {
	spans := make([]span, len(tensors))
	for i := range tensors {
		t := &tensors[i]
		size, err := storedSize(t.DType, t.Shape)
		if err != nil {
			return fmt.Errorf("tensor %s: %w", t.Name, err)
		}
		offset := offsets[i]
		if offset%alignment != 0 {
			return fmt.Errorf("tensor %s: offset %d is not a multiple of the alignment %d", t.Name, offset, alignment)
		}
		total := uint64(len(data))
		if start > total || offset > total-start || size > total-start-offset {
			return fmt.Errorf("tensor %s: its %d bytes at offset %d end beyond the file of %d bytes (truncated?)", t.Name, size, offset, total)
		}
		first := start + offset
		t.Data = data[first : first+size : first+size]
		spans[i] = span{t.Name, first, first + size}
	}
	return checkSpans(spans)
}
