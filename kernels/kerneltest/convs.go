package kerneltest

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

func convCases() []Case {
	var out []Case
	for _, p := range precisions {
		options := kernels.Options{Precision: p}
		out = append(out,
			Case{Name: fmt.Sprintf("Conv1D/%v", p), Options: options, Runs: varying, Build: func(b *Builder) {
				x := b.x("x", b.rows(40).Plus(2), 13)
				b.Output("y", b.Add(kernels.Conv1D{X: x, W: b.w("w", 21, 13, 3), Bias: b.vector("b", 21), Padding: 1, Act: kernels.GELU}))
				b.Output("half", b.Add(kernels.Conv1D{X: x, W: b.w("w2", 33, 13, 3), Stride: 2, Padding: 1}))
			}},
			Case{Name: fmt.Sprintf("Conv2D/%v", p), Options: options, Build: func(b *Builder) {
				x := b.Input("x", kernels.F32, kernels.N(9), kernels.N(11), kernels.N(5))
				b.Output("y", b.Add(kernels.Conv2D{X: x, W: b.w("w", 7, 5, 3, 3), Bias: b.vector("b", 7), Padding: 1, Act: kernels.ReLU}))
				b.Output("stride", b.Add(kernels.Conv2D{X: x, W: b.w("w2", 34, 5, 3, 2), Stride: 2}))
			}},
			Case{Name: fmt.Sprintf("LSTM/%v", p), Options: options, Runs: varying, Build: func(b *Builder) {
				h, c := b.State("h", kernels.F32, kernels.N(1), kernels.N(19)), b.State("c", kernels.F32, kernels.N(1), kernels.N(19))
				b.Output("y", b.Add(kernels.LSTM{
					X: b.x("x", b.rows(40), 11), WX: b.w("wx", 76, 11), WH: b.w("wh", 76, 19), BiasX: b.vector("bx", 76), BiasH: b.vector("bh", 76), H: h, C: c,
				}))
			}},
		)
	}
	return append(out,
		Case{Name: "Conv1D/causal", Runs: varying, Build: func(b *Builder) {
			b.Output("y", b.Add(kernels.Conv1D{X: b.x("x", b.rows(40), 6), W: b.w("w", 9, 6, 5), Left: 4}))
		}},
		Case{Name: "Conv1D/window", Build: func(b *Builder) {
			b.Output("y", b.Add(kernels.Conv1D{X: b.x("x", kernels.N(640), 1), W: b.w("w", 258, 1, 256), Stride: 128}))
		}},
		Case{Name: "Conv2D/patches", Build: func(b *Builder) {
			x := b.bytes("x", 256, kernels.N(24), kernels.N(16), kernels.N(3))
			b.Output("y", b.Add(kernels.Conv2D{
				X: x, W: b.w("w", 40, 3, 8, 8), Stride: 8, PixelScale: []float32{1. / 127, 1. / 128, 1. / 60}, PixelShift: []float32{-1, -1.1, -2},
			}))
		}},
		Case{Name: "Conv2D/bytes", Build: func(b *Builder) {
			x := b.bytes("x", 256, kernels.N(9), kernels.N(7), kernels.N(3))
			b.Output("y", b.Add(kernels.Conv2D{X: x, W: b.w("w", 4, 3, 3, 3), Padding: 1, PixelShift: []float32{-1, 0, -2}}))
			b.Output("z", b.Add(kernels.Conv2D{X: x, W: b.w("w1", 4, 3, 1, 1), PixelScale: []float32{1, .5, .25}}))
		}},
		Case{Name: "MaxPool2D", Build: func(b *Builder) {
			x := b.Input("x", kernels.F32, kernels.N(9), kernels.N(7), kernels.N(5))
			b.Output("y", b.Add(kernels.MaxPool2D{X: x, Kernel: 3, Stride: 2, Padding: 1}))
			b.Output("z", b.Add(kernels.MaxPool2D{X: x, Kernel: 2}))
		}},
	)
}
