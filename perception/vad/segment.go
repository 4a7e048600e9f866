package vad

import (
	"time"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/robot"
)

// Timing says when speech begins and ends. A zero field takes the value of
// DefaultTiming.
type Timing struct {
	// Speech begins after Open above the probability Start, and ends after Close
	// below End, which is lower: between the two nothing changes.
	Start, End  float32
	Open, Close time.Duration
	// PreRoll is how much of what came before the beginning belongs to it: the
	// detector notices a soft consonant late.
	PreRoll time.Duration
	// Longest is when a segment is cut although somebody still speaks.
	Longest time.Duration
}

// DefaultTiming suits commands spoken to a robot.
func DefaultTiming() Timing {
	return Timing{Start: 0.5, End: 0.35, Open: 64 * time.Millisecond, Close: 480 * time.Millisecond, PreRoll: 320 * time.Millisecond, Longest: 15 * time.Second}
}

func (t Timing) withDefaults() Timing {
	d := DefaultTiming()
	for _, f := range []struct{ field, or *time.Duration }{{&t.Open, &d.Open}, {&t.Close, &d.Close}, {&t.PreRoll, &d.PreRoll}, {&t.Longest, &d.Longest}} {
		if *f.field <= 0 {
			*f.field = *f.or
		}
	}
	if t.Start <= 0 {
		t.Start = d.Start
	}
	if t.End <= 0 {
		t.End = min(d.End, t.Start)
	}
	return t
}

// Event is what a Segmenter noticed in a chunk.
type Event uint8

const (
	// Nothing changed.
	Nothing Event = iota
	// Began: somebody speaks.
	Began
	// Paused: nothing was said for a chunk; it may be the end.
	Paused
	// Resumed: it was not.
	Resumed
	// Ended: nothing was said for Timing.Close.
	Ended
	// Cut: somebody speaks for longer than Timing.Longest.
	Cut
)

// Segment is a stretch of speech.
type Segment struct {
	// At is when its first sample was captured, pre-roll included.
	At robot.Time
	// Samples are mono at audio.Rate. They are valid until the next Add.
	Samples []float32
	// Spoken is how many of them are before the silence at the end.
	Spoken int
}

// SpokenUntil is when the last word ended.
func (s *Segment) SpokenUntil() robot.Time {
	return s.At.Add(time.Duration(s.Spoken) * time.Second / audio.Rate)
}

const (
	chunkTime = Chunk * time.Second / audio.Rate
	// A chunk of less than this share of the segment's loudness holds no speech,
	// even while the detector, which looks back, still believes it.
	quiet = 0.06
	// So many quiet chunks are a pause. One may be the closure of a consonant, and
	// what is recognised then is wasted; but every chunk more is heard as waiting.
	pauseChunks = 1
)

// Segmenter finds the stretches of speech of one microphone. One goroutine uses
// it. Its memory is that of the longest segment.
type Segmenter struct {
	timing  Timing
	before  []float32 // the pre-roll
	inside  bool
	paused  bool
	above   int // chunks in a row above Start
	below   int // chunks in a row below End
	still   int // chunks in a row without loudness
	loudest float64
	segment Segment
}

// NewSegmenter begins in silence.
func NewSegmenter(t Timing) *Segmenter { return &Segmenter{timing: t.withDefaults()} }

// Inside says whether a segment has begun.
func (s *Segmenter) Inside() bool { return s.inside }

// Segment gives the segment that has begun or, after Ended and Cut, is over.
func (s *Segmenter) Segment() *Segment { return &s.segment }

// Still says for how long nothing has been said in the segment.
func (s *Segmenter) Still() time.Duration {
	return time.Duration(len(s.segment.Samples)-s.segment.Spoken) * time.Second / audio.Rate
}

// Finish ends the segment where it is; what follows is another.
func (s *Segmenter) Finish() {
	s.inside, s.paused, s.above, s.below, s.still = false, false, 0, 0, 0
	s.before = s.before[:0]
}

// Add takes the next Chunk samples, captured at at, in which somebody speaks
// with probability p.
func (s *Segmenter) Add(at robot.Time, samples []float32, p float32) Event {
	if !s.inside {
		return s.outside(at, samples, p)
	}
	s.segment.Samples = append(s.segment.Samples, samples...)
	level := audio.Level(samples)
	s.loudest = max(s.loudest, level)
	if level < quiet*s.loudest || p < s.timing.End {
		s.still++
	} else {
		s.still = 0
		s.segment.Spoken = len(s.segment.Samples)
	}
	if p < s.timing.End {
		s.below++
	} else if p >= s.timing.Start && s.still == 0 {
		s.below = 0
	}
	switch {
	case time.Duration(s.below)*chunkTime >= s.timing.Close:
		s.Finish()
		return Ended
	case time.Duration(len(s.segment.Samples))*time.Second/audio.Rate >= s.timing.Longest:
		s.Finish()
		return Cut
	case !s.paused && s.still >= pauseChunks:
		s.paused = true
		return Paused
	case s.paused && s.still == 0:
		s.paused = false
		return Resumed
	}
	return Nothing
}

func (s *Segmenter) outside(at robot.Time, samples []float32, p float32) Event {
	keep := int((s.timing.PreRoll + s.timing.Open) * audio.Rate / time.Second)
	s.before = append(s.before, samples...)
	if over := len(s.before) - keep; over > 0 {
		s.before = s.before[:copy(s.before, s.before[over:])]
	}
	if p < s.timing.Start {
		s.above = 0
		return Nothing
	}
	if s.above++; time.Duration(s.above)*chunkTime < s.timing.Open {
		return Nothing
	}
	s.inside, s.paused, s.below, s.still = true, false, 0, 0
	s.loudest = audio.Level(samples)
	s.segment.Samples = append(s.segment.Samples[:0], s.before...)
	s.segment.Spoken = len(s.segment.Samples)
	end := at.Add(time.Duration(len(samples)) * time.Second / audio.Rate)
	s.segment.At = end.Add(-time.Duration(len(s.before)) * time.Second / audio.Rate)
	return Began
}
