package audio

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/kernels"
)

// GraphSamples is how many samples Build wants for so many frames.
func GraphSamples(frames int) int { return (frames-1)*Hop + windowSize }

// Build adds to a graph what Compute does: samples [GraphSamples(frames), 1], which Clip
// fills, become a spectrogram [frames, bands]. The spectra are products with waves
// as weights, for a GPU, where they cost less than to bring the spectrogram there;
// they stay in f32 when keep, the Options.Keep of the program, has their names.
func Build(g *kernels.Graph, samples kernels.Value, bands int, keep map[string]bool) (kernels.Value, error) {
	if bands < 1 || bands > MaxBands {
		return 0, fmt.Errorf("log-mel spectrogram of %d bands, want 1 to %d", bands, MaxBands)
	}
	waves, filters := waveWeight(), filterWeight(bands)
	keep[waves.Name], keep[filters.Name] = true, true
	parts := g.Add(kernels.Conv1D{X: samples, W: waves, Stride: Hop})
	power := g.Add(kernels.Binary{Kind: kernels.Mul, X: parts, Y: parts})
	return g.Add(kernels.LogPower{X: g.Add(kernels.MatMul{X: power, W: filters})}), nil
}

// Samples stands where a LogMel does for a graph that computes its spectrogram itself:
// what it writes is the input of Build.
type Samples struct{}

// Compute is Clip.
func (Samples) Compute(dst, samples []float32, frames int) { Clip(dst, samples, frames) }

// Clip writes the samples that Build reads of frames of a clip: mirrored at its ends,
// and silence after the last of them, as Compute has it.
func Clip(dst, samples []float32, frames int) {
	end := frames * Hop
	samples = samples[:min(len(samples), end)]
	for i := range dst {
		at := i - windowSize/2
		if at < 0 {
			at = -at
		}
		if at >= end {
			at = 2*(end-1) - at
		}
		dst[i] = 0
		if at >= 0 && at < len(samples) {
			dst[i] = samples[at]
		}
	}
}

// waveWeight holds the real and the imaginary part of each bin's wave under Hann's
// window.
func waveWeight() *kernels.Weight {
	w := make([]float32, 2*bins*windowSize)
	for k := range bins {
		for i := range windowSize {
			hann := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/windowSize)
			sin, cos := math.Sincos(2 * math.Pi * float64(k*i%windowSize) / windowSize)
			w[2*k*windowSize+i], w[(2*k+1)*windowSize+i] = float32(hann*cos), float32(-hann*sin)
		}
	}
	return kernels.NewWeight("log-mel waves", w, 2*bins, 1, windowSize)
}

// filterWeight adds the squares of both parts in each band.
func filterWeight(bands int) *kernels.Weight {
	w := make([]float32, bands*2*bins)
	for b, f := range melFilters(bands) {
		for k, v := range f.weights {
			at := b*2*bins + 2*(f.first+k)
			w[at], w[at+1] = float32(v), float32(v)
		}
	}
	return kernels.NewWeight("log-mel filters", w, bands, 2*bins)
}
