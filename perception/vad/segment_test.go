package vad_test

import (
	"testing"
	"time"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/vad"
	"github.com/kuai-robot/kuai/robot"
)

// feed gives a segmenter chunks of a level with a probability each and lists
// the events, each with the number of its chunk.
func feed(s *vad.Segmenter, from int, chunks []chunk) (events []event) {
	for i, c := range chunks {
		samples := make([]float32, vad.Chunk)
		for k := range samples {
			samples[k] = c.level
		}
		n := from + i
		if e := s.Add(at(n), samples, c.p); e != vad.Nothing {
			events = append(events, event{n, e})
		}
	}
	return events
}

type chunk struct {
	p, level float32
}

type event struct {
	chunk int
	what  vad.Event
}

func at(n int) robot.Time {
	return robot.Time(time.Second).Add(time.Duration(n) * vad.Chunk * time.Second / audio.Rate)
}

func some(n int, p, level float32) []chunk {
	all := make([]chunk, n)
	for i := range all {
		all[i] = chunk{p, level}
	}
	return all
}

func join(parts ...[]chunk) (all []chunk) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func equal(a, b []event) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestSegmenter(t *testing.T) {
	timing := vad.Timing{Close: 320 * time.Millisecond, Longest: 3200 * time.Millisecond} // 10 and 100 chunks
	for name, c := range map[string]struct {
		chunks []chunk
		want   []event
	}{
		"silence":         {some(50, 0.1, 0.001), nil},
		"a click":         {join(some(20, 0, 0), some(1, 0.9, 0.3), some(20, 0, 0)), nil},
		"doubt":           {some(50, 0.45, 0.1), nil},
		"a word":          {join(some(20, 0, 0), some(10, 0.9, 0.3), some(20, 0, 0)), []event{{21, vad.Began}, {30, vad.Paused}, {39, vad.Ended}}},
		"a breath":        {join(some(5, 0.9, 0.3), some(5, 0.1, 0), some(5, 0.9, 0.3), some(10, 0.1, 0)), []event{{1, vad.Began}, {5, vad.Paused}, {10, vad.Resumed}, {15, vad.Paused}, {24, vad.Ended}}},
		"between the two": {join(some(5, 0.9, 0.3), some(30, 0.4, 0.3), some(10, 0.1, 0)), []event{{1, vad.Began}, {35, vad.Paused}, {44, vad.Ended}}},
		"quiet, but sure": {join(some(5, 0.9, 0.3), some(5, 0.9, 0.001), some(20, 0.1, 0)), []event{{1, vad.Began}, {5, vad.Paused}, {19, vad.Ended}}},
		"without end":     {some(110, 0.9, 0.3), []event{{1, vad.Began}, {99, vad.Cut}, {101, vad.Began}}},
		"two after another": {join(some(5, 0.9, 0.3), some(12, 0.1, 0), some(5, 0.9, 0.3), some(12, 0, 0)), []event{
			{1, vad.Began}, {5, vad.Paused}, {14, vad.Ended}, {18, vad.Began}, {22, vad.Paused}, {31, vad.Ended}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := feed(vad.NewSegmenter(timing), 0, c.chunks); !equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// A segment has what came just before it, and says when its last word ended.
func TestSegmentHasPreRollAndTimes(t *testing.T) {
	s := vad.NewSegmenter(vad.Timing{PreRoll: 96 * time.Millisecond, Open: 64 * time.Millisecond, Close: 320 * time.Millisecond})
	feed(s, 0, join(some(20, 0, 0.01), some(10, 0.9, 0.3), some(10, 0, 0)))
	seg := s.Segment()
	if want := at(17); seg.At != want { // three chunks before the first loud one
		t.Errorf("begins at %v, want %v", seg.At, want)
	}
	if seg.Samples[0] != 0.01 || len(seg.Samples) != 23*vad.Chunk {
		t.Errorf("%d samples from %g, want %d from the silence before", len(seg.Samples), seg.Samples[0], 23*vad.Chunk)
	}
	if seg.SpokenUntil() != at(30) {
		t.Errorf("spoken until %v, want %v", seg.SpokenUntil(), at(30))
	}
}
