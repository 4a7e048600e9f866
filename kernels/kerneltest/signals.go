package kerneltest

import (
	"fmt"
	"math/rand/v2"

	"github.com/kuai-robot/kuai/kernels"
)

// signalCases are what stands before and after a network: pictures of any size,
// the scale of a spectrogram, the choice of a token.
func signalCases() []Case {
	out := []Case{
		{Name: "Resize", Runs: pictures, Build: func(b *Builder) {
			b.Output("y", b.resize(5, 7))
		}},
		{Name: "Resize/patches", Runs: pictures, Build: func(b *Builder) {
			b.Output("y", b.Add(kernels.Conv2D{
				X: b.resize(24, 16), W: b.w("w", 40, 3, 8, 8), Stride: 8, PixelScale: []float32{1. / 127, 1. / 128, 1. / 60}, PixelShift: []float32{-1, -1.1, -2},
			}))
		}},
		{Name: "Resize/overlapping", Runs: pictures, Build: func(b *Builder) {
			b.Output("y", b.Add(kernels.Conv2D{X: b.resize(9, 8), W: b.w("w", 4, 3, 3, 3), Padding: 1, Stride: 2}))
		}},
		{Name: "LogPower", Runs: varying, Build: func(b *Builder) {
			x := b.x("x", b.rows(40), 13)
			b.fills[x] = func(s *kernels.Session, random *rand.Rand) {
				for i := range s.F32(x) {
					p := random.NormFloat64()
					s.F32(x)[i] = float32([]float64{p * p, 1e-6 * p * p, 1e-12, 0}[i%4])
				}
			}
			b.Output("y", b.Add(kernels.LogPower{X: x}))
		}},
	}
	for _, c := range []struct {
		name                       string
		temperature, topP, penalty float32
	}{
		{"greedy", 0, 0, 1}, {"penalty", 0, 0, 1.5}, {"all", 1, 0, 1}, {"topP", 0.7, 0.9, 1.1}, {"narrow", 1, 1e-6, 1}, {"cold", 0.01, 0.5, 1}, {"hot", 30, 0.999, 2},
	} {
		for _, vocabulary := range []int{1, 97, 3001} {
			out = append(out, Case{Name: fmt.Sprintf("Sample/%s/%d", c.name, vocabulary), Runs: draws, Build: func(b *Builder) {
				b.sample(vocabulary, c.temperature, c.topP, c.penalty)
			}})
		}
	}
	return append(out, Case{Name: "Sample/equal", Runs: draws, Build: func(b *Builder) { // all the same but for the penalty
		x := b.x("zero", b.rows(3), 300)
		b.fills[x] = func(s *kernels.Session, _ *rand.Rand) { clear(s.F32(x)) }
		b.choose(x, 300, 1, 0.37, 1.2)
	}})
}

// pictures are sizes of what a camera gives: larger, smaller, a single pixel.
var pictures = []Lengths{{"pixels": 23 * 19, "width": 23}, {"pixels": 1, "width": 1}, {"pixels": 12, "width": 12}, {"pixels": 30 * 30, "width": 30}, {"pixels": 7 * 40, "width": 7}}

var draws = []Lengths{{"rows": 1, "recent": 0}, {"rows": 3, "recent": 5}, {"rows": 0, "recent": 2}, {"rows": 1, "recent": 64}}

// resize is a picture of height by width made of one of up to 900 pixels.
func (b *Builder) resize(height, width int) kernels.Value {
	pixels, wide := b.scalar("pixels", 900), b.scalar("width", 900)
	x := b.bytes("camera", 256, pixels.Dim(), kernels.N(3))
	across := b.taps("across", width, func(s *kernels.Session) int { return s.Get(wide) })
	down := b.taps("down", height, func(s *kernels.Session) int { return s.Get(pixels) / s.Get(wide) })
	return b.Add(kernels.Resize{X: x, Across: across, Down: down, Width: wide})
}

// taps are weights of up to 9 pixels, some below zero, some places without any.
func (b *Builder) taps(name string, n int, limit func(s *kernels.Session) int) kernels.Value {
	const most = 9
	v := b.Input(name, kernels.I32, kernels.N(n), kernels.N(2+most))
	b.fills[v] = func(s *kernels.Session, random *rand.Rand) {
		limit := limit(s)
		for i := range n {
			tap := s.I32(v)[i*(2+most) : (i+1)*(2+most)]
			count := random.IntN(min(most, limit) + 1)
			tap[0], tap[1] = int32(random.IntN(limit-count+1)), int32(count)
			for k := range count {
				tap[2+k] = int32((2*random.Float64() - 0.6) / float64(count) * (1 << kernels.ResizeBits))
			}
		}
	}
	return v
}

func (b *Builder) sample(vocabulary int, temperature, topP, penalty float32) {
	b.choose(b.x("logits", b.rows(3), vocabulary), vocabulary, temperature, topP, penalty)
}

// choose draws with a number of the run's own.
func (b *Builder) choose(x kernels.Value, vocabulary int, temperature, topP, penalty float32) {
	how := b.x("how", kernels.N(1), 4)
	b.fills[how] = func(s *kernels.Session, random *rand.Rand) {
		copy(s.F32(how), []float32{temperature, topP, penalty, random.Float32()})
	}
	b.Output("token", b.Add(kernels.Sample{X: x, Recent: b.ids("recent", b.scalar("recent", 64).Dim(), vocabulary), How: how}))
}
