package quantize

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// state is a job that is being done.
type state struct {
	job    Job
	source *checkpoint.File
	seen   *kernels.Calibration
	// products are the weights of products by tensor: one that a model cuts in
	// parts has several.
	products map[string][]string
	tables   map[string]bool // tensors that rows are looked up in, and no more
	kept     map[string]bool // tensors
	exact    map[int][]float32
	report   Report
}

func (j Job) open() (*state, error) {
	f, err := checkpoint.Open(j.Dir)
	if err != nil {
		return nil, err
	}
	s := &state{job: j, source: f, products: map[string][]string{}, tables: map[string]bool{}, kept: map[string]bool{}, exact: map[int][]float32{}}
	for _, name := range j.Keep {
		if !f.Has(name) {
			_, err := f.Tensor(name)
			return nil, fmt.Errorf("to be kept: %w", err)
		}
		s.kept[name] = true
	}
	return s, nil
}

// tensorOf is the tensor of a product's weight: "qkv.weight[0/3]" is a part of
// "qkv.weight".
func tensorOf(weight string) string {
	name, _, _ := strings.Cut(weight, "[")
	return name
}

// quantises says whether a product will be in int8.
func (s *state) quantises(weight string) bool {
	t := tensorOf(weight)
	return s.products[t] != nil && !s.kept[t]
}

// smallestTable is how many numbers a table of embeddings has at least to be
// worth rounding: positions are few and add to everything.
const smallestTable = 1 << 20

// settle finds the tensors that can be quantised and what rounding each costs.
func (s *state) settle() error {
	quantised := 0
	for _, name := range s.seen.Names() {
		t, err := s.source.Tensor(tensorOf(name))
		if err != nil {
			continue // computed by the model from others
		}
		switch {
		case t.Scales != nil || t.DType.BlockLen() > 1:
			quantised++
		case len(t.Shape) >= 2:
			s.products[t.Name] = append(s.products[t.Name], name)
		}
	}
	if len(s.products) == 0 && quantised > 0 {
		return fmt.Errorf("%s: its %d matrices are quantised already: start from the f32, f16 or bf16 model", s.source.Path, quantised)
	}
	if len(s.products) == 0 {
		return fmt.Errorf("%s: no matrix of the file is multiplied with: nothing to quantise", s.source.Path)
	}
	for _, name := range s.seen.Tables() {
		t, err := s.source.Tensor(name)
		if err == nil && s.products[name] == nil && len(t.Shape) == 2 && t.Scales == nil && t.DType.BlockLen() == 1 && t.Len() >= smallestTable {
			s.tables[name] = true
		}
	}
	for name := range s.kept {
		if s.products[name] == nil && !s.tables[name] {
			return fmt.Errorf("%s: tensor %s, to be kept, is neither a matrix of a product nor a table", s.source.Path, name)
		}
	}
	return s.rank()
}

// limit is the range of a tensor's input for a part of the magnitudes.
func (s *state) limit(tensor string, part float64) float32 {
	top := float32(0)
	for _, product := range s.products[tensor] {
		top = max(top, s.seen.Range(product, part))
	}
	return top
}

// ranges are those of all products.
func (s *state) ranges(part float64) map[string]float32 {
	out := map[string]float32{}
	for tensor, products := range s.products {
		for _, p := range products {
			out[p] = s.limit(tensor, part)
		}
	}
	return out
}

// rank orders products by the error that rounding each alone makes, on some
// rows that it met.
func (s *state) rank() error {
	for tensor, products := range s.products {
		t, err := s.source.Tensor(tensor)
		if err != nil {
			return err
		}
		q, err := t.Quantise(0)
		if err != nil {
			return fmt.Errorf("%s: %w", s.source.Path, err)
		}
		e, err := roundingError(t, &q[0], s.seen.Rows(products[0]), s.limit(tensor, 1))
		if err != nil {
			return err
		}
		if e >= 0 {
			s.report.Layers = append(s.report.Layers, Layer{tensor, e})
		}
	}
	slices.SortFunc(s.report.Layers, func(a, b Layer) int {
		switch {
		case a.Error > b.Error:
			return -1
		case a.Error < b.Error:
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return nil
}

// someOutputs bounds the outputs of a product that are compared.
const someOutputs = 256

// roundingError is the root of the mean square error of the product over that
// of its result; -1 where no rows of that length were kept.
func roundingError(exact, rounded *checkpoint.Tensor, rows [][]float32, limit float32) (float64, error) {
	w, err := exact.Weight()
	if err != nil {
		return 0, err
	}
	q, err := rounded.Weight()
	if err != nil {
		return 0, err
	}
	defer exact.Release()
	if len(rows) == 0 || len(rows[0]) != w.Cols() {
		return -1, nil
	}
	var off, size float64
	a, b := make([]float32, w.Cols()), make([]float32, w.Cols())
	step := max(1, w.Rows()/someOutputs)
	for r := 0; r < w.Rows(); r += step {
		w.Row(a, r)
		q.Row(b, r)
		for _, x := range rows {
			y, z := both(a, b, x, limit)
			off += (y - z) * (y - z)
			size += y * y
		}
	}
	if size == 0 {
		return 0, nil
	}
	return math.Sqrt(off / size), nil
}

// both are the exact product of a row and the one that rounding makes.
func both(a, b, x []float32, limit float32) (y, z float64) {
	scale := float64(limit) / 127
	if scale == 0 {
		return 0, 0
	}
	for i, v := range x {
		y += float64(a[i]) * float64(v)
		n := math.RoundToEven(min(max(float64(v)/scale, -127), 127))
		z += float64(b[i]) * n * scale
	}
	return y, z
}

// keepUntilGood leaves out the worst products until the loss is small enough.
func (s *state) keepUntilGood(ctx context.Context) error {
	const most = 16
	for n := 0; s.report.Chosen.Loss.Least < s.job.Least; n++ {
		worst := slices.IndexFunc(s.report.Layers, func(l Layer) bool { return !s.kept[l.Name] })
		if worst < 0 || n == most {
			return fmt.Errorf("%s: the cosine is %.5f although %d of %d products stay as they are; want %g (ask for less, or give more samples)",
				s.source.Path, s.report.Chosen.Loss.Least, len(s.kept), len(s.products), s.job.Least)
		}
		s.kept[s.report.Layers[worst].Name] = true
		var err error
		if s.report.Chosen.Loss, err = s.try(ctx, s.report.Chosen); err != nil {
			return err
		}
	}
	return nil
}
