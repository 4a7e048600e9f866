package trial

import (
	"math"
	"math/rand/v2"

	"github.com/kuai-robot/kuai/perception/audio"
)

// kinds of noise; babble is made of speech, in mix.go.
var kinds = []string{"white", "pink", "fan", "motor", "music", "clatter"}

// makeNoise gives n samples of a kind, of power 1.
func makeNoise(draw *rand.Rand, kind string, n int) []float32 {
	x := make([]float32, n)
	switch kind {
	case "white":
		for i := range x {
			x[i] = float32(draw.NormFloat64())
		}
	case "pink":
		pink(draw, x)
	case "fan":
		fan(draw, x)
	case "motor":
		motor(draw, x)
	case "music":
		music(draw, x)
	case "clatter":
		clatter(draw, x)
	}
	return level(x, 1)
}

// level scales to a power.
func level(x []float32, to float64) []float32 {
	p := power(x)
	if p == 0 {
		return x
	}
	gain := float32(math.Sqrt(to / p))
	for i := range x {
		x[i] *= gain
	}
	return x
}

// pink sums white noises of which each is held twice as long as the one before
// (Voss's way).
func pink(draw *rand.Rand, x []float32) {
	var held [12]float64
	for i := range x {
		sum := draw.NormFloat64()
		for k := range held {
			if i%(1<<k) == 0 {
				held[k] = draw.NormFloat64()
			}
			sum += held[k]
		}
		x[i] = float32(sum)
	}
}

// fan is low noise that pulses with the blades.
func fan(draw *rand.Rand, x []float32) {
	low, blades := 0.0, 2*math.Pi*(8+30*draw.Float64())/audio.Rate
	for i := range x {
		low += 0.06 * (draw.NormFloat64() - low)
		x[i] = float32(low * (1 + 0.5*math.Sin(blades*float64(i))))
	}
}

// motor is a buzz whose pitch wanders, with hiss.
func motor(draw *rand.Rand, x []float32) {
	phase, hz, aim := 0.0, 60+200*draw.Float64(), 60+200*draw.Float64()
	for i := range x {
		if i%audio.Rate == 0 {
			aim = 60 + 200*draw.Float64()
		}
		hz += (aim - hz) / audio.Rate
		phase += hz / audio.Rate
		_, part := math.Modf(phase)
		x[i] = float32(part - 0.5 + 0.3*math.Sin(2*math.Pi*17*phase) + 0.15*draw.NormFloat64())
	}
}

// music is plucked strings (Karplus and Strong, 1983) in a minor scale.
func music(draw *rand.Rand, x []float32) {
	scale := []float64{0, 3, 5, 7, 10, 12, 15}
	beat := audio.Rate / (2 + draw.IntN(4))
	for start := 0; start < len(x); start += beat {
		for range 1 + draw.IntN(3) {
			hz := 82 * math.Pow(2, (scale[draw.IntN(len(scale))]+12*float64(draw.IntN(3)))/12)
			wire := make([]float64, int(audio.Rate/hz))
			for i := range wire {
				wire[i] = draw.Float64() - 0.5
			}
			for i := range min(3*beat, len(x)-start) {
				k, next := i%len(wire), (i+1)%len(wire)
				x[start+i] += float32(wire[k])
				wire[k] = 0.498 * (wire[k] + wire[next])
			}
		}
	}
}

// clatter is dishes: short rings at odd times over a low hiss.
func clatter(draw *rand.Rand, x []float32) {
	for i := range x {
		x[i] = float32(0.01 * draw.NormFloat64())
	}
	for at := 0; at < len(x); at += int(draw.ExpFloat64() * audio.Rate / 3) {
		hz, decay, loud := 300+5000*draw.Float64(), 10+80*draw.Float64(), draw.Float64()
		for i := range min(audio.Rate/5, len(x)-at) {
			t := float64(i) / audio.Rate
			x[at+i] += float32(loud * math.Exp(-decay*t) * math.Sin(2*math.Pi*hz*t) * (1 + 0.3*draw.NormFloat64()))
		}
		at++
	}
}
