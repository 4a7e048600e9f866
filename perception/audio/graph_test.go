package audio_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/perception/audio"
)

// TestGraphIsCompute: the spectrogram as a graph is the one of Compute but for f32's
// rounding, also where other products are rounded to less.
func TestGraphIsCompute(t *testing.T) {
	const bands, most = 80, 120
	for _, precision := range []kernels.Precision{kernels.Float32, kernels.Int8} {
		g := kernels.NewGraph("spectrogram")
		frames := g.Scalar("frames", most)
		length, err := frames.Dim().Times(audio.Hop)
		if err != nil {
			t.Fatal(err)
		}
		samples := g.Input("samples", kernels.F32, length.Plus(audio.GraphSamples(0)), kernels.N(1))
		keep := map[string]bool{}
		mel, err := audio.Build(g, samples, bands, keep)
		if err != nil {
			t.Fatal(err)
		}
		g.Output("mel", mel)
		program, err := kernels.Compile(g, cpu.New(cpu.Options{}), kernels.Options{Precision: precision, Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		defer program.Close()
		session, err := program.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		plain, err := audio.NewLogMel(bands)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{120, 1, 33} {
			clip := tone(n*audio.Hop - 37)
			session.Set(frames, n)
			audio.Clip(session.F32(samples), clip, n)
			if err := session.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			want := make([]float32, n*bands)
			plain.Compute(want, clip, n)
			worst := 0.0
			for i, got := range session.F32(mel) {
				worst = max(worst, math.Abs(float64(got-want[i])))
			}
			if !(worst < 2e-3) {
				t.Errorf("%v, %d frames: off by %g", precision, n, worst)
			}
		}
	}
}

// tone is a chord in noise that ends in silence.
func tone(n int) []float32 {
	random, out := rand.New(rand.NewPCG(1, 2)), make([]float32, n)
	for i := range out[:n*3/4] {
		t := float64(i) / audio.Rate
		out[i] = float32(0.3*math.Sin(2*math.Pi*440*t) + 0.1*math.Sin(2*math.Pi*3000*t) + 0.01*random.NormFloat64())
	}
	return out
}
