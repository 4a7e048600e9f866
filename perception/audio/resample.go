package audio

import "math"

// The filter of Resample: a sinc under a Kaiser window (F. J. Harris, 1978),
// of so many zero crossings to each side, whose stop band lies 80 dB down.
const (
	crossings = 24
	kaiser    = 8.0
	rolloff   = 0.93 // of the lower Nyquist frequency
)

// Resample gives samples of one rate at another, without what the lower rate
// cannot hold.
func Resample(samples []float32, from, to int) []float32 {
	if from == to || len(samples) == 0 {
		return samples
	}
	step := float64(from) / float64(to)
	stretch := max(step, 1) // the filter grows where the rate falls
	reach := crossings * stretch / rolloff
	out := make([]float32, int(math.Ceil(float64(len(samples))/step)))
	phases := newPhases(from, to, reach, stretch)
	for i := range out {
		middle := float64(i) * step
		first := int(math.Ceil(middle - reach))
		weights := phases.at(i, middle, first)
		sum := 0.0
		for k, w := range weights {
			if at := first + k; at >= 0 && at < len(samples) {
				sum += w * float64(samples[at])
			}
		}
		out[i] = float32(sum)
	}
	return out
}

// phases keeps the weights of each place between two samples: they repeat after
// as many output samples as the reduced rate has.
type phases struct {
	period  int
	taps    int
	reach   float64
	stretch float64
	weights [][]float64
}

func newPhases(from, to int, reach, stretch float64) *phases {
	a, b := from, to
	for b != 0 {
		a, b = b, a%b
	}
	period := min(to/a, 1<<12) // odd ratios: the nearest of so many places
	return &phases{period: to / a, taps: int(2*reach) + 2, reach: reach, stretch: stretch, weights: make([][]float64, period)}
}

func (p *phases) at(i int, middle float64, first int) []float64 {
	at := i % p.period * len(p.weights) / p.period
	if p.weights[at] == nil {
		w := make([]float64, p.taps)
		sum := 0.0
		for k := range w {
			w[k] = p.filter(float64(first+k) - middle)
			sum += w[k]
		}
		for k := range w {
			w[k] /= sum // silence and steady pressure keep their level
		}
		p.weights[at] = w
	}
	return p.weights[at]
}

func (p *phases) filter(x float64) float64 {
	if math.Abs(x) > p.reach {
		return 0
	}
	window := bessel(kaiser*math.Sqrt(1-x*x/(p.reach*p.reach))) / bessel(kaiser)
	t := math.Pi * x * rolloff / p.stretch
	if t == 0 {
		return window
	}
	return window * math.Sin(t) / t
}

// bessel is the modified Bessel function of the first kind, order 0.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= x * x / (4 * k * k)
		sum += term
	}
	return sum
}
