package checkpoint

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Names of what stands beside an int8 weight, as compressed-tensors (the format
// "int-quantized" of Hugging Face and vLLM) has them: NAME.weight is I8
// [outputs, inputs...], NAME.weight_scale F32, F16 or BF16 [outputs] or
// [outputs, 1], NAME.input_scale, which may be absent, one such number. An
// element is its byte times the scale of its row; the input of the product is
// rounded to multiples of input_scale from -127 to 127.

// ScaleName is the name of the scales of a weight.
func ScaleName(weight string) string { return weight + "_scale" }

// InputScaleName is the name of the scale of what a weight is multiplied with.
func InputScaleName(weight string) string {
	return strings.TrimSuffix(weight, "weight") + "input_scale"
}

// quantisedMax is the largest byte: the range is symmetric.
const quantisedMax = 127

// joinScales gives int8 weights their scales. An int8 tensor without scales is
// no weight and stays as it is.
func (f *File) joinScales() error {
	for i := range f.Tensors {
		t := &f.Tensors[i]
		if t.DType != I8 || !f.Has(ScaleName(t.Name)) {
			continue
		}
		scales, err := f.scales(ScaleName(t.Name))
		if err != nil {
			return err
		}
		if len(t.Shape) < 2 || len(scales) != t.Shape[0] {
			return fmt.Errorf("tensor %s: shape %v with %d scales, want one for each row", t.Name, t.Shape, len(scales))
		}
		t.Scales = scales
		if !f.Has(InputScaleName(t.Name)) {
			continue
		}
		input, err := f.scales(InputScaleName(t.Name))
		if err != nil {
			return err
		}
		if len(input) != 1 {
			return fmt.Errorf("tensor %s: %d numbers, want one", InputScaleName(t.Name), len(input))
		}
		t.Range = quantisedMax * input[0]
	}
	return nil
}

// scales reads numbers that are finite and not negative.
func (f *File) scales(name string) ([]float32, error) {
	t, err := f.Tensor(name)
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]DType{F32, F16, BF16}, t.DType) {
		return nil, fmt.Errorf("tensor %s: scales of type %s, want F32, F16 or BF16", name, t.DType)
	}
	out := make([]float32, t.Len())
	if err := t.Float32(out); err != nil {
		return nil, err
	}
	for i, x := range out {
		if !(x >= 0 && x <= math.MaxFloat32/quantisedMax) {
			return nil, fmt.Errorf("tensor %s: scale %d is %g, want a number that is not negative", name, i, x)
		}
	}
	return out, nil
}

// Quantise rounds a weight of at least two dimensions to int8 with a scale for
// each row. limit is the largest magnitude of what it is multiplied with, or 0.
// The result is the weight and the tensors beside it.
func (t *Tensor) Quantise(limit float32) ([]Tensor, error) {
	if len(t.Shape) < 2 {
		return nil, fmt.Errorf("tensor %s: shape %v is no matrix", t.Name, t.Shape)
	}
	if err := t.Finite(); err != nil {
		return nil, err
	}
	w, err := t.Weight()
	if err != nil {
		return nil, err
	}
	rows, cols := w.Rows(), w.Cols()
	bytes, scales := make([]byte, rows*cols), make([]float32, rows)
	row := make([]float32, cols)
	for r := range rows {
		w.Row(row, r)
		scales[r] = quantiseRow(bytes[r*cols:(r+1)*cols], row)
	}
	t.Release()
	out := []Tensor{
		{Name: t.Name, DType: I8, Shape: t.Shape, Data: bytes, Scales: scales, Range: limit},
		floats(ScaleName(t.Name), scales, rows, 1),
	}
	if limit > 0 {
		out = append(out, floats(InputScaleName(t.Name), []float32{limit / quantisedMax}, 1))
	}
	return out, nil
}

func quantiseRow(dst []byte, src []float32) (scale float32) {
	top := float32(0)
	for _, x := range src {
		top = max(top, float32(math.Abs(float64(x))))
	}
	if top == 0 {
		return 0
	}
	scale = top / quantisedMax
	for i, x := range src {
		dst[i] = byte(int8(min(max(math.RoundToEven(float64(x/scale)), -quantisedMax), quantisedMax)))
	}
	return scale
}
