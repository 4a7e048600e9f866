package camera

import (
	"sync"

	"github.com/kuai-robot/kuai/perception/rtsp"
)

// unit is one coded picture on its way to the decoder.
type unit struct {
	stamp rtsp.Stamp
	data  []byte
	// key units decode without those before them: every JPEG file, and the
	// random access points of H.264 and H.265.
	key bool
}

const (
	// maxUnits bounds how far decoding may fall behind: two seconds at 30 Hz.
	maxUnits = 64
	// maxBehind is from how many units on a new key unit replaces the old ones.
	maxBehind = 4
)

// unitQueue lies between the network and the decoder. put never blocks; when
// the decoder is behind, it goes on from the newest key unit.
type unitQueue struct {
	mu    sync.Mutex
	units []unit
	// waiting for a key unit, after an overflow.
	gap   bool
	ready chan struct{}
}

func newUnitQueue() *unitQueue { return &unitQueue{ready: make(chan struct{}, 1)} }

// put adds a unit and gives how many were given up for it.
func (q *unitQueue) put(u unit) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if u.key {
		if len(q.units) > 0 && (q.units[0].key || len(q.units) >= maxBehind) {
			dropped = len(q.units)
			q.units = q.units[:0]
		}
		q.gap = false
		q.units = append(q.units, u)
	} else {
		if len(q.units) == maxUnits {
			dropped, q.gap = len(q.units), true
			q.units = q.units[:0]
		}
		if q.gap {
			return dropped + 1
		}
		q.units = append(q.units, u)
	}
	select {
	case q.ready <- struct{}{}:
	default:
	}
	return dropped
}

// take gives the oldest unit.
func (q *unitQueue) take() (u unit, more, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.units) == 0 {
		return u, false, false
	}
	u = q.units[0]
	n := copy(q.units, q.units[1:])
	q.units[n] = unit{}
	q.units = q.units[:n]
	return u, n > 0, true
}
