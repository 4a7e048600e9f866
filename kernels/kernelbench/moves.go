package kernelbench

import "github.com/kuai-robot/kuai/kernels"

// calibrated is a product at Int8 whose input has a fixed range, which spares
// the search for each row's own.
func calibrated(rows, outputs, inputs int) benchmark {
	b := gemm(kernels.Int8, rows, outputs, inputs)
	b.op += "_calibrated"
	b.options.Ranges = map[string]float32{"w": 1}
	return b
}

// conv2D cuts a picture into patches, as image towers begin.
func conv2D(p kernels.Precision) benchmark {
	const size, patch, channels = 224, 32, 768
	places := size / patch * size / patch
	return benchmark{
		op: "conv2d", precision: p.String(), options: kernels.Options{Precision: p}, multiplies: p,
		flops: 2 * float64(places) * channels * 3 * patch * patch,
		build: func(g *kernels.Graph) {
			x := g.Input("x", kernels.U8, kernels.N(size), kernels.N(size), kernels.N(3))
			g.Output("y", g.Add(kernels.Conv2D{X: x, W: Random("w", kernels.F32, channels, 3, patch, patch), Stride: patch}))
		},
	}
}

// lstm is the recurrent layer of a voice detector: step after step, each bound
// by the one before.
func lstm() benchmark {
	const steps, hidden = 32, 128
	return benchmark{
		op: "lstm", precision: "f32", multiplies: kernels.Float32, flops: 2 * steps * 2 * 4 * hidden * hidden,
		build: func(g *kernels.Graph) {
			x := g.Input("x", kernels.F32, kernels.N(steps), kernels.N(hidden))
			h, c := g.State("h", kernels.F32, kernels.N(1), kernels.N(hidden)), g.State("c", kernels.F32, kernels.N(1), kernels.N(hidden))
			g.Output("y", g.Add(kernels.LSTM{X: x, WX: Random("wx", kernels.F32, 4*hidden, hidden), WH: Random("wh", kernels.F32, 4*hidden, hidden), H: h, C: c}))
		},
	}
}

// moves are operators that pick, place or add up what lies in a cache. Each
// makes something that the compiler cannot leave out.
func moves() []benchmark {
	const rows, cols = elementRows, elementCols
	one := func(op string, values float64, add func(g *kernels.Graph, x kernels.Value)) benchmark {
		return benchmark{op: op, precision: "f32", cached: true, bytes: 4 * values * rows * cols, build: func(g *kernels.Graph) {
			add(g, g.Input("x", kernels.F32, kernels.N(rows), kernels.N(cols)))
		}}
	}
	ids := func(g *kernels.Graph, n int) kernels.Value { return g.Input("ids", kernels.I32, kernels.N(n)) }
	return []benchmark{
		one("embed", 2, func(g *kernels.Graph, _ kernels.Value) {
			g.Output("y", g.Add(kernels.Embed{Table: Random("table", kernels.F32, rows, cols), IDs: ids(g, rows)}))
		}),
		one("gather", 2, func(g *kernels.Graph, x kernels.Value) {
			g.Output("y", g.Add(kernels.Gather{X: x, Rows: ids(g, rows)}))
		}),
		one("store", 1.5, func(g *kernels.Graph, x kernels.Value) { // f32 to f16
			g.Add(kernels.Store{X: x, State: g.State("s", kernels.F16, kernels.N(rows), kernels.N(cols))})
		}),
		one("concat", 4, func(g *kernels.Graph, x kernels.Value) {
			g.Output("y", g.Add(kernels.Concat{Xs: []kernels.Value{x, x}}))
		}),
		one("slice", 1, func(g *kernels.Graph, x kernels.Value) {
			half := g.Add(kernels.Slice{X: x, Axis: 1, Start: cols / 2, Len: cols / 2})
			g.Output("y", half)
		}),
		one("reshape", 2, func(g *kernels.Graph, x kernels.Value) {
			flat := g.Add(kernels.Reshape{X: x, Shape: kernels.Shape{kernels.N(2 * rows), kernels.N(cols / 2)}})
			g.Output("y", g.Add(kernels.Activate{X: flat, Act: kernels.ReLU}))
		}),
		one("pad", 2, func(g *kernels.Graph, x kernels.Value) {
			g.Output("y", g.Add(kernels.Pad{X: x, Left: 1, Right: 1}))
		}),
		one("mean", 1, func(g *kernels.Graph, x kernels.Value) { g.Output("y", g.Add(kernels.MeanRows{X: x})) }),
		one("maxpool", 1, func(g *kernels.Graph, _ kernels.Value) {
			image := g.Input("image", kernels.F32, kernels.N(rows/4), kernels.N(rows/4), kernels.N(16*cols/rows))
			g.Output("y", g.Add(kernels.MaxPool2D{X: image, Kernel: 2, Stride: 2}))
		}),
		one("add", 3, func(g *kernels.Graph, x kernels.Value) {
			table := g.Add(kernels.Const{W: Random("table", kernels.F32, rows, cols)})
			g.Output("y", g.Add(kernels.Binary{X: x, Y: table}))
		}),
		one("logprob", 1, func(g *kernels.Graph, x kernels.Value) {
			cols := g.Input("cols", kernels.I32, kernels.N(rows))
			g.Output("y", g.Add(kernels.LogProb{X: x, Rows: g.Input("rows", kernels.I32, kernels.N(rows)), Cols: cols}))
		}),
	}
}
