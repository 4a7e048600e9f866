package dataset

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// thrift walks bytes of Thrift's compact protocol, in which Parquet writes its
// headers, and allocates nothing: lengths that the bytes claim are held against
// the bytes that are there before a library believes them
// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
type thrift struct {
	data []byte
	at   int
}

// Kinds of fields.
const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12

	maxThriftDepth = 16
)

var errThrift = errors.New("a header is cut off or makes no sense")

// fields walks a structure and gives each whole number in it: path holds the
// fields that lead to it, outermost first.
func (t *thrift) fields(number func(path []int16, v int64)) error {
	var path [maxThriftDepth]int16
	return t.structure(path[:0], number)
}

func (t *thrift) structure(path []int16, number func([]int16, int64)) error {
	if len(path) == maxThriftDepth {
		return errThrift
	}
	for id := int16(0); ; {
		head, err := t.byte()
		if err != nil {
			return err
		}
		if head == thriftStop {
			return nil
		}
		if delta := int16(head >> 4); delta != 0 {
			id += delta
		} else {
			v, err := t.zigzag()
			if err != nil {
				return err
			}
			id = int16(v)
		}
		if err := t.value(head&15, append(path, id), number, true); err != nil {
			return err
		}
	}
}

// value walks one value. A boolean field has its value in its kind.
func (t *thrift) value(kind byte, path []int16, number func([]int16, int64), field bool) error {
	switch kind {
	case thriftTrue, thriftFalse:
		if !field {
			return t.skip(1)
		}
		if kind == thriftTrue {
			number(path, 1)
		} else {
			number(path, 0)
		}
		return nil
	case thriftByte:
		return t.skip(1)
	case thriftI16, thriftI32, thriftI64:
		v, err := t.zigzag()
		if err == nil {
			number(path, v)
		}
		return err
	case thriftDouble:
		return t.skip(8)
	case thriftBinary:
		n, err := t.uvarint()
		if err != nil || n > uint64(len(t.data)-t.at) {
			return errThrift
		}
		return t.skip(int(n))
	case thriftList, thriftSet:
		return t.list(path, number)
	case thriftStruct:
		return t.structure(path, number)
	}
	return errThrift // Parquet has no maps
}

func (t *thrift) list(path []int16, number func([]int16, int64)) error {
	head, err := t.byte()
	if err != nil {
		return err
	}
	n := uint64(head >> 4)
	if n == 15 {
		if n, err = t.uvarint(); err != nil {
			return err
		}
	}
	// Each element has a byte at least.
	if n > uint64(len(t.data)-t.at) {
		return errThrift
	}
	for range n {
		if err := t.value(head&15, path, number, false); err != nil {
			return err
		}
	}
	return nil
}

func (t *thrift) byte() (byte, error) {
	if t.at >= len(t.data) {
		return 0, errThrift
	}
	t.at++
	return t.data[t.at-1], nil
}

func (t *thrift) skip(n int) error {
	if n > len(t.data)-t.at {
		return errThrift
	}
	t.at += n
	return nil
}

func (t *thrift) uvarint() (uint64, error) {
	v, n := binary.Uvarint(t.data[t.at:])
	if n <= 0 {
		return 0, errThrift
	}
	t.at += n
	return v, nil
}

func (t *thrift) zigzag() (int64, error) {
	u, err := t.uvarint()
	return int64(u>>1) ^ -int64(u&1), err
}

// pageHeader is what must be known of a page before it is read.
type pageHeader struct {
	uncompressed, compressed int64
	values                   int64
	encoding                 int64
	// levels is how many bytes stand uncompressed before the values.
	levels int64
	second bool // of the second format, which has levels
	plain  bool // the values are not compressed, whatever the column says
	length int  // of the header
}

// readPageHeader reads the header at the start of data (parquet.thrift, PageHeader).
func readPageHeader(data []byte) (h pageHeader, err error) {
	t := thrift{data: data}
	err = t.fields(func(path []int16, v int64) {
		h.second = h.second || path[0] == 8
		switch {
		case len(path) == 1 && path[0] == 2:
			h.uncompressed = v
		case len(path) == 1 && path[0] == 3:
			h.compressed = v
		case len(path) != 2:
		case path[0] == 5 || path[0] == 7: // data page, dictionary page
			h.set(path[1], map[int16]*int64{1: &h.values, 2: &h.encoding}, v)
		case path[0] == 8 && path[1] == 7:
			h.plain = v == 0
		case path[0] == 8 && (path[1] == 5 || path[1] == 6):
			h.levels += v
		case path[0] == 8:
			h.set(path[1], map[int16]*int64{1: &h.values, 4: &h.encoding}, v)
		}
	})
	h.length = t.at
	return h, err
}

func (*pageHeader) set(field int16, into map[int16]*int64, v int64) {
	if p := into[field]; p != nil {
		*p = v
	}
}

func (h *pageHeader) String() string {
	return fmt.Sprintf("a page of %d values, %d bytes, %d when read", h.values, h.compressed, h.uncompressed)
}
