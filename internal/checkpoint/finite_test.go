package checkpoint

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

// Finite finds a NaN wherever the decoded numbers have one, in every type.
func TestFiniteAgreesWithTheNumbers(t *testing.T) {
	for d := F32; d <= Q6_K; d++ {
		if d.BlockLen() == 0 || d == I8 || d == I16 || d == I32 || d == I64 || d == U8 || d == Bool {
			continue
		}
		n := 3 * d.BlockLen()
		tensor := Tensor{Name: "w", DType: d, Shape: []int{n}, Data: make([]byte, 3*d.BlockSize())}
		for i := range tensor.Data {
			tensor.Data[i] = 0x11
		}
		numbers := make([]float32, n)
		for at := 0; at+1 < len(tensor.Data); at += 2 {
			for _, bits := range []uint16{0x7C00, 0x7E01, 0xFC00, 0x7F80, 0x7FF0, 0x3C00} {
				kept := binary.LittleEndian.Uint16(tensor.Data[at:])
				binary.LittleEndian.PutUint16(tensor.Data[at:], bits)
				if err := tensor.Float32(numbers); err != nil {
					t.Fatal(err)
				}
				bad := false
				for _, x := range numbers {
					bad = bad || x-x != 0
				}
				if err := tensor.Finite(); (err != nil) != bad {
					t.Errorf("%s with %#x at byte %d: %v, the numbers say bad=%v", d, bits, at, err, bad)
				}
				binary.LittleEndian.PutUint16(tensor.Data[at:], kept)
			}
		}
	}
}

func TestFiniteSaysWhere(t *testing.T) {
	w := Tensor{Name: "w", DType: F32, Shape: []int{4}, Data: make([]byte, 16)}
	binary.LittleEndian.PutUint32(w.Data[8:], math.Float32bits(float32(math.NaN())))
	if err := w.Finite(); err == nil || !strings.Contains(err.Error(), "tensor w: element 2") {
		t.Errorf("f32: %v", err)
	}
	q := Tensor{Name: "q", DType: Q8_0, Shape: []int{64}, Data: make([]byte, 68)}
	binary.LittleEndian.PutUint16(q.Data[34:], 0x7C00)
	if err := q.Finite(); err == nil || !strings.Contains(err.Error(), "elements 32 to 63") {
		t.Errorf("q8_0: %v", err)
	}
	ids := Tensor{Name: "ids", DType: I32, Shape: []int{1}, Data: make([]byte, 4)}
	if err := ids.Finite(); err == nil || !strings.Contains(err.Error(), "not a type of weights") {
		t.Errorf("i32: %v", err)
	}
}
