package room

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// Rate is that of the microphone, in Hz.
const Rate = 16000

// Options of a room. Clock is only needed for Play and Emit.
type Options struct {
	Clock robot.Clock
	Seed  uint64
	// Noise is the level of the noise, dB of full scale; 0: −60, which is a quiet
	// room at a usual gain.
	Noise float64
	// Reverb is in how long an echo falls by 60 dB; 0: none at all.
	Reverb time.Duration
	// Speaker is how far the robot's loudspeaker is from its microphone, m; 0: 0.3.
	Speaker float64
}

// Room is one room.
type Room struct {
	options Options
	noise   *noise
	echoes  []echo // of a person
	near    []echo // of the robot's own loudspeaker

	mu     sync.Mutex
	sounds []*sound
}

// sound is what comes to the microphone of one utterance.
type sound struct {
	at      int64 // the number of its first sample
	samples []float32
}

// echo is one way that sound takes.
type echo struct {
	delay int
	gain  float64
}

// unit is the distance at which a person is recorded, m.
const unit = 1.0

// New gives a quiet room.
func New(o Options) *Room {
	if o.Noise == 0 {
		o.Noise = -60
	}
	if o.Speaker == 0 {
		o.Speaker = 0.3
	}
	r := &Room{options: o, noise: newNoise(o.Seed, math.Pow(10, o.Noise/20))}
	r.echoes, r.near = walls(o.Seed, o.Reverb), walls(o.Seed+1, o.Reverb)
	return r
}

// walls draws the ways that sound takes beside the direct one.
func walls(seed uint64, reverb time.Duration) []echo {
	all := []echo{{0, 1}}
	if reverb <= 0 {
		return all
	}
	random := rand.New(rand.NewPCG(seed, 0xEC40))
	const ways = 160
	length := reverb.Seconds() * Rate
	for range ways {
		// Early reflections are few and loud, late ones many and faint.
		at := 40 + length*math.Sqrt(random.Float64())*0.7
		gain := 0.28 * math.Pow(10, -3*at/length) * (random.Float64()*2 - 1)
		all = append(all, echo{int(at), gain})
	}
	return all
}

// Say lets a person say samples, mono at Rate, from a distance in m, beginning at
// at.
func (r *Room) Say(at robot.Time, distance float64, samples []float32) {
	r.add(at, samples, unit/max(distance, 0.1), r.echoes)
}

func (r *Room) add(at robot.Time, samples []float32, gain float64, ways []echo) *sound {
	last := 0
	for _, w := range ways {
		last = max(last, w.delay)
	}
	s := &sound{at: number(at), samples: make([]float32, len(samples)+last)}
	for i, w := range ways {
		// The walls throw back as much of a far voice as of a near one.
		g := float32(w.gain * gain)
		if i > 0 {
			g = float32(w.gain * math.Sqrt(gain))
		}
		for k, x := range samples {
			s.samples[w.delay+k] += g * x
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sounds = append(r.sounds, s)
	return s
}

func number(at robot.Time) int64 { return int64(at) / int64(time.Second/Rate) }

// Emit is the robot's loudspeaker: it plays samples, mono at Rate, from now on
// and returns when they have been heard, or falls silent when ctx ends.
func (r *Room) Emit(ctx context.Context, samples []float32, began func(at robot.Time)) error {
	now := r.options.Clock.Now()
	s := r.add(now, samples, unit/r.options.Speaker/3, r.near)
	began(now)
	err := r.options.Clock.Wait(ctx, now.Add(time.Duration(len(samples))*time.Second/Rate))
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		heard := number(r.options.Clock.Now()) - s.at
		s.samples = s.samples[:max(0, min(heard, int64(len(s.samples))))]
	}
	return err
}

// Hear fills dst with what the microphone hears from at on.
func (r *Room) Hear(dst []float32, at robot.Time) {
	r.noise.fill(dst)
	first := number(at)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sounds = slices.DeleteFunc(r.sounds, func(s *sound) bool { return s.at+int64(len(s.samples)) < first-Rate })
	for _, s := range r.sounds {
		for k := range dst {
			if n := first + int64(k) - s.at; n >= 0 && n < int64(len(s.samples)) {
				dst[k] += s.samples[n]
			}
		}
	}
	for k, x := range dst {
		dst[k] = max(-1, min(1, x)) // a converter has an end
	}
}

// piece is how much a microphone gives at a time.
const piece = 20 * time.Millisecond

// Play gives what the microphone hears, at the pace of the clock, until ctx ends.
func (r *Room) Play(ctx context.Context, hear func(at robot.Time, rate int, samples []float32)) error {
	samples := make([]float32, int(piece*Rate/time.Second))
	at := r.options.Clock.Now()
	for {
		if err := r.options.Clock.Wait(ctx, at.Add(piece)); err != nil {
			return err
		}
		r.Hear(samples, at)
		hear(at, Rate, samples)
		at = at.Add(piece)
	}
}

// noise is pink (Voss and McCartney's sum of sources at octaves) with a hum.
type noise struct {
	random  *rand.Rand
	level   float64
	sources [8]float64
	count   uint
}

func newNoise(seed uint64, level float64) *noise {
	return &noise{random: rand.New(rand.NewPCG(seed, 0x901)), level: level}
}

func (n *noise) fill(dst []float32) {
	const hum = 100 // Hz, of lamps
	for i := range dst {
		n.count++
		sum := n.random.Float64()*2 - 1
		for k := range n.sources {
			if n.count%(1<<k) == 0 {
				n.sources[k] = n.random.Float64()*2 - 1
			}
			sum += n.sources[k]
		}
		h := 0.2 * math.Sin(2*math.Pi*hum*float64(n.count)/Rate)
		dst[i] = float32(n.level * (sum/1.73 + h))
	}
}
