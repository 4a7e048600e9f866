package checkpoint

import (
	"encoding/binary"
	"fmt"
)

// cursor reads little-endian fields from bytes. The first failure sticks; reads
// after it give zero.
type cursor struct {
	data []byte
	at   uint64
	err  error
}

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

func (c *cursor) left() uint64 { return uint64(len(c.data)) - c.at }

// take gives the next n bytes; field names them in the error.
func (c *cursor) take(n uint64, field string) []byte {
	if c.err != nil {
		return nil
	}
	if n > c.left() {
		c.fail("%s: needs %d bytes at offset %d, the file ends after %d (truncated?)", field, n, c.at, c.left())
		return nil
	}
	b := c.data[c.at : c.at+n : c.at+n]
	c.at += n
	return b
}

func (c *cursor) u8(field string) uint8 {
	if b := c.take(1, field); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u16(field string) uint16 {
	if b := c.take(2, field); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u32(field string) uint32 {
	if b := c.take(4, field); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64(field string) uint64 {
	if b := c.take(8, field); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}
