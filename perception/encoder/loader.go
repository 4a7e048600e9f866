package encoder

import (
	"fmt"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// Loader takes weights out of a model file and keeps the first error, so that a
// list of weights reads as a list. The file may be closed once the graphs that
// use the weights are compiled.
type Loader struct {
	file *checkpoint.File
	err  error
}

// NewLoader takes from f.
func NewLoader(f *checkpoint.File) *Loader { return &Loader{file: f} }

// Err is the first error, nil if there was none.
func (l *Loader) Err() error { return l.err }

// Has says whether the file has a tensor called name.
func (l *Loader) Has(name string) bool { return l.file.Has(name) }

// Fail keeps err unless there is an earlier one.
func (l *Loader) Fail(err error) {
	if l.err == nil && err != nil {
		l.err = fmt.Errorf("%s: %w", l.file.Path, err)
	}
}

// Take gives the tensor called name, which must have that shape and be without
// NaN and infinity; nil after an error.
func (l *Loader) Take(name string, shape ...int) *kernels.Weight {
	if l.err != nil {
		return nil
	}
	t, err := l.file.Shaped(name, shape...)
	if err != nil {
		l.err = err
		return nil
	}
	if err := t.Finite(); err != nil {
		l.Fail(err)
		return nil
	}
	w, err := t.Weight()
	l.Fail(err)
	return w
}

// Number gives a tensor of one element, whatever its shape.
func (l *Loader) Number(name string) float32 {
	if l.err != nil {
		return 0
	}
	t, err := l.file.Tensor(name)
	if err != nil {
		l.err = err
		return 0
	}
	if t.Len() != 1 {
		l.Fail(fmt.Errorf("tensor %s has shape %v, want one number", name, t.Shape))
		return 0
	}
	if err := t.Finite(); err != nil {
		l.Fail(err)
		return 0
	}
	var number [1]float32
	l.Fail(t.Float32(number[:]))
	return number[0]
}

// Linear is a matrix [outputs, inputs] with its bias, which may be nil.
type Linear struct {
	W, Bias *kernels.Weight
}

// Linear takes name.weight and name.bias.
func (l *Loader) Linear(name string, outputs, inputs int) Linear {
	return Linear{l.Take(name+".weight", outputs, inputs), l.Take(name+".bias", outputs)}
}

// Apply adds the product to the graph.
func (m Linear) Apply(g *kernels.Graph, x kernels.Value, act kernels.Activation) kernels.Value {
	return g.Add(kernels.MatMul{X: x, W: m.W, Bias: m.Bias, Act: act})
}

// Norm is the gain and bias of a layer norm.
type Norm struct {
	Gain, Bias *kernels.Weight
}

// Norm takes name.weight and name.bias.
func (l *Loader) Norm(name string, width int) Norm {
	return Norm{l.Take(name+".weight", width), l.Take(name+".bias", width)}
}

// Apply adds the norm to the graph.
func (n Norm) Apply(g *kernels.Graph, x kernels.Value, epsilon float32) kernels.Value {
	return g.Add(kernels.Norm{X: x, Kind: kernels.Layer, Gain: n.Gain, Bias: n.Bias, Epsilon: epsilon})
}

// Split cuts w into parts of rows that follow each other: files store the
// projections of queries, keys and values as one matrix. A vector is cut into
// vectors.
func Split(w *kernels.Weight, parts int) []*kernels.Weight {
	out := make([]*kernels.Weight, parts)
	if w == nil {
		return out
	}
	size := len(w.Data) / parts
	for i := range out {
		part := *w
		part.Name, part.Shape = fmt.Sprintf("%s[%d/%d]", w.Name, i, parts), append([]int{w.Shape[0] / parts}, w.Shape[1:]...)
		part.Data = w.Data[i*size : (i+1)*size]
		if w.Source != "" {
			part.Source = fmt.Sprintf("%s[%d/%d]", w.Source, i, parts)
		}
		if rows := len(w.Scales) / parts; rows > 0 {
			part.Scales = w.Scales[i*rows : (i+1)*rows]
		}
		out[i] = &part
	}
	return out
}
