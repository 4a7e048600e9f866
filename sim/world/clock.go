package world

import (
	"context"
	"fmt"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// TickPeriod is the usual time between ticks of the control loop.
const TickPeriod = 10 * time.Millisecond

// Stepper is a world that a Clock drives: Step moves it on by d, rounded up to
// whole steps of its physics.
type Stepper interface {
	Now() robot.Time
	Step(d time.Duration)
}

// Clock is the simulated time of a world in lockstep: Wait moves the physics
// on and calls the control loop's tick, in the caller's goroutine. It implements
// robot.Clock; all calls that wait come from one goroutine, and tick must not
// wait.
type Clock struct {
	world  Stepper
	period time.Duration
	tick   func()
	next   robot.Time
	inTick bool
}

var _ robot.Clock = (*Clock)(nil)

// NewClock makes the clock that drives w and calls tick (which may be nil) every
// period from now on; period is a multiple of PhysicsStep, 0 means TickPeriod.
func NewClock(w Stepper, period time.Duration, tick func()) (*Clock, error) {
	if period == 0 {
		period = TickPeriod
	}
	if period < 0 || period%PhysicsStep != 0 {
		return nil, fmt.Errorf("world: clock: period %v is not a multiple of the physics step, %v", period, PhysicsStep)
	}
	return &Clock{world: w, period: period, tick: tick, next: w.Now()}, nil
}

// Now implements robot.Clock.
func (c *Clock) Now() robot.Time { return c.world.Now() }

// Epoch implements robot.Clock; simulated days begin at Unix time 0.
func (c *Clock) Epoch() time.Time { return time.Unix(0, 0).UTC() }

// Wait implements robot.Clock: it returns at the first physics step not before
// t. A tick that is due at an instant comes before the physics that follows it
// and, at t itself, is left to the next Wait.
func (c *Clock) Wait(ctx context.Context, t robot.Time) error {
	if c.inTick {
		return fmt.Errorf("world: clock: the tick function waits for the clock that calls it")
	}
	for now := c.world.Now(); now < t; now = c.world.Now() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if now >= c.next {
			c.next = now.Add(c.period)
			c.callTick()
		}
		c.world.Step(min(c.next, t).Sub(now))
	}
	return ctx.Err()
}

func (c *Clock) callTick() {
	if c.tick == nil {
		return
	}
	c.inTick = true
	defer func() { c.inTick = false }()
	c.tick()
}
