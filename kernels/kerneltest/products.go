package kerneltest

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

var weightTypes = []kernels.DType{
	kernels.F32, kernels.F16, kernels.BF16, kernels.I8,
	kernels.Q4_0, kernels.Q4_1, kernels.Q8_0, kernels.Q4_K, kernels.Q6_K,
}

var precisions = []kernels.Precision{kernels.Stored, kernels.Float32, kernels.BFloat16, kernels.Int8}

// products are matrix products and lookups of all types and precisions.
func products() []Case {
	var out []Case
	for _, t := range weightTypes {
		inputs := 37
		if numbers, _ := t.Block(); numbers > 1 {
			inputs = 3 * numbers
		}
		for _, p := range precisions {
			out = append(out, Case{
				Name: fmt.Sprintf("MatMul/%v/%v", t, p), Options: kernels.Options{Precision: p}, Runs: varying,
				Build: func(b *Builder) {
					x := b.x("x", b.rows(40), inputs)
					w := b.typed("w", t, 67, inputs)
					b.Output("y", b.Add(kernels.MatMul{X: x, W: w, Bias: b.vector("bias", 67)}))
				},
			})
		}
		out = append(out, Case{
			Name: fmt.Sprintf("Embed/%v", t), Runs: varying,
			Build: func(b *Builder) {
				ids := b.ids("ids", b.rows(40), 67)
				b.Output("y", b.Add(kernels.Embed{Table: b.typed("table", t, 67, inputs), IDs: ids, Scale: 3}))
			},
		})
	}
	return append(out, shapes()...)
}

// shapes are sizes around the tiles of kernels, and the rest of MatMul.
func shapes() []Case {
	var out []Case
	sizes := []struct{ rows, outputs, inputs int }{
		{1, 1, 1}, {1, 31, 3}, {2, 32, 32}, {5, 33, 64}, {6, 64, 96}, {7, 65, 17}, {13, 16, 129}, {64, 128, 32}, {65, 127, 256},
	}
	types := []kernels.DType{kernels.F32, kernels.F16, kernels.BF16, kernels.I8, kernels.Q4_1, kernels.Q8_0}
	for _, s := range sizes {
		for _, t := range types {
			if numbers, _ := t.Block(); s.inputs%numbers != 0 {
				continue
			}
			out = append(out, Case{
				Name: fmt.Sprintf("MatMul/%v/%dx%dx%d", t, s.rows, s.outputs, s.inputs),
				Build: func(b *Builder) {
					x := b.x("x", kernels.N(s.rows), s.inputs)
					b.Output("y", b.Add(kernels.MatMul{X: x, W: b.typed("w", t, s.outputs, s.inputs)}))
				},
			})
		}
	}
	for act := kernels.Identity; act <= kernels.Tanh; act++ {
		out = append(out, Case{Name: fmt.Sprintf("MatMul/residual/act%d", act), Runs: varying, Build: func(b *Builder) {
			x, r := b.x("x", b.rows(40), 48), b.x("r", b.rows(40), 35)
			b.Output("y", b.Add(kernels.MatMul{X: x, W: b.w("w", 35, 48), Bias: b.vector("bias", 35), Act: act, Residual: r}))
		}})
	}
	return append(out,
		Case{Name: "MatMul/vector", Build: func(b *Builder) {
			x := b.Input("x", kernels.F32, kernels.N(19))
			b.Output("y", b.Add(kernels.MatMul{X: x, W: b.w("w", 5, 19)}))
		}},
		Case{Name: "MatMul/image", Build: func(b *Builder) {
			x := b.Input("x", kernels.F32, kernels.N(3), kernels.N(5), kernels.N(19))
			b.Output("y", b.Add(kernels.MatMul{X: x, W: b.w("w", 6, 19)}))
		}},
		Case{Name: "MatMul/kept", Options: kernels.Options{Precision: kernels.Int8, Keep: map[string]bool{"w": true}}, Build: func(b *Builder) {
			b.Output("y", b.Add(kernels.MatMul{X: b.x("x", kernels.N(9), 70), W: b.w("w", 6, 70)}))
		}},
		Case{Name: "MatMul/range", Options: kernels.Options{Precision: kernels.Int8, Ranges: map[string]float32{"w": 2}}, Build: func(b *Builder) {
			b.Output("y", b.Add(kernels.MatMul{X: b.x("x", kernels.N(9), 70), W: b.w("w", 40, 70)}))
		}},
		Case{Name: "MatMul/zeros", Options: kernels.Options{Precision: kernels.Int8}, Build: func(b *Builder) {
			x := b.Add(kernels.Activate{X: b.x("x", kernels.N(3), 64), Act: kernels.ReLU})
			zero := b.Add(kernels.Binary{Kind: kernels.Mul, X: x, Y: b.Add(kernels.Const{W: kernels.NewWeight("zero", []float32{0}, 1)})})
			b.Output("i8", b.Add(kernels.MatMul{X: zero, W: b.w("w", 40, 64), Bias: b.vector("bias", 40)}))
			b.Output("q4", b.Add(kernels.MatMul{X: zero, W: b.typed("q", kernels.Q4_1, 40, 64)}))
		}},
	)
}
