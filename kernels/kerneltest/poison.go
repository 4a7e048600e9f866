package kerneltest

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// poison checks that a number that is none spoils its own row and no other: at
// every precision, through norms, products, gates and softmax.
func poison(t *testing.T, backend kernels.Backend) {
	for _, w := range weightTypes {
		for _, p := range precisions {
			t.Run(fmt.Sprintf("%v/%v", w, p), func(t *testing.T) {
				c := Case{Name: "poison", Options: kernels.Options{Precision: p}, Build: func(b *Builder) { poisoned(b, w) }}
				spoil(t, start(t, c, backend))
			})
		}
	}
}

// poisonRanges does so where the range of 8 bits is fixed: then the scale of a row
// does not tell by itself. Rows few and many, and through a cell.
func poisonRanges(t *testing.T, backend kernels.Backend) {
	options := kernels.Options{Precision: kernels.Int8, Ranges: map[string]float32{"gate": 3, "up": 3, "down": 3, "wx": 3, "wh": 1}}
	bads := []float64{math.NaN(), math.Inf(1)} // what is infinite a range would clip
	if backend.Name() == ref.Exact().Name() {
		bads = bads[:1] // which has no ranges
	}
	t.Run("ranges", func(t *testing.T) {
		spoil(t, start(t, Case{Name: "poison", Options: options, Build: func(b *Builder) { poisoned(b, kernels.F32) }}, backend))
	})
	for _, rows := range []int{1, 3, 9, 40} {
		t.Run(fmt.Sprintf("ranges/%d", rows), func(t *testing.T) {
			r := start(t, Case{Name: "poison", Options: options, Build: func(b *Builder) {
				b.Output("y", b.Add(kernels.MatMul{X: b.x("x", kernels.N(rows), 70), W: b.w("down", 40, 70)}))
			}}, backend)
			for _, bad := range bads {
				spoilOne(t, r, rows-1, 69, bad)
			}
		})
	}
	cell := Case{Name: "poison", Options: options, Build: func(b *Builder) {
		h, c := b.State("h", kernels.F32, kernels.N(1), kernels.N(19)), b.State("c", kernels.F32, kernels.N(1), kernels.N(19))
		b.Output("y", b.Add(kernels.LSTM{X: b.x("x", kernels.N(3), 11), WX: b.w("wx", 76, 11), WH: b.w("wh", 76, 19), H: h, C: c}))
	}}
	for _, bad := range bads {
		t.Run(fmt.Sprintf("ranges/LSTM/%g", bad), func(t *testing.T) {
			spoilOne(t, start(t, cell, backend), 1, 5, bad) // and all rows after it
		})
		t.Run(fmt.Sprintf("ranges/LSTM state/%g", bad), func(t *testing.T) {
			r := start(t, cell, backend)
			r.session.F32(1)[7] = float32(bad)
			spoilOne(t, r, 0, 0, 0)
		})
	}
}

// spoilOne makes one input bad; its row of y and, of a cell, those after it are then none.
func spoilOne(t *testing.T, r *runner, row, column int, bad float64) {
	t.Helper()
	x := r.session.F32(1)
	if r.Info(1).Kind == kernels.IsState {
		x = r.session.F32(3)
	}
	rows := len(r.session.F32(r.Outputs[0])) / r.Shape(r.Outputs[0]).Cols()
	for i := range x {
		x[i] = float32(i%7)/4 - 1
	}
	x[row*len(x)/rows+column] = float32(bad)
	if err := r.session.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	y := r.session.F32(r.Outputs[0])
	for i, v := range y {
		if math.IsNaN(float64(v)) != (i/(len(y)/rows) >= row) {
			t.Fatalf("y[%d] of %d rows is %g; row %d holds a number that is none", i, rows, v, row)
		}
	}
}

func poisoned(b *Builder, w kernels.DType) {
	const n = 256
	x := b.Add(kernels.Norm{X: b.x("x", kernels.N(5), n), Kind: kernels.RMS, Epsilon: 1e-5})
	gate, up := b.Add(kernels.MatMul{X: x, W: b.typed("gate", w, n, n)}), b.Add(kernels.MatMul{X: x, W: b.typed("up", w, n, n)})
	h := b.Add(kernels.Binary{Kind: kernels.Mul, X: gate, Y: up, Act: kernels.SiLU})
	y := b.Add(kernels.MatMul{X: h, W: b.typed("down", w, 40, n), Act: kernels.ReLU})
	b.Output("y", y)
	b.Output("p", b.Add(kernels.Softmax{X: y}))
}

func spoil(t *testing.T, r *runner) {
	x := kernels.Value(1)
	const n, row = 256, 3
	for i := range r.session.F32(x) {
		r.session.F32(x)[i] = float32(i%7) - 3
	}
	r.session.F32(x)[row*n+100] = float32(math.NaN())
	if err := r.session.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for name, got := range r.results() {
		for i, v := range got {
			if math.IsNaN(float64(v)) != (i/40 == row) {
				t.Fatalf("%s[%d, %d] is %g; only row %d holds a number that is none", name, i/40, i%40, v, row)
			}
		}
	}
}
