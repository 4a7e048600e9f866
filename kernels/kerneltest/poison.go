package kerneltest

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
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
