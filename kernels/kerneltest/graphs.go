package kerneltest

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

// graphCases are the patterns that a compiler fuses, and some that only look
// like them: a value with a second reader must still be there.
func graphCases() []Case {
	var out []Case
	for _, t := range []kernels.DType{kernels.F32, kernels.BF16, kernels.I8, kernels.Q4_1, kernels.Q8_0} {
		out = append(out,
			Case{Name: fmt.Sprintf("graph/llama/%v", t), Runs: []Lengths{{"rows": 11, "past": 0}, {"rows": 1, "past": 11}, {"rows": 1, "past": 12}, {"rows": 6, "past": 13}, {"rows": 33, "past": 19}},
				Build: func(b *Builder) { llama(b, t, 2) }},
			Case{Name: fmt.Sprintf("graph/vit/%v", t), Build: func(b *Builder) { vit(b, t) }},
		)
	}
	return append(out,
		Case{Name: "graph/gates", Runs: varying, Build: func(b *Builder) {
			x := b.Add(kernels.Norm{X: b.x("x", b.rows(40), 64), Kind: kernels.RMS, Gain: b.vector("g", 64), Epsilon: 1e-5})
			gate, up := b.Add(kernels.MatMul{X: x, W: b.w("gate", 70, 64)}), b.Add(kernels.MatMul{X: x, W: b.w("up", 70, 64)})
			glu := b.Add(kernels.Binary{Kind: kernels.Mul, X: gate, Y: up, Act: kernels.SiLU})
			b.Output("both", b.Add(kernels.Binary{Kind: kernels.Add, X: glu, Y: gate})) // gate is read twice
			b.Output("norm", b.Add(kernels.Activate{X: x, Act: kernels.Tanh}))          // and so is the norm
		}},
		Case{Name: "graph/bias", Runs: varying, Build: func(b *Builder) {
			y := b.Add(kernels.MatMul{X: b.x("x", b.rows(40), 20), W: b.w("w", 36, 20)})
			y = b.Add(kernels.Binary{Kind: kernels.Add, X: y, Y: b.Add(kernels.Const{W: b.vector("bias", 36)})})
			y = b.Add(kernels.Activate{X: y, Act: kernels.GELU})
			b.Output("y", b.Add(kernels.Binary{Kind: kernels.Add, X: y, Y: b.x("r", b.rows(40), 36)}))
		}},
		Case{Name: "graph/outputs", Runs: varying, Build: func(b *Builder) {
			y := b.Add(kernels.MatMul{X: b.x("x", b.rows(40), 20), W: b.w("w", 36, 20)})
			z := b.Add(kernels.Activate{X: y, Act: kernels.SiLU})
			b.Output("y", y)
			b.Output("z", z)
			b.Output("sum", b.Add(kernels.Binary{Kind: kernels.Add, X: z, Y: y}))
		}},
		Case{Name: "graph/residual", Runs: varying, Build: func(b *Builder) {
			x := b.x("x", b.rows(40), 32)
			y := b.Add(kernels.MatMul{X: x, W: b.w("w", 32, 32)})
			b.Output("double", b.Add(kernels.Binary{Kind: kernels.Add, X: y, Y: y})) // both operands are the product
			late := b.Add(kernels.MatMul{X: x, W: b.w("w2", 32, 32)})
			b.Output("late", b.Add(kernels.Binary{Kind: kernels.Add, X: late, Y: b.Add(kernels.Activate{X: x, Act: kernels.Tanh})}))
		}},
		Case{Name: "graph/mixed", Options: kernels.Options{Precision: kernels.Int8, Keep: map[string]bool{"w2": true}}, Runs: varying, Build: func(b *Builder) {
			x := b.Add(kernels.Norm{X: b.x("x", b.rows(40), 64), Kind: kernels.Layer, Epsilon: 1e-5})
			b.Output("a", b.Add(kernels.MatMul{X: x, W: b.w("w1", 33, 64)})) // one input, three precisions
			b.Output("b", b.Add(kernels.MatMul{X: x, W: b.w("w2", 33, 64)}))
			b.Output("c", b.Add(kernels.MatMul{X: x, W: b.typed("w3", kernels.Q4_0, 33, 64)}))
		}},
	)
}

// llama is a decoder of some layers of width 64 with a cache of 64 rows.
func llama(b *Builder, t kernels.DType, layers int) {
	past, n := b.scalar("past", 63), b.rows(40)
	positions := b.ids("positions", n, 64)
	table := b.typed("table", kernels.Q8_0, 101, 64)
	x := b.Add(kernels.Embed{Table: table, IDs: b.ids("ids", n, 101)})
	for l := range layers {
		w := func(name string, outputs, inputs int) *kernels.Weight {
			return b.typed(fmt.Sprintf("%d.%s", l, name), t, outputs, inputs)
		}
		norm := func(x kernels.Value) kernels.Value {
			return b.Add(kernels.Norm{X: x, Kind: kernels.RMS, Gain: b.vector("gain", 64), Epsilon: 1e-5})
		}
		h := norm(x)
		q := b.Add(kernels.MatMul{X: h, W: w("q", 64, 64)})
		k := b.Add(kernels.MatMul{X: h, W: w("k", 32, 64)})
		v := b.Add(kernels.MatMul{X: h, W: w("v", 32, 64)})
		q = b.Add(kernels.RoPE{X: q, Positions: positions, Heads: 4, Base: 1e4})
		k = b.Add(kernels.RoPE{X: k, Positions: positions, Heads: 2, Base: 1e4})
		keys := b.State(fmt.Sprintf("keys%d", l), kernels.F32, kernels.N(64), kernels.N(32))
		values := b.State(fmt.Sprintf("values%d", l), kernels.F32, kernels.N(64), kernels.N(32))
		a := b.Add(kernels.Attention{
			Q: q, K: b.Add(kernels.Store{X: k, State: keys, At: past}), V: b.Add(kernels.Store{X: v, State: values, At: past}),
			Heads: 4, KVHeads: 2, Causal: true, Past: past,
		})
		x = b.Add(kernels.MatMul{X: a, W: w("o", 64, 64), Residual: x})
		h = norm(x)
		gate, up := b.Add(kernels.MatMul{X: h, W: w("gate", 96, 64)}), b.Add(kernels.MatMul{X: h, W: w("up", 96, 64)})
		h = b.Add(kernels.Binary{Kind: kernels.Mul, X: gate, Y: up, Act: kernels.SiLU})
		x = b.Add(kernels.Binary{Kind: kernels.Add, X: x, Y: b.Add(kernels.MatMul{X: h, W: w("down", 64, 96)})})
	}
	x = b.Add(kernels.Norm{X: x, Kind: kernels.RMS, Gain: b.vector("last", 64), Epsilon: 1e-5})
	b.Output("logits", b.Add(kernels.MatMul{X: x, W: table}))
}

// vit is an image encoder of one layer with a class token.
func vit(b *Builder, t kernels.DType) {
	image := b.bytes("image", 256, kernels.N(32), kernels.N(32), kernels.N(3))
	patches := b.Add(kernels.Conv2D{X: image, W: b.w("patch", 64, 3, 8, 8), Stride: 8, PixelScale: []float32{.01, .01, .01}, PixelShift: []float32{-1, -1, -1}})
	rows := b.Add(kernels.Reshape{X: patches, Shape: kernels.Shape{kernels.N(16), kernels.N(64)}})
	x := b.Add(kernels.Concat{Xs: []kernels.Value{b.Add(kernels.Const{W: b.w("class", 1, 64)}), rows}})
	x = b.Add(kernels.Binary{Kind: kernels.Add, X: x, Y: b.Add(kernels.Const{W: b.w("position", 17, 64)})})
	norm := func(x kernels.Value) kernels.Value {
		return b.Add(kernels.Norm{X: x, Kind: kernels.Layer, Gain: b.vector("gain", 64), Bias: b.vector("shift", 64), Epsilon: 1e-5})
	}
	h := norm(x)
	product := func(x kernels.Value, name string, outputs, inputs int) kernels.Value {
		return b.Add(kernels.MatMul{X: x, W: b.typed(name, t, outputs, inputs), Bias: b.vector(name+".bias", outputs)})
	}
	a := b.Add(kernels.Attention{Q: product(h, "q", 64, 64), K: product(h, "k", 64, 64), V: product(h, "v", 64, 64), Heads: 4, KVHeads: 4})
	x = b.Add(kernels.Binary{Kind: kernels.Add, X: x, Y: product(a, "o", 64, 64)})
	h = b.Add(kernels.Activate{X: product(norm(x), "up", 128, 64), Act: kernels.QuickGELU})
	x = b.Add(kernels.Binary{Kind: kernels.Add, X: product(h, "down", 64, 128), Y: x})
	b.Output("class", b.Add(kernels.Norm{X: b.Add(kernels.Slice{X: x, Start: 0, Len: 1}), Kind: kernels.L2, Epsilon: 1e-12}))
	b.Output("mean", b.Add(kernels.MeanRows{X: x}))
}
