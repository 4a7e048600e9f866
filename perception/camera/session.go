package camera

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/kuai-robot/kuai/robot"
)

// errFrozen marks the end of a session in which nothing came any more.
var errFrozen = errors.New("frozen")

// session plays the source once, with the freeze watch beside it. Nil says that
// a recording is over.
func (c *Camera) session(ctx context.Context) error {
	c.attempts.Add(1)
	c.begin()
	playing, stop := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if err := robot.Guard(func() error { c.watch(playing, stop); return nil }); err != nil {
			stop(err)
		}
	}()
	err := robot.Guard(func() error { return c.source.play(playing, c) })
	stop(nil)
	<-watched
	if cause := context.Cause(playing); errors.Is(cause, errFrozen) || robot.PanicIn(cause) != nil {
		return cause
	}
	if errors.Is(err, errOver) {
		return nil
	}
	return explain(err)
}

func (c *Camera) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.arrived, c.changed = c.clock.Now(), c.clock.Now()
	c.lastSum, c.lastBad = 0, nil
}

// watch ends the session when nothing arrived for Config.Freeze.
func (c *Camera) watch(ctx context.Context, stop context.CancelCauseFunc) {
	for {
		c.mu.Lock()
		due, bad := c.arrived.Add(c.cfg.Freeze), c.lastBad
		c.mu.Unlock()
		if c.clock.Now() >= due {
			err := fmt.Errorf("%w: no picture for %v (is the camera overloaded, or its network?)", errFrozen, c.cfg.Freeze)
			if bad != nil {
				err = fmt.Errorf("%w: no readable picture for %v: %w", errFrozen, c.cfg.Freeze, bad)
			}
			stop(err)
			return
		}
		if c.clock.Wait(ctx, due) != nil {
			return
		}
	}
}

// deliver implements sink.
func (c *Camera) deliver(p picture) {
	var sum uint64
	if c.cfg.Still > 0 {
		sum = maphash.Bytes(c.seed, p.pixels)
	}
	now := c.clock.Now()

	c.mu.Lock()
	c.arrived, c.lastBad = now, nil
	if sum != c.lastSum {
		c.changed, c.lastSum = now, sum
	}
	still := c.cfg.Still > 0 && now.Sub(c.changed) >= c.cfg.Still
	before := c.stats.State
	fresh := c.stats.Frames == 0
	if still {
		c.stats.Withheld++
	} else {
		c.stats.Frames++
		c.stats.LastAt, c.stats.Estimated = p.stamp.At, p.stamp.Estimated
	}
	seq := c.stats.Frames
	c.mu.Unlock()

	if still {
		if before != Frozen {
			c.report(Report{State: Frozen, Err: fmt.Errorf("camera %s: %w: the same picture for %v (restart the camera)",
				c.cfg.Name, errFrozen, c.cfg.Still)})
		}
		return
	}
	if before != Live || fresh {
		c.report(Report{State: Live})
	}
	c.frames(robot.Frame{Camera: c.cfg.Name, At: p.stamp.At, Estimated: p.stamp.Estimated, Seq: seq,
		Width: p.width, Height: p.height, Pixels: p.pixels, JPEG: p.jpeg})
}

// corrupt implements sink.
func (c *Camera) corrupt(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Corrupt++
	c.lastBad = err
}

// drop implements sink.
func (c *Camera) drop(n int) { c.dropped.Add(uint64(n)) }
