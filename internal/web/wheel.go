package web

import (
	"sync"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// wheelHeld is how long after its newest teleoperation message a page is the
// one that steers: longer than a robot moves on without another.
const wheelHeld = 500 * time.Millisecond

// wheel lets one page steer at a time: velocities of two people, one after the
// other, would be what neither wants.
type wheel struct {
	mu     sync.Mutex
	holder *outbox
	until  robot.Time
}

// take says whether the page of box may steer now.
func (w *wheel) take(box *outbox, now robot.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.holder != nil && w.holder != box && now < w.until {
		return false
	}
	w.holder, w.until = box, now.Add(wheelHeld)
	return true
}

// leave lets go for a page that has closed.
func (w *wheel) leave(box *outbox) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.holder == box {
		w.holder = nil
	}
}
