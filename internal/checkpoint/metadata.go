package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// valueKind is the type of a metadata value, numbered as GGUF does.
type valueKind uint32

const (
	kindU8 valueKind = iota
	kindI8
	kindU16
	kindI16
	kindU32
	kindI32
	kindF32
	kindBool
	kindString
	kindArray
	kindU64
	kindI64
	kindF64
)

var kindNames = [...]string{"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "bool", "string", "array", "uint64", "int64", "float64"}

func (k valueKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("type %d", uint32(k))
}

// size gives the bytes of a value, 0 for strings and arrays.
func (k valueKind) size() uint64 {
	switch k {
	case kindU8, kindI8, kindBool:
		return 1
	case kindU16, kindI16:
		return 2
	case kindU32, kindI32, kindF32:
		return 4
	case kindU64, kindI64, kindF64:
		return 8
	}
	return 0
}

// value is a metadata value whose bytes were checked but not yet decoded.
type value struct {
	kind  valueKind // of the elements, for an array
	array bool
	count uint64
	raw   []byte
}

// Metadata is the key-value section of a GGUF file. Its methods name the key in
// their errors.
type Metadata struct{ values map[string]value }

// parseMetadata reads count fields and checks that each ends within the file.
func parseMetadata(c *cursor, count uint64) Metadata {
	m := Metadata{values: make(map[string]value, count)}
	for i := uint64(0); i < count && c.err == nil; i++ {
		field := fmt.Sprintf("metadata field %d", i)
		n := c.u64(field + " key")
		if n == 0 || n > ggufMaxKey {
			c.fail("%s: a key of %d bytes, want 1 to %d", field, n, ggufMaxKey)
			break
		}
		key := string(c.take(n, field+" key"))
		if c.err != nil {
			break
		}
		field = fmt.Sprintf("metadata %s", strings.ToValidUTF8(key, "?"))
		if _, twice := m.values[key]; twice {
			c.fail("%s: the key occurs twice", field)
		}
		m.values[key] = parseValue(c, field)
	}
	return m
}

func parseValue(c *cursor, field string) value {
	v := value{kind: valueKind(c.u32(field)), count: 1}
	if v.kind == kindArray && c.err == nil {
		v.array = true
		v.kind = valueKind(c.u32(field))
		v.count = c.u64(field)
	}
	if c.err != nil {
		return v
	}
	start := c.at
	switch size := v.kind.size(); {
	case size > 0:
		if v.count > c.left()/size {
			c.fail("%s: %d values of %s do not fit into the file (truncated?)", field, v.count, v.kind)
			return v
		}
		c.take(v.count*size, field)
	case v.kind == kindString:
		if v.count > c.left()/8 {
			c.fail("%s: %d strings do not fit into the file (truncated?)", field, v.count)
			return v
		}
		for i := uint64(0); i < v.count && c.err == nil; i++ {
			c.take(c.u64(field), field)
		}
	default:
		c.fail("%s: unknown or nested value %s", field, v.kind)
	}
	if c.err == nil {
		v.raw = c.data[start:c.at]
	}
	return v
}

// Has says whether there is a value at key.
func (m Metadata) Has(key string) bool { _, ok := m.values[key]; return ok }

// Keys gives all keys in alphabetical order.
func (m Metadata) Keys() []string {
	keys := make([]string, 0, len(m.values))
	for k := range m.values {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// get gives the value at key, which must be an array or not as asked.
func (m Metadata) get(key string, array bool) (value, error) {
	v, ok := m.values[key]
	switch {
	case !ok:
		return v, fmt.Errorf("metadata %s: missing", key)
	case v.array && !array:
		return v, fmt.Errorf("metadata %s: an array where one value is expected", key)
	case !v.array && array:
		return v, fmt.Errorf("metadata %s: one value where an array is expected", key)
	}
	return v, nil
}

func (v value) integer(i uint64) (int64, bool) {
	b := v.raw[i*v.kind.size():]
	switch v.kind {
	case kindU8:
		return int64(b[0]), true
	case kindI8:
		return int64(int8(b[0])), true
	case kindU16:
		return int64(binary.LittleEndian.Uint16(b)), true
	case kindI16:
		return int64(int16(binary.LittleEndian.Uint16(b))), true
	case kindU32:
		return int64(binary.LittleEndian.Uint32(b)), true
	case kindI32:
		return int64(int32(binary.LittleEndian.Uint32(b))), true
	case kindU64, kindI64:
		n := binary.LittleEndian.Uint64(b)
		return int64(n), v.kind == kindI64 || n <= math.MaxInt64
	}
	return 0, false
}

func (v value) float(i uint64) (float64, bool) {
	b := v.raw[i*v.kind.size():]
	switch v.kind {
	case kindF32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), true
	case kindF64:
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), true
	}
	n, ok := v.integer(i)
	return float64(n), ok
}

// Int gives the integer at key.
func (m Metadata) Int(key string) (int64, error) {
	v, err := m.get(key, false)
	if err != nil {
		return 0, err
	}
	n, ok := v.integer(0)
	if !ok {
		return 0, fmt.Errorf("metadata %s: a %s where an integer is expected", key, v.kind)
	}
	return n, nil
}

// Ints gives the array of integers at key.
func (m Metadata) Ints(key string) ([]int64, error) {
	v, err := m.get(key, true)
	if err != nil {
		return nil, err
	}
	if v.kind.size() == 0 {
		return nil, fmt.Errorf("metadata %s: holds %s, want integers", key, v.kind)
	}
	out := make([]int64, v.count)
	for i := range out {
		n, ok := v.integer(uint64(i))
		if !ok {
			return nil, fmt.Errorf("metadata %s: holds %s, want integers", key, v.kind)
		}
		out[i] = n
	}
	return out, nil
}

// Float gives the finite number at key.
func (m Metadata) Float(key string) (float64, error) {
	v, err := m.get(key, false)
	if err != nil {
		return 0, err
	}
	if v.kind.size() == 0 {
		return 0, fmt.Errorf("metadata %s: a %s where a number is expected", key, v.kind)
	}
	x, ok := v.float(0)
	if !ok || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("metadata %s: a %s of %v where a finite number is expected", key, v.kind, x)
	}
	return x, nil
}

// Floats gives the array of numbers at key.
func (m Metadata) Floats(key string) ([]float64, error) {
	v, err := m.get(key, true)
	if err != nil {
		return nil, err
	}
	out := make([]float64, v.count)
	for i := range out {
		x, ok := 0.0, v.kind.size() > 0
		if ok {
			x, ok = v.float(uint64(i))
		}
		if !ok {
			return nil, fmt.Errorf("metadata %s: holds %s, want numbers", key, v.kind)
		}
		out[i] = x
	}
	return out, nil
}

// Bool gives the truth value at key.
func (m Metadata) Bool(key string) (bool, error) {
	v, err := m.get(key, false)
	if err != nil {
		return false, err
	}
	if v.kind != kindBool || v.raw[0] > 1 {
		return false, fmt.Errorf("metadata %s: a %s where a bool is expected", key, v.kind)
	}
	return v.raw[0] == 1, nil
}

// String gives the UTF-8 text at key.
func (m Metadata) String(key string) (string, error) {
	v, err := m.get(key, false)
	if err != nil {
		return "", err
	}
	s, err := v.strings(key)
	if err != nil {
		return "", err
	}
	return s[0], nil
}

// Strings gives the array of UTF-8 texts at key.
func (m Metadata) Strings(key string) ([]string, error) {
	v, err := m.get(key, true)
	if err != nil {
		return nil, err
	}
	return v.strings(key)
}

func (v value) strings(key string) ([]string, error) {
	if v.kind != kindString {
		return nil, fmt.Errorf("metadata %s: holds %s, want text", key, v.kind)
	}
	c := &cursor{data: v.raw}
	out := make([]string, v.count)
	for i := range out {
		out[i] = string(c.take(c.u64(key), key))
		if !utf8.ValidString(out[i]) {
			return nil, fmt.Errorf("metadata %s: text %d is not UTF-8", key, i)
		}
	}
	return out, c.err
}
