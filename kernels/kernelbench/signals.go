package kernelbench

import "github.com/kuai-robot/kuai/kernels"

// signals are what stands before and after a network: a camera's picture made
// small, the scale of half a minute of sound, a token of a large vocabulary.
func signals() []benchmark {
	const width, height, side, taps = 640, 480, 224, 9
	const frames, bands, vocabulary = 3000, 80, 49152
	return []benchmark{
		{
			op: "resize", precision: "u8", bytes: 3 * (width*height + side*side), scalars: map[string]int{"width": width},
			build: func(g *kernels.Graph) {
				resized := g.Add(kernels.Resize{
					X:      g.Input("pixels", kernels.U8, kernels.N(width*height), kernels.N(3)),
					Across: g.Input("across", kernels.I32, kernels.N(side), kernels.N(2+taps)),
					Down:   g.Input("down", kernels.I32, kernels.N(side), kernels.N(2+taps)), Width: g.Scalar("width", width),
				})
				g.Output("y", resized)
			},
			fill: func(s *kernels.Session, name string, v kernels.Value) {
				for i := range s.I32(v) {
					s.I32(v)[i] = 1 << kernels.ResizeBits / taps
				}
				for i := 0; name != "pixels" && i < side; i++ {
					limit := width
					if name == "down" {
						limit = height
					}
					s.I32(v)[i*(2+taps)], s.I32(v)[i*(2+taps)+1] = int32(i*(limit-taps)/side), taps
				}
			},
		},
		{
			op: "logpower", precision: "f32", bytes: 8 * frames * bands,
			build: func(g *kernels.Graph) {
				g.Output("y", g.Add(kernels.LogPower{X: g.Input("x", kernels.F32, kernels.N(frames), kernels.N(bands))}))
			},
		},
		{
			op: "sample", precision: "f32", bytes: 4 * vocabulary,
			build: func(g *kernels.Graph) {
				g.Output("y", g.Add(kernels.Sample{
					X: g.Input("x", kernels.F32, kernels.N(1), kernels.N(vocabulary)), Recent: g.Input("recent", kernels.I32, kernels.N(64)),
					How: g.Input("how", kernels.F32, kernels.N(1), kernels.N(4)),
				}))
			},
			fill: func(s *kernels.Session, name string, v kernels.Value) {
				if name == "how" {
					copy(s.F32(v), []float32{0.7, 0.9, 1.1, 0.5})
				}
			},
		},
	}
}
