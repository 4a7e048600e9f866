package audio

import "math"

// Frame is how many samples the way from a microphone to a recogniser takes at
// a time: 20 ms at Rate.
const Frame = Rate / 50

// Conditioner makes the samples of a microphone fit to be heard: it takes out a
// constant offset and what is too low to be speech, makes silence of what is no
// number, and notices clipping. The zero value is ready; one goroutine uses it.
type Conditioner struct {
	last, out float64 // of the high-pass filter
	full      int     // samples in a row at full scale

	counts Faults
}

// Faults count what a Conditioner met, in samples.
type Faults struct {
	Samples uint64
	// Clipped is how many stood at full scale with others: the microphone's gain
	// is too high, or the person too near.
	Clipped uint64
	// Broken is how many were NaN or infinite.
	Broken uint64
}

const (
	// The filter's corner: 1 − 2π·20 Hz / Rate; speech begins above 80 Hz.
	highPass = 1 - 2*math.Pi*20/Rate
	fullness = 0.998
	// So many samples in a row at full scale are no peak, but a flattened one.
	flattened = 3
)

// Apply conditions samples at Rate in place and says how many were clipped.
func (c *Conditioner) Apply(samples []float32) (clipped int) {
	for i, x := range samples {
		v := float64(x)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			c.counts.Broken++
			v = 0
		}
		if math.Abs(v) >= fullness {
			if c.full++; c.full == flattened {
				clipped += flattened
			} else if c.full > flattened {
				clipped++
			}
		} else {
			c.full = 0
		}
		c.out = v - c.last + highPass*c.out
		c.last = v
		samples[i] = float32(max(-1, min(1, c.out)))
	}
	c.counts.Samples += uint64(len(samples))
	c.counts.Clipped += uint64(clipped)
	return clipped
}

// Faults gives what was met so far.
func (c *Conditioner) Faults() Faults { return c.counts }

// Level gives the root mean square of samples; 0 for none.
func Level(samples []float32) float64 {
	if len(samples) == 0 {
		return 0
	}
	sum := 0.0
	for _, x := range samples {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum / float64(len(samples)))
}
