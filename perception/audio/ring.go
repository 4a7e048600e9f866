package audio

import (
	"sync"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// Ring lies between the goroutine that captures, which must not wait, and the
// one that hears. When it is full the oldest samples go, and are counted. Each
// side may be one goroutine.
type Ring struct {
	rate int

	mu      sync.Mutex
	samples []float32
	start   uint64     // the number of the oldest sample that is here
	end     uint64     // the number of the sample that comes next
	at      robot.Time // when sample number mark was captured
	mark    uint64
	lost    uint64
	ready   chan struct{}
}

// NewRing holds size samples at rate Hz.
func NewRing(size, rate int) *Ring {
	return &Ring{rate: rate, samples: make([]float32, size), ready: make(chan struct{}, 1)}
}

// Write adds samples, the first of which was captured at at. It never waits.
func (r *Ring) Write(at robot.Time, samples []float32) {
	r.mu.Lock()
	r.at, r.mark = at, r.end
	if over := len(samples) - len(r.samples); over > 0 {
		r.end += uint64(over)
		samples = samples[over:]
	}
	for _, x := range samples {
		r.samples[r.end%uint64(len(r.samples))] = x
		r.end++
	}
	if held := r.end - r.start; held > uint64(len(r.samples)) {
		r.lost += held - uint64(len(r.samples))
		r.start = r.end - uint64(len(r.samples))
	}
	r.mu.Unlock()
	select {
	case r.ready <- struct{}{}:
	default:
	}
}

// Read fills dst with the oldest samples and says when the first was captured;
// ok is false, and nothing is taken, when there are fewer.
func (r *Ring) Read(dst []float32) (at robot.Time, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.end-r.start < uint64(len(dst)) {
		return 0, false
	}
	at = r.at.Add(time.Duration(int64(r.start)-int64(r.mark)) * time.Second / time.Duration(r.rate))
	for i := range dst {
		dst[i] = r.samples[r.start%uint64(len(r.samples))]
		r.start++
	}
	return at, true
}

// Ready is sent to after a Write; one reader selects on it and then calls Read
// until it gives no more.
func (r *Ring) Ready() <-chan struct{} { return r.ready }

// Lost gives how many samples went before anybody read them.
func (r *Ring) Lost() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost
}
