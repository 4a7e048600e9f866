package kernelbench

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

// repeat is how often a graph repeats a product: the weights of the sizes below
// then exceed the caches near a core, as those of a model do.
const repeat = 8

func benchmarks() []benchmark {
	var out []benchmark
	for _, p := range []kernels.Precision{kernels.Float32, kernels.BFloat16, kernels.Int8} {
		for _, s := range []struct{ rows, outputs, inputs int }{{50, 768, 768}, {50, 3072, 768}, {50, 768, 3072}, {512, 1536, 576}} {
			out = append(out, gemm(p, s.rows, s.outputs, s.inputs))
		}
		out = append(out, conv(p), conv2D(p))
	}
	out = append(out, calibrated(50, 768, 768), calibrated(50, 3072, 768), calibrated(50, 768, 3072), lstm())
	for _, t := range []kernels.DType{kernels.F32, kernels.F16, kernels.BF16, kernels.I8, kernels.Q4_0, kernels.Q4_1, kernels.Q8_0, kernels.Q4_K, kernels.Q6_K} {
		out = append(out, matVec(t), fewRows(t, 8), fewRows(t, 512))
	}
	for _, t := range []kernels.DType{kernels.F32, kernels.F16} {
		out = append(out, attention(t, 1, 512), attention(t, 12, 500), attention(t, 512, 0))
	}
	return append(append(append(out, elementwise()...), moves()...), signals()...)
}

// gemm is a product of f32 weights at a precision.
func gemm(p kernels.Precision, rows, outputs, inputs int) benchmark {
	return benchmark{
		op: fmt.Sprintf("gemm_%dx%dx%d", rows, outputs, inputs), precision: p.String(), options: kernels.Options{Precision: p}, multiplies: p,
		flops: 2 * repeat * float64(rows) * float64(outputs) * float64(inputs),
		build: func(g *kernels.Graph) { products(g, kernels.F32, repeat, rows, outputs, inputs) },
	}
}

// products are separate products of separate inputs with weights of their own,
// whose numbers happen to be the same. Only the last result is an output, so
// that the others may share memory, as the results in a model do.
func products(g *kernels.Graph, t kernels.DType, count, rows, outputs, inputs int) {
	var y kernels.Value
	noise := Random("w", t, outputs, inputs)
	for i := range count {
		w := *noise
		x := g.Input(fmt.Sprintf("x%d", i), kernels.F32, kernels.N(rows), kernels.N(inputs))
		y = g.Add(kernels.MatMul{X: x, W: &w})
	}
	g.Output("y", y)
}

// matVec is one row times stored weights, bound by their bytes: more of them
// than the last cache holds.
func matVec(t kernels.DType) benchmark {
	const outputs, inputs, enough = 6144, 2048, 80 << 20
	row, _ := t.RowBytes(inputs)
	count := max(2, enough/(row*outputs))
	return benchmark{
		op: "matvec", precision: t.String(), bytes: float64(count * row * outputs),
		build: func(g *kernels.Graph) { products(g, t, count, 1, outputs, inputs) },
	}
}

// fewRows is a short prompt, a tree of tokens, or a long prompt.
func fewRows(t kernels.DType, rows int) benchmark {
	const outputs, inputs = 1536, 768
	return benchmark{
		op: fmt.Sprintf("rows%d", rows), precision: t.String(), multiplies: arithmetic(t), flops: 2 * repeat * float64(rows) * outputs * inputs,
		build: func(g *kernels.Graph) { products(g, t, repeat, rows, outputs, inputs) },
	}
}

// attention has the heads of a small decoder.
func attention(t kernels.DType, rows, past int) benchmark {
	const heads, kvHeads, head, keys = 9, 3, 64, 1024
	// A causal query sees half of its own run's keys.
	flops := 4 * float64(rows) * (float64(past) + float64(rows+1)/2) * heads * head
	return benchmark{
		op: fmt.Sprintf("attention_%dx%d", rows, past+rows), precision: t.String(), flops: flops, multiplies: kernels.Float32,
		scalars: map[string]int{"past": past},
		build: func(g *kernels.Graph) {
			q := g.Input("q", kernels.F32, kernels.N(rows), kernels.N(heads*head))
			k := g.State("k", t, kernels.N(keys), kernels.N(kvHeads*head))
			v := g.State("v", t, kernels.N(keys), kernels.N(kvHeads*head))
			g.Output("y", g.Add(kernels.Attention{Q: q, K: k, V: v, Heads: heads, KVHeads: kvHeads, Causal: true, Past: g.Scalar("past", keys-1)}))
		},
	}
}

// conv is the second convolution of an audio encoder.
func conv(p kernels.Precision) benchmark {
	const frames, channels, kernel = 300, 512, 3
	return benchmark{
		op: "conv1d", precision: p.String(), options: kernels.Options{Precision: p}, multiplies: p, flops: 2 * frames / 2 * channels * channels * kernel,
		build: func(g *kernels.Graph) {
			x := g.Input("x", kernels.F32, kernels.N(frames), kernels.N(channels))
			g.Output("y", g.Add(kernels.Conv1D{X: x, W: Random("w", kernels.F32, channels, channels, kernel), Stride: 2, Padding: 1}))
		},
	}
}

// arithmetic is how a product of stored weights multiplies.
func arithmetic(t kernels.DType) kernels.Precision {
	switch t {
	case kernels.F32, kernels.F16:
		return kernels.Float32
	case kernels.BF16:
		return kernels.BFloat16
	}
	return kernels.Int8
}

// The numbers that an operator of elementwise sees.
const elementRows, elementCols = 512, 1536

// elementwise are operators that read and write each number about once.
func elementwise() []benchmark {
	const rows, cols = elementRows, elementCols
	one := func(op string, values int, add func(g *kernels.Graph, x kernels.Value) kernels.Op) benchmark {
		return benchmark{op: op, precision: "f32", cached: true, bytes: float64(4 * values * rows * cols), build: func(g *kernels.Graph) {
			x := g.Input("x", kernels.F32, kernels.N(rows), kernels.N(cols))
			g.Output("y", g.Add(add(g, x)))
		}}
	}
	out := []benchmark{
		one("norm", 2, func(g *kernels.Graph, x kernels.Value) kernels.Op {
			return kernels.Norm{X: x, Kind: kernels.RMS, Epsilon: 1e-5}
		}),
		one("layernorm", 2, func(g *kernels.Graph, x kernels.Value) kernels.Op {
			return kernels.Norm{X: x, Kind: kernels.Layer, Epsilon: 1e-5}
		}),
		one("softmax", 2, func(g *kernels.Graph, x kernels.Value) kernels.Op { return kernels.Softmax{X: x} }),
		one("rope", 2, func(g *kernels.Graph, x kernels.Value) kernels.Op {
			return kernels.RoPE{X: x, Positions: g.Input("positions", kernels.I32, kernels.N(rows)), Heads: cols / 64, Base: 1e4}
		}),
		one("gate", 3, func(g *kernels.Graph, x kernels.Value) kernels.Op {
			y := g.Input("gate", kernels.F32, kernels.N(rows), kernels.N(cols))
			return kernels.Binary{Kind: kernels.Mul, X: x, Y: y, Act: kernels.SiLU}
		}),
	}
	for act, name := range map[kernels.Activation]string{kernels.GELU: "gelu", kernels.SiLU: "silu", kernels.QuickGELU: "quickgelu"} {
		out = append(out, one(name, 2, func(g *kernels.Graph, x kernels.Value) kernels.Op { return kernels.Activate{X: x, Act: act} }))
	}
	return out
}
