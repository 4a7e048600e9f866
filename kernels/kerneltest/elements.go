package kerneltest

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

func elementCases() []Case {
	var out []Case
	for act := kernels.Identity; act <= kernels.Tanh; act++ {
		out = append(out, Case{Name: fmt.Sprintf("Activate/%d", act), Runs: varying, Build: func(b *Builder) {
			x := b.x("x", b.rows(40), 29)
			wide := b.Add(kernels.Binary{Kind: kernels.Mul, X: x, Y: b.Add(kernels.Const{W: kernels.NewWeight("wide", []float32{8}, 1)})})
			b.Output("y", b.Add(kernels.Activate{X: x, Act: act}))
			b.Output("far", b.Add(kernels.Activate{X: wide, Act: act}))
		}})
	}
	for kind := kernels.Add; kind <= kernels.Hypot; kind++ {
		for name, act := range map[string]kernels.Activation{"plain": kernels.Identity, "gate": kernels.SiLU} {
			out = append(out, Case{Name: fmt.Sprintf("Binary/%d/%s", kind, name), Runs: varying, Build: func(b *Builder) {
				n := b.rows(40)
				x := b.x("x", n, 29)
				b.Output("x.same", b.Add(kernels.Binary{Kind: kind, X: x, Y: b.x("y", n, 29), Act: act}))
				b.Output("x.row", b.Add(kernels.Binary{Kind: kind, X: x, Y: b.x("row", kernels.N(1), 29), Act: act}))
				b.Output("x.column", b.Add(kernels.Binary{Kind: kind, X: x, Y: b.x("column", n, 1), Act: act}))
				b.Output("x.one", b.Add(kernels.Binary{Kind: kind, X: x, Y: b.x("one", kernels.N(1), 1), Act: act}))
			}})
		}
	}
	return out
}

func moveCases() []Case {
	return []Case{
		{Name: "Gather", Runs: varying, Build: func(b *Builder) {
			b.Output("y", b.Add(kernels.Gather{X: b.x("x", kernels.N(11), 23), Rows: b.ids("r", b.rows(40), 11)}))
		}},
		{Name: "Const", Build: func(b *Builder) {
			b.Output("matrix", b.Add(kernels.Const{W: b.typed("w", kernels.F16, 3, 7)}))
			b.Output("vector", b.Add(kernels.Const{W: b.vector("v", 9)}))
		}},
		{Name: "Store", Runs: []Lengths{{"rows": 5, "at": 0}, {"rows": 1, "at": 5}, {"rows": 7, "at": 2}, {"rows": 0, "at": 20}, {"rows": 9, "at": 11}}, Build: func(b *Builder) {
			at, x := b.scalar("at", 20), b.x("x", b.rows(20), 7)
			for _, t := range []kernels.DType{kernels.F32, kernels.F16, kernels.BF16} {
				b.Add(kernels.Store{X: x, State: b.State(t.String(), t, kernels.N(20), kernels.N(7)), At: at})
			}
		}},
		{Name: "Pad", Build: func(b *Builder) {
			b.Output("y", b.Add(kernels.Pad{X: b.x("x", kernels.N(9), 5), Left: 4, Right: 8}))
		}},
		{Name: "MeanRows", Runs: varying, Build: func(b *Builder) {
			b.Output("y", b.Add(kernels.MeanRows{X: b.x("x", b.rows(40), 35)}))
		}},
		{Name: "Concat/rows", Runs: varying, Build: func(b *Builder) {
			head := b.Add(kernels.Const{W: b.w("head", 2, 9)})
			b.Output("y", b.Add(kernels.Concat{Xs: []kernels.Value{head, b.x("x", b.rows(40), 9), head}}))
		}},
		{Name: "Concat/channels", Runs: varying, Build: func(b *Builder) {
			x := b.x("x", b.rows(40), 9)
			b.Output("y", b.Add(kernels.Concat{Xs: []kernels.Value{x, b.x("z", b.rows(40), 4), x}, Axis: 1}))
		}},
		{Name: "Slice", Runs: varying, Build: func(b *Builder) {
			x := b.x("x", b.rows(40).Plus(3), 20)
			b.Output("rows", b.Add(kernels.Slice{X: x, Start: 1, Len: 2}))
			b.Output("rest", b.Add(kernels.Slice{X: x, Start: 3}))
			b.Output("channels", b.Add(kernels.Slice{X: x, Axis: 1, Start: 5, Len: 7}))
			part := b.Add(kernels.Slice{X: x, Axis: 1, Start: 4, Len: 16})
			b.Output("product", b.Add(kernels.MatMul{X: part, W: b.w("w", 6, 16)}))
			b.Output("norm", b.Add(kernels.Norm{X: part, Kind: kernels.RMS, Epsilon: 1e-5}))
		}},
		{Name: "Reshape", Runs: varying, Build: func(b *Builder) {
			x := b.x("x", b.rows(40), 12)
			y := b.Add(kernels.Reshape{X: x, Shape: kernels.Shape{b.rows(40), kernels.N(3), kernels.N(4)}})
			b.Output("y", y)
			b.Output("norm", b.Add(kernels.Norm{X: y, Kind: kernels.Layer, Epsilon: 1e-5}))
		}},
	}
}
