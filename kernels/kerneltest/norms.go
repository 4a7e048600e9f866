package kerneltest

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

func normCases() []Case {
	var out []Case
	for kind := kernels.Layer; kind <= kernels.L2; kind++ {
		for _, cols := range []int{1, 15, 64, 577} {
			out = append(out, Case{Name: fmt.Sprintf("Norm/%d/%d", kind, cols), Runs: varying, Build: func(b *Builder) {
				x := b.x("x", b.rows(40), cols)
				b.Output("y", b.Add(kernels.Norm{X: x, Kind: kind, Gain: b.vector("g", cols), Bias: b.vector("b", cols), Epsilon: 1e-5}))
				b.Output("plain", b.Add(kernels.Norm{X: x, Kind: kind, Epsilon: 1e-5}))
			}})
		}
		out = append(out, Case{Name: fmt.Sprintf("Norm/%d/groups", kind), Runs: varying, Build: func(b *Builder) {
			x := b.x("x", b.rows(40), 3*20)
			b.Output("y", b.Add(kernels.Norm{X: x, Kind: kind, Gain: b.vector("g", 20), GainOffset: 1, Epsilon: 1e-6, Groups: 3}))
		}})
	}
	return append(append(out, ropeCases()...), softmaxCases()...)
}

func ropeCases() []Case {
	var out []Case
	for name, op := range map[string]kernels.RoPE{
		"llama":       {Heads: 3, Base: 1e4},
		"one":         {Heads: 1, Base: 1e5},
		"partial":     {Heads: 2, Base: 1e4, Dims: 12},
		"interleaved": {Heads: 3, Base: 500, Interleaved: true},
		"mixed":       {Heads: 2, Base: 1e4, Dims: 20, Interleaved: true, Scale: 0.125},
	} {
		out = append(out, Case{Name: "RoPE/" + name, Runs: varying, Build: func(b *Builder) {
			op.X, op.Positions = b.x("x", b.rows(40), 120), b.ids("positions", b.rows(40), 3000)
			b.Output("y", b.Add(op))
		}})
	}
	return append(out, Case{Name: "RoPE/factors", Runs: varying, Build: func(b *Builder) {
		x, positions := b.x("x", b.rows(40), 64), b.ids("positions", b.rows(40), 100)
		b.Output("y", b.Add(kernels.RoPE{X: x, Positions: positions, Heads: 2, Base: 1e4, Factors: b.vector("factors", 16)}))
	}})
}

func softmaxCases() []Case {
	var out []Case
	for _, cols := range []int{1, 2, 17, 64, 1009} {
		for _, log := range []bool{false, true} {
			out = append(out, Case{Name: fmt.Sprintf("Softmax/%d/%t", cols, log), Runs: varying, Build: func(b *Builder) {
				b.Output("y", b.Add(kernels.Softmax{X: b.x("x", b.rows(40), cols), Log: log}))
			}})
		}
		out = append(out, Case{Name: fmt.Sprintf("LogProb/%d", cols), Runs: varying, Build: func(b *Builder) {
			x, n := b.x("x", kernels.N(9), cols), b.rows(40)
			b.Output("y", b.Add(kernels.LogProb{X: x, Rows: b.ids("r", n, 9), Cols: b.ids("c", n, cols)}))
		}})
	}
	return append(out, Case{
		Name: "LogProb/head", Runs: []Lengths{{"rows": 5, "n": 11}, {"rows": 40, "n": 1}, {"rows": 9, "n": 0}},
		Build: func(b *Builder) {
			n := b.scalar("n", 50).Dim()
			logits := b.Add(kernels.MatMul{X: b.x("x", b.rows(40), 64), W: b.typed("head", kernels.Q8_0, 521, 64)})
			b.Output("y", b.Add(kernels.LogProb{X: logits, Rows: b.ids("r", n, 5), Cols: b.ids("c", n, 521)}))
		},
	})
}
