package audio

import (
	"fmt"
	"math"
	"slices"
)

// Whisper's spectrogram: 16 kHz, windows of 25 ms every 10 ms.
const (
	Rate       = 16000
	Hop        = 160
	windowSize = 400
	bins       = windowSize/2 + 1
)

// LogMel computes log-mel spectrograms. It belongs to one goroutine at a time.
type LogMel struct {
	bands   int
	window  [windowSize]float64
	filters []filter
	fourier *fourier
	wave    []complex128
	power   [2][bins]float64 // of two windows that follow each other
}

// filter is a triangle over bins.
type filter struct {
	first   int
	weights []float64
}

// MaxBands bounds the bands of a LogMel.
const MaxBands = 256

// NewLogMel makes a spectrogram of so many bands, 80 or 128 for Whisper.
func NewLogMel(bands int) (*LogMel, error) {
	if bands < 1 || bands > MaxBands {
		return nil, fmt.Errorf("log-mel spectrogram of %d bands, want 1 to %d", bands, MaxBands)
	}
	m := &LogMel{bands: bands, filters: melFilters(bands), fourier: newFourier(windowSize), wave: make([]complex128, windowSize)}
	for i := range m.window { // Hann's, periodic
		m.window[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/windowSize)
	}
	return m, nil
}

// Bands is the length of a row.
func (m *LogMel) Bands() int { return m.bands }

// Compute writes the rows of so many frames to dst, [frames, bands]; frame i is
// about sample 160·i, and what lies after the last sample is silence. Values
// span 8 decades below the loudest, as (log10 + 4)/4.
func (m *LogMel) Compute(dst, samples []float32, frames int) {
	const silence = 1e-10
	end := frames * Hop
	samples = samples[:min(len(samples), end)]
	loudest := math.Log10(silence)
	dst = dst[:frames*m.bands]
	for i := 0; i < frames; i += 2 {
		m.spectra(samples, i*Hop-windowSize/2, end)
		for j := i; j < min(i+2, frames); j++ {
			row, power := dst[j*m.bands:(j+1)*m.bands], &m.power[j-i]
			for b := range m.filters {
				f := &m.filters[b]
				sum := 0.0
				for k, w := range f.weights {
					sum += w * power[f.first+k]
				}
				x := math.Log10(max(sum, silence))
				loudest = max(loudest, x)
				row[b] = float32(x)
			}
		}
	}
	floor := float32(loudest - 8)
	for i, x := range dst {
		dst[i] = (max(x, floor) + 4) / 4
	}
}

// spectra sets power to those of the window that begins at sample start and of
// the next: one is the real part of a complex wave and one the imaginary, and
// symmetry takes their spectra apart. The clip is mirrored at its ends.
func (m *LogMel) spectra(samples []float32, start, end int) {
	at := func(i int) float64 {
		if i < 0 {
			i = -i
		}
		if i >= end {
			i = 2*(end-1) - i
		}
		if i < 0 || i >= len(samples) {
			return 0
		}
		return float64(samples[i])
	}
	sound := false
	for i, w := range m.window {
		a, b := at(start+i)*w, at(start+i+Hop)*w
		m.wave[i] = complex(a, b)
		sound = sound || a != 0 || b != 0
	}
	if !sound {
		m.power = [2][bins]float64{}
		return
	}
	z := m.fourier.transform(m.wave)
	for k := range bins {
		p, q := z[k], z[(windowSize-k)%windowSize]
		sum, difference := p+complex(real(q), -imag(q)), p-complex(real(q), -imag(q))
		m.power[0][k] = (real(sum)*real(sum) + imag(sum)*imag(sum)) / 4
		m.power[1][k] = (real(difference)*real(difference) + imag(difference)*imag(difference)) / 4
	}
}

// melFilters are triangles on Slaney's mel scale (Auditory Toolbox, 1998):
// linear below 1 kHz, logarithmic above, of equal area.
func melFilters(bands int) []filter {
	const (
		linear = 200.0 / 3 // Hz a mel below the break
		knee   = 1000.0
	)
	step := math.Log(6.4) / 27
	toMel := func(hz float64) float64 {
		if hz < knee {
			return hz / linear
		}
		return knee/linear + math.Log(hz/knee)/step
	}
	toHz := func(mel float64) float64 {
		if mel < knee/linear {
			return mel * linear
		}
		return knee * math.Exp(step*(mel-knee/linear))
	}
	edges := make([]float64, bands+2)
	for i := range edges {
		edges[i] = toHz(toMel(Rate/2) * float64(i) / float64(bands+1))
	}
	filters := make([]filter, bands)
	for b := range filters {
		low, middle, high := edges[b], edges[b+1], edges[b+2]
		f := filter{first: -1}
		for k := range bins {
			hz := float64(k) * Rate / windowSize
			w := max(0, min((hz-low)/(middle-low), (high-hz)/(high-middle))) * 2 / (high - low)
			if w > 0 {
				if f.first < 0 {
					f.first = k
				}
				f.weights = append(f.weights, w)
			}
		}
		f.first = max(f.first, 0) // a band between two bins is empty
		filters[b] = f
	}
	return filters
}

// fourier is a transform of one length, by factors (Cooley and Tukey, 1965).
type fourier struct {
	n       int
	factors []int
	turns   []complex128 // e^(−2πi k/n)
	out     []complex128
	spare   []complex128
}

func newFourier(n int) *fourier {
	f := &fourier{n: n, turns: make([]complex128, n), out: make([]complex128, n), spare: make([]complex128, n)}
	for k := range f.turns {
		s, c := math.Sincos(-2 * math.Pi * float64(k) / float64(n))
		f.turns[k] = complex(c, s)
	}
	for left := n; left > 1; {
		p := left // a prime that is left over
		for _, q := range []int{5, 4, 3, 2} {
			if left%q == 0 {
				p = q
				break
			}
		}
		f.factors = append(f.factors, p)
		left /= p
	}
	slices.Reverse(f.factors)
	return f
}

// transform gives the spectrum of x, valid until the next.
func (f *fourier) transform(x []complex128) []complex128 {
	f.step(f.out, x, f.spare, f.n, 1, len(f.factors)-1)
	return f.out
}

// step transforms the n elements x[0], x[stride], … into out: the parts of each
// residue first, then their sum.
func (f *fourier) step(out, x, spare []complex128, n, stride, level int) {
	p := f.factors[level]
	m := n / p
	for r := range p {
		if m == 1 {
			spare[r] = x[r*stride]
			continue
		}
		f.step(spare[r*m:(r+1)*m], x[r*stride:], out[r*m:(r+1)*m], m, stride*p, level-1)
	}
	for k := range m {
		for q := range p {
			at := k + q*m
			sum, turn := spare[k], 0
			for r := 1; r < p; r++ {
				if turn += at * stride; turn >= f.n {
					turn -= f.n
				}
				sum += spare[r*m+k] * f.turns[turn]
			}
			out[at] = sum
		}
	}
}
