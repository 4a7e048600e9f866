package kerneltest

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

func attentionCases() []Case {
	var out []Case
	for name, op := range map[string]kernels.Attention{
		"plain":   {Heads: 3, KVHeads: 3},
		"grouped": {Heads: 6, KVHeads: 2},
		"causal":  {Heads: 4, KVHeads: 1, Causal: true},
		"window":  {Heads: 2, KVHeads: 2, Causal: true, Window: 5},
		"last":    {Heads: 2, KVHeads: 1, Window: 3},
		"softcap": {Heads: 2, KVHeads: 2, Scale: 2, SoftCap: 1.5},
	} {
		for _, head := range []int{1, 16, 24, 64, 80} {
			out = append(out, Case{Name: fmt.Sprintf("Attention/%s/%d", name, head), Runs: varying, Build: func(b *Builder) {
				op.Q = b.x("q", b.rows(40), op.Heads*head)
				op.K, op.V = b.x("k", b.rows(40), op.KVHeads*head), b.x("v", b.rows(40), op.KVHeads*head)
				b.Output("y", b.Add(op))
			}})
		}
	}
	for _, t := range []kernels.DType{kernels.F32, kernels.F16, kernels.BF16} {
		for _, head := range []int{16, 20, 64} {
			out = append(out, cached(t, head), tree(t, head), cross(t, head))
		}
	}
	return append(out, Case{Name: "Attention/batch", Build: func(b *Builder) {
		q, k, v := b.x("q", kernels.N(3*7), 32), b.x("k", kernels.N(3*5), 32), b.x("v", kernels.N(3*5), 32)
		b.Output("y", b.Add(kernels.Attention{Q: q, K: k, V: v, Heads: 2, KVHeads: 2, Batch: 3}))
	}}, Case{Name: "Attention/windows", Build: func(b *Builder) {
		q, k, v := b.x("q", kernels.N(4*9), 32), b.x("k", kernels.N(4*9), 16), b.x("v", kernels.N(4*9), 16)
		b.Output("y", b.Add(kernels.Attention{Q: q, K: k, V: v, Heads: 4, KVHeads: 2, Causal: true, Window: 4, Batch: 4}))
	}}, Case{Name: "Attention/masked", Runs: varying, Build: func(b *Builder) {
		q := b.x("q", b.rows(40), 32)
		k, v := b.x("k", kernels.N(50), 32), b.x("v", kernels.N(50), 32)
		mask := b.bytes("mask", 2, b.rows(40), kernels.N(50))
		b.Output("y", b.Add(kernels.Attention{Q: q, K: k, V: v, Heads: 2, KVHeads: 2, Mask: mask}))
	}}, Case{Name: "Attention/blind", Build: func(b *Builder) {
		q, k, v := b.x("q", kernels.N(3), 32), b.x("k", kernels.N(50), 32), b.x("v", kernels.N(50), 32)
		mask := b.bytes("mask", 1, kernels.N(3), kernels.N(50)) // hides every key
		b.Output("y", b.Add(kernels.Attention{Q: q, K: k, V: v, Heads: 2, KVHeads: 2, Mask: mask}))
	}})
}

// store adds keys and values of x to states of 90 rows.
func (b *Builder) store(t kernels.DType, x kernels.Value, cols, inputs int, past kernels.Scalar) (k, v kernels.Value) {
	keys := b.State("keys", t, kernels.N(90), kernels.N(cols))
	values := b.State("values", t, kernels.N(90), kernels.N(cols))
	k = b.Add(kernels.Store{X: b.Add(kernels.MatMul{X: x, W: b.w("wk", cols, inputs)}), State: keys, At: past})
	v = b.Add(kernels.Store{X: b.Add(kernels.MatMul{X: x, W: b.w("wv", cols, inputs)}), State: values, At: past})
	return k, v
}

// cached is a prompt, tokens after it, and a cache whose end is forgotten.
func cached(t kernels.DType, head int) Case {
	return Case{
		Name: fmt.Sprintf("Attention/cached/%v/%d", t, head),
		Runs: []Lengths{{"rows": 17, "past": 0}, {"rows": 1, "past": 17}, {"rows": 1, "past": 18}, {"rows": 5, "past": 19}, {"rows": 3, "past": 9}, {"rows": 40, "past": 12}, {"rows": 38, "past": 52}},
		Build: func(b *Builder) {
			past := b.scalar("past", 89)
			x := b.x("x", b.rows(40), 24)
			k, v := b.store(t, x, 2*head, 24, past)
			q := b.Add(kernels.MatMul{X: x, W: b.w("wq", 6*head, 24)})
			b.Output("y", b.Add(kernels.Attention{Q: q, K: k, V: v, Heads: 6, KVHeads: 2, Causal: true, Past: past}))
		},
	}
}

// tree masks the branches of a token tree from each other.
func tree(t kernels.DType, head int) Case {
	return Case{
		Name: fmt.Sprintf("Attention/tree/%v/%d", t, head),
		Runs: []Lengths{{"rows": 17, "past": 0}, {"rows": 12, "past": 17}, {"rows": 1, "past": 25}},
		Build: func(b *Builder) {
			past := b.scalar("past", 89)
			x := b.x("x", b.rows(40), 24)
			k, v := b.store(t, x, 2*head, 24, past)
			q := b.Add(kernels.MatMul{X: x, W: b.w("wq", 4*head, 24)})
			mask := b.bytes("mask", 3, b.rows(40), kernels.N(90))
			b.Output("y", b.Add(kernels.Attention{Q: q, K: k, V: v, Heads: 4, KVHeads: 2, Causal: true, Past: past, Mask: mask}))
		},
	}
}

// cross reads Length keys that an earlier run stored.
func cross(t kernels.DType, head int) Case {
	return Case{
		Name: fmt.Sprintf("Attention/cross/%v/%d", t, head),
		Runs: []Lengths{{"rows": 31, "length": 31}, {"rows": 1, "length": 31}, {"rows": 7, "length": 11}},
		Build: func(b *Builder) {
			length := b.scalar("length", 90)
			x := b.x("x", b.rows(40), 24)
			k, v := b.store(t, x, 2*head, 24, kernels.Scalar{})
			b.Output("y", b.Add(kernels.Attention{
				Q: b.Add(kernels.MatMul{X: x, W: b.w("wq", 2*head, 24)}), K: k, V: v, Heads: 2, KVHeads: 2, Length: length,
			}))
		},
	}
}
