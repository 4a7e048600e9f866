package control

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Histogram counts durations in buckets of an eighth of an octave, from 1 µs
// to 67 s. One goroutine adds, any may read; neither allocates or waits. The
// zero Histogram is empty.
type Histogram struct {
	counts [buckets]atomic.Uint64
}

const (
	perOctave = 8
	octaves   = 26
	buckets   = octaves * perOctave
)

// Add counts d.
func (h *Histogram) Add(d time.Duration) { h.counts[bucket(d)].Add(1) }

// Count gives how many durations were added.
func (h *Histogram) Count() uint64 {
	var n uint64
	for i := range h.counts {
		n += h.counts[i].Load()
	}
	return n
}

// Quantile gives the upper edge of the bucket that holds the share q of all
// durations: at most 9 % above the true one. It is 0 while there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	var counts [buckets]uint64
	var n uint64
	for i := range h.counts {
		counts[i] = h.counts[i].Load()
		n += counts[i]
	}
	if n == 0 {
		return 0
	}
	left := float64(n) * q
	for i, c := range counts {
		if left -= float64(c); left <= 0 && c > 0 {
			return edge(i)
		}
	}
	return edge(buckets - 1)
}

// bucket gives the octave of d in µs and the eighth within it; what is under a
// microsecond falls into the first.
func bucket(d time.Duration) int {
	eighths := uint64(max(0, d)) * perOctave / uint64(time.Microsecond)
	if eighths < perOctave {
		return 0
	}
	octave := bits.Len64(eighths) - bits.Len64(perOctave)
	return min(octave*perOctave+int(eighths>>octave)-perOctave+1, buckets-1)
}

// edge gives the upper end of bucket i.
func edge(i int) time.Duration {
	octave, eighth := i/perOctave, i%perOctave
	return time.Duration((perOctave+uint64(eighth))<<octave) * time.Microsecond / perOctave
}
