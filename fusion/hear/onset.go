package hear

import (
	"time"

	"github.com/kuai-robot/kuai/perception/audio"
)

const (
	// clipTime is how much of a sound is listened to, from just before it begins.
	clipTime = 1200 * time.Millisecond
	before   = 100 * time.Millisecond
	// rest is how long after a clip the next may begin: it bounds what listening
	// to a loud place costs.
	rest = 300 * time.Millisecond
	// louder is by what factor a sound rises above what was there before, and
	// audible the least loudness that counts, of 1.
	louder, audible = 4, 0.006
	// The background follows what is quieter soon, and what is louder slowly.
	sinks, rises = 0.2, 0.01
)

// Onset finds sounds that begin: claps, knocks, alarms. It takes the frames of a
// microphone and gives a clip of each sound that rises above the background, to be
// heard by a Listener. It belongs to one goroutine and allocates nothing once a clip
// is full.
type Onset struct {
	background float64
	past       []float32 // the newest before a clip
	clip       []float32 // begun, but not full
	resting    int       // samples until the next may begin
}

func samplesOf(d time.Duration) int { return int(d * audio.Rate / time.Second) }

// NewOnset begins in a quiet room.
func NewOnset() *Onset {
	return &Onset{
		background: audible,
		past:       make([]float32, 0, samplesOf(before)+audio.Frame),
		clip:       make([]float32, 0, samplesOf(clipTime)+audio.Frame),
	}
}

// Add takes the next frame and gives a clip when one is full, valid until the next
// call; nil otherwise.
func (o *Onset) Add(frame []float32) []float32 {
	level := audio.Level(frame)
	begins := level > audible && level > louder*o.background
	rate := rises
	if level < o.background {
		rate = sinks
	}
	o.background += rate * (level - o.background)
	switch {
	case len(o.clip) > 0:
		o.clip = append(o.clip, frame...)
	case o.resting > 0:
		o.resting -= len(frame)
	case begins:
		o.clip = append(append(o.clip, o.past...), frame...)
	}
	o.past = append(o.past, frame...)
	if more := len(o.past) - samplesOf(before); more > 0 {
		o.past = o.past[:copy(o.past, o.past[more:])]
	}
	if len(o.clip) < samplesOf(clipTime) {
		return nil
	}
	full := o.clip[:samplesOf(clipTime)]
	o.clip, o.resting = o.clip[:0], samplesOf(rest)
	return full
}

// Reset drops a clip that has begun, which something else was heard in.
func (o *Onset) Reset() { o.clip, o.past = o.clip[:0], o.past[:0] }
