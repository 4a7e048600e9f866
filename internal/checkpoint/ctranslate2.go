package checkpoint

import (
	"bytes"
	"fmt"
	"math"
	"unicode/utf8"
)

const (
	ct2Version     = 6
	ct2MaxRank     = 8
	ct2MinVariable = 2 + 1 + 1 + 1 + 4 + 1 // name, rank, dtype, size, one byte of data
)

// ct2Types are the type codes of CTranslate2's DataType enumeration.
var ct2Types = [...]DType{F32, I8, I16, I32, F16, BF16}

// ParseCTranslate2 reads the model.bin of CTranslate2 (binary version 6, as
// ctranslate2.specs.model_spec writes it) from data, which the tensors of the
// result point into. The format aligns nothing. An alias becomes one more
// tensor that shares the bytes of its target.
func ParseCTranslate2(data []byte) (*File, error) {
	c := &cursor{data: data}
	version := c.u32("version")
	if c.err == nil && version != ct2Version {
		return nil, fmt.Errorf("version: %d, kuai reads version %d of CTranslate2's model.bin", version, ct2Version)
	}
	ct2String(c, "specification name")
	c.u32("specification revision")
	count := uint64(c.u32("variable count"))
	if c.err == nil && count > c.left()/ct2MinVariable {
		return nil, fmt.Errorf("variable count: %d variables do not fit into a file of %d bytes", count, len(data))
	}
	if c.err != nil {
		return nil, c.err
	}
	tensors := make([]Tensor, 0, count)
	for i := uint64(0); i < count && c.err == nil; i++ {
		tensors = append(tensors, ct2Variable(c, i))
	}
	if c.err != nil {
		return nil, c.err
	}
	tensors = append(tensors, ct2Aliases(c, tensors)...)
	if c.err != nil {
		return nil, c.err
	}
	if c.left() > 0 {
		return nil, fmt.Errorf("end: %d bytes follow the last alias", c.left())
	}
	return newFile(Metadata{}, tensors)
}

// ct2String reads a length in 16 bits and that many bytes, the last one zero.
func ct2String(c *cursor, field string) string {
	b := c.take(uint64(c.u16(field)), field)
	if c.err != nil {
		return ""
	}
	text, ended := bytes.CutSuffix(b, []byte{0})
	if !ended || !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		c.fail("%s: not a zero-terminated UTF-8 text", field)
		return ""
	}
	return string(text)
}

func ct2Variable(c *cursor, i uint64) Tensor {
	name := ct2String(c, fmt.Sprintf("variable %d name", i))
	field := "tensor " + name
	rank := c.u8(field + " rank")
	if rank > ct2MaxRank {
		c.fail("%s: rank %d, want at most %d", field, rank, ct2MaxRank)
		return Tensor{}
	}
	shape := make([]int, rank)
	for d := range shape {
		shape[d] = int(c.u32(field + " shape"))
	}
	code := c.u8(field + " type")
	size := uint64(c.u32(field + " size"))
	if c.err != nil {
		return Tensor{}
	}
	if int(code) >= len(ct2Types) {
		c.fail("%s: type %d is not one that kuai reads", field, code)
		return Tensor{}
	}
	want, err := storedSize(ct2Types[code], shape)
	if err != nil {
		c.fail("%s: %w", field, err)
		return Tensor{}
	}
	if size != want {
		c.fail("%s: %s of shape %v takes %d bytes, the file gives %d", field, ct2Types[code], shape, want, size)
		return Tensor{}
	}
	return Tensor{Name: name, DType: ct2Types[code], Shape: shape, Data: c.take(size, field)}
}

func ct2Aliases(c *cursor, tensors []Tensor) []Tensor {
	count := c.u32("alias count")
	if c.err == nil && uint64(count) > min(c.left()/4, math.MaxInt32) {
		c.fail("alias count: %d aliases do not fit into the file", count)
	}
	byName := make(map[string]*Tensor, len(tensors))
	for i := range tensors {
		byName[tensors[i].Name] = &tensors[i]
	}
	var aliases []Tensor
	for i := uint32(0); i < count && c.err == nil; i++ {
		name := ct2String(c, fmt.Sprintf("alias %d", i))
		target := ct2String(c, "alias "+name)
		if c.err != nil {
			break
		}
		t, ok := byName[target]
		if !ok {
			c.fail("alias %s: there is no tensor %s", name, target)
			break
		}
		alias := *t
		alias.Name = name
		aliases = append(aliases, alias)
	}
	return aliases
}
