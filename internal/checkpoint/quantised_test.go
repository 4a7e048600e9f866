package checkpoint

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
)

func matrixOf(name string, numbers []float32, shape ...int) Tensor {
	return floats(name, numbers, shape...)
}

// Quantised weights come back from a file as they were made, near the original.
func TestQuantiseRoundTrip(t *testing.T) {
	numbers := make([]float32, 3*20)
	for i := range numbers {
		numbers[i] = float32(math.Sin(float64(i))) * float32(1+i/20)
	}
	for i := 40; i < 60; i++ {
		numbers[i] = 0 // a row of zeros
	}
	w := matrixOf("a.weight", numbers, 3, 20)
	q, err := w.Quantise(2)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := WriteSafetensors(path, append(q, matrixOf("a.bias", []float32{1, 2, 3}, 3)), map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := f.Shaped("a.weight", 3, 20)
	if err != nil {
		t.Fatal(err)
	}
	if got.DType != I8 || len(got.Scales) != 3 || math.Abs(float64(got.Range-2)) > 1e-6 || got.Finite() != nil {
		t.Fatalf("%+v", got)
	}
	back := make([]float32, 60)
	if err := got.Float32(back); err != nil {
		t.Fatal(err)
	}
	for i, x := range back {
		if off := math.Abs(float64(x - numbers[i])); off > float64(got.Scales[i/20])/2+1e-7 {
			t.Errorf("element %d is %g, was %g: off by more than half a step of %g", i, x, numbers[i], got.Scales[i/20])
		}
	}
	kernel, err := got.Weight()
	if err != nil || kernel.Check() != nil || kernel.Range != got.Range {
		t.Errorf("%+v, %v", kernel, err)
	}
}

// What stands beside an int8 weight is not trusted.
func TestHostileScales(t *testing.T) {
	bytes := Tensor{Name: "a.weight", DType: I8, Shape: []int{2, 4}, Data: make([]byte, 8)}
	good := matrixOf("a.weight_scale", []float32{1, 1}, 2, 1)
	for name, c := range map[string]struct {
		tensors []Tensor
		want    string
	}{
		"too few":     {[]Tensor{bytes, matrixOf("a.weight_scale", []float32{1}, 1)}, "with 1 scales"},
		"NaN":         {[]Tensor{bytes, matrixOf("a.weight_scale", []float32{1, float32(math.NaN())}, 2)}, "a.weight_scale: scale 1 is NaN"},
		"infinite":    {[]Tensor{bytes, matrixOf("a.weight_scale", []float32{float32(math.Inf(1)), 1}, 2)}, "scale 0 is +Inf"},
		"negative":    {[]Tensor{bytes, matrixOf("a.weight_scale", []float32{1, -1}, 2)}, "scale 1 is -1"},
		"integers":    {[]Tensor{bytes, {Name: "a.weight_scale", DType: I8, Shape: []int{2}, Data: []byte{1, 1}}}, "scales of type I8"},
		"many inputs": {[]Tensor{bytes, good, matrixOf("a.input_scale", []float32{1, 2}, 2)}, "a.input_scale: 2 numbers"},
		"bad input":   {[]Tensor{bytes, good, matrixOf("a.input_scale", []float32{-2}, 1)}, "a.input_scale: scale 0 is -2"},
		"a vector":    {[]Tensor{{Name: "v", DType: I8, Shape: []int{2}, Data: []byte{1, 2}}, matrixOf("v_scale", []float32{1, 1}, 2)}, "tensor v: shape [2]"},
	} {
		path := filepath.Join(t.TempDir(), "model.safetensors")
		if err := WriteSafetensors(path, c.tensors, nil); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
	}
	if _, err := bytes.Weight(); err == nil {
		t.Error("an int8 tensor without scales is a weight")
	}
}

func TestWriteRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	a := matrixOf("a", []float32{1}, 1)
	if err := WriteSafetensors(path, []Tensor{a, a}, nil); err == nil || !strings.Contains(err.Error(), "two of that name") {
		t.Errorf("a name twice: %v", err)
	}
	if err := WriteSafetensors(path, []Tensor{{Name: "q", DType: Q4_0, Shape: []int{32}, Data: make([]byte, 18)}}, nil); err == nil || !strings.Contains(err.Error(), "no type Q4_0") {
		t.Errorf("blocks: %v", err)
	}
}
