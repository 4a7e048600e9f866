package robot

import (
	"context"
	"sync"
	"time"
)

// Time is a monotonic instant: nanoseconds since the epoch of the Clock that
// gave it. Zero is "never"; clocks start above it.
type Time int64

// Add gives the instant d later.
func (t Time) Add(d time.Duration) Time { return t + Time(d) }

// Sub gives the time from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// Seconds gives the seconds since the epoch.
func (t Time) Seconds() float64 { return time.Duration(t).Seconds() }

// String formats t as seconds since the epoch, "12.345s".
func (t Time) String() string { return time.Duration(t).String() }

// Clock is the only source of time. SystemClock is real time; ManualClock is
// moved by a simulator, a test or a replay.
type Clock interface {
	// Now gives the present instant; it never goes back.
	Now() Time
	// Wait returns nil once Now is at least t, or ctx's error if that ends first.
	Wait(ctx context.Context, t Time) error
	// Epoch is the wall-clock time at which Time was zero: the way from a
	// camera's NTP stamp to Time and from Time to a log line. It does not
	// follow later steps of the wall clock.
	Epoch() time.Time
}

// SystemClock is the machine's monotonic clock, counted from its making.
type SystemClock struct {
	start time.Time
}

// NewSystemClock starts a clock a millisecond after its epoch, so that no
// reading of it is the zero Time.
func NewSystemClock() *SystemClock {
	return &SystemClock{start: time.Now().Add(-time.Millisecond)}
}

// Now implements Clock.
func (c *SystemClock) Now() Time { return Time(time.Since(c.start)) }

// Epoch implements Clock.
func (c *SystemClock) Epoch() time.Time { return c.start.Round(0) }

// Wait implements Clock.
func (c *SystemClock) Wait(ctx context.Context, t Time) error {
	d := t.Sub(c.Now())
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ManualClock moves only when told. Its methods may be called from any
// goroutine.
type ManualClock struct {
	epoch time.Time

	mu      sync.Mutex
	now     Time
	waiters map[chan struct{}]Time
}

// NewManualClock gives a clock that stands at start.
func NewManualClock(epoch time.Time, start Time) *ManualClock {
	return &ManualClock{epoch: epoch, now: start, waiters: map[chan struct{}]Time{}}
}

// Now implements Clock.
func (c *ManualClock) Now() Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Epoch implements Clock.
func (c *ManualClock) Epoch() time.Time { return c.epoch }

// Wait implements Clock.
func (c *ManualClock) Wait(ctx context.Context, t Time) error {
	c.mu.Lock()
	if c.now >= t {
		c.mu.Unlock()
		return ctx.Err()
	}
	due := make(chan struct{})
	c.waiters[due] = t
	c.mu.Unlock()
	select {
	case <-due:
		return nil
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.waiters, due)
		c.mu.Unlock()
		return ctx.Err()
	}
}

// Advance moves the clock by d, which must not be negative, and releases the
// waiters that are due.
func (c *ManualClock) Advance(d time.Duration) {
	if d < 0 {
		panic("robot: ManualClock.Advance by a negative duration")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for due, t := range c.waiters {
		if c.now >= t {
			close(due)
			delete(c.waiters, due)
		}
	}
}

// Waiting gives the number of goroutines in Wait, so that a test can let them
// arrive before it moves the clock.
func (c *ManualClock) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiters)
}
