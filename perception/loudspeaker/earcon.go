package loudspeaker

import (
	"math"
	"time"

	"github.com/faiface/beep"

	"github.com/kuai-robot/kuai/perception/audio"
)

// Earcon is a short sound that means something.
type Earcon uint8

const (
	// Listening: the robot was called and hears.
	Listening Earcon = iota
	// Understood: it does what was said.
	Understood
	// Stopped: it has stopped.
	Stopped
	// NotUnderstood: it heard something and does nothing.
	NotUnderstood
)

// tone is one part of an earcon.
type tone struct {
	hz    float64
	lasts time.Duration
}

var melodies = map[Earcon][]tone{
	Listening:     {{880, 90 * time.Millisecond}},
	Understood:    {{660, 70 * time.Millisecond}, {990, 90 * time.Millisecond}},
	Stopped:       {{440, 120 * time.Millisecond}, {330, 180 * time.Millisecond}},
	NotUnderstood: {{330, 90 * time.Millisecond}, {330, 90 * time.Millisecond}},
}

const (
	loudness = 0.3
	fade     = 8 * time.Millisecond // a tone that begins at once clicks
	between  = 30 * time.Millisecond
)

// Samples gives the sound, mono at audio.Rate.
func (e Earcon) Samples() []float32 {
	rate := beep.SampleRate(audio.Rate)
	var parts []beep.Streamer
	for i, t := range melodies[e] {
		if i > 0 {
			parts = append(parts, beep.Silence(rate.N(between)))
		}
		parts = append(parts, sine(t))
	}
	return drain(beep.Seq(parts...))
}

// sine streams one tone.
func sine(t tone) beep.Streamer {
	rate := beep.SampleRate(audio.Rate)
	n, ramp, at := rate.N(t.lasts), float64(rate.N(fade)), 0
	return beep.StreamerFunc(func(samples [][2]float64) (int, bool) {
		if at >= n {
			return 0, false
		}
		k := 0
		for ; k < len(samples) && at < n; k, at = k+1, at+1 {
			gain := loudness * min(1, float64(at)/ramp, float64(n-1-at)/ramp)
			x := gain * math.Sin(2*math.Pi*t.hz*float64(at)/audio.Rate)
			samples[k] = [2]float64{x, x}
		}
		return k, true
	})
}

// drain gives everything that s streams, mono.
func drain(s beep.Streamer) (all []float32) {
	var buffer [512][2]float64
	for {
		n, ok := s.Stream(buffer[:])
		if !ok {
			return all
		}
		for _, x := range buffer[:n] {
			all = append(all, float32(x[0]+x[1])/2)
		}
	}
}
