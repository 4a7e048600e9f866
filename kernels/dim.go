package kernels

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxScalars bounds the scalars of a graph.
const MaxScalars = 15

// Scalars are the lengths and positions of one Run; element 0 is unused, so
// that the zero Scalar means none.
type Scalars [MaxScalars + 1]int32

// Scalar is a whole number that a session sets before Run: a length or a
// position. The zero Scalar is absent and reads as 0.
type Scalar struct {
	ID  uint8
	Max int32
}

// Dim is the scalar as a length.
func (s Scalar) Dim() Dim { return Dim{Scalar: s, Mul: 1, Div: 1} }

// Dim is a length: floor((Mul*scalar + Add) / Div), or the constant Add where
// there is no scalar.
type Dim struct {
	Scalar        Scalar
	Mul, Add, Div int32
}

// N is a constant length.
func N(n int) Dim { return Dim{Mul: 1, Add: int32(n), Div: 1} }

// Static says whether the length never changes.
func (d Dim) Static() bool { return d.Scalar.ID == 0 }

// At is the length in one Run.
func (d Dim) At(s *Scalars) int { return d.eval(s[d.Scalar.ID]) }

// Max is the largest length.
func (d Dim) Max() int { return d.eval(d.Scalar.Max) }

func (d Dim) eval(n int32) int {
	if d.Div == 0 {
		return 0
	}
	if d.Static() {
		n = 0
	}
	return max(0, int((d.Mul*n+d.Add)/d.Div))
}

// Plus adds a constant.
func (d Dim) Plus(k int) Dim {
	d.Add += int32(k) * d.Div
	return d
}

// Times multiplies by a constant; only where nothing has been divided.
func (d Dim) Times(k int) (Dim, error) {
	if d.Div != 1 {
		return d, fmt.Errorf("%v cannot be multiplied by %d", d, k)
	}
	d.Mul, d.Add = d.Mul*int32(k), d.Add*int32(k)
	return d, nil
}

// window is the number of places of a kernel that moves over the length.
func (d Dim) window(kernel, stride, padding int) Dim {
	d = d.Plus(padding - kernel)
	d.Div *= int32(stride)
	d = d.Plus(1)
	if d.Static() {
		return N(d.Max())
	}
	return d.reduced()
}

// reduced divides out what Mul, Add and Div have in common, so that lengths that are
// equal for every scalar are equal as values.
func (d Dim) reduced() Dim {
	common := d.Div
	for _, n := range []int32{d.Mul, d.Add} {
		for n != 0 {
			common, n = n, common%n
		}
	}
	if common = max(common, -common); common > 1 {
		d.Mul, d.Add, d.Div = d.Mul/common, d.Add/common, d.Div/common
	}
	return d
}

func (d Dim) String() string {
	if d.Static() {
		return strconv.Itoa(d.Max())
	}
	return "≤" + strconv.Itoa(d.Max())
}

// Shape is a list of lengths; only the first may vary.
type Shape []Dim

// Cols is the last length: the channels.
func (s Shape) Cols() int {
	if len(s) == 0 {
		return 1
	}
	return s[len(s)-1].Max()
}

// Rows is the product of all lengths but the last.
func (s Shape) Rows() Dim {
	if len(s) < 2 {
		return N(1)
	}
	rows := s[0]
	for _, d := range s[1 : len(s)-1] {
		rows, _ = rows.Times(d.Max()) // checked when the shape was made
	}
	return rows
}

// Len is the number of elements in one Run.
func (s Shape) Len(scalars *Scalars) int {
	n := 1
	for _, d := range s {
		n *= d.At(scalars)
	}
	return n
}

// MaxLen is the largest number of elements.
func (s Shape) MaxLen() int {
	n := 1
	for _, d := range s {
		n *= d.Max()
	}
	return n
}

// Equal compares two shapes for all lengths.
func (s Shape) Equal(o Shape) bool {
	if len(s) != len(o) {
		return false
	}
	for i := range s {
		if s[i] != o[i] {
			return false
		}
	}
	return true
}

func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = d.String()
	}
	return "[" + strings.Join(parts, "×") + "]"
}

func (s Shape) check() error {
	if len(s) == 0 || len(s) > 4 {
		return fmt.Errorf("shape %v has %d dimensions, want 1 to 4", s, len(s))
	}
	total := 1
	for i, d := range s {
		if i > 0 && !d.Static() {
			return fmt.Errorf("shape %v: only the first dimension may vary", s)
		}
		if d.Max() <= 0 || d.Max() > maxActivation/total {
			return fmt.Errorf("shape %v is empty or too large", s)
		}
		total *= d.Max()
	}
	if len(s) > 2 && s[0].Div != 1 {
		return fmt.Errorf("shape %v: a divided dimension needs at most one other", s)
	}
	return nil
}

// maxActivation bounds the elements of one value.
const maxActivation = 1 << 30
