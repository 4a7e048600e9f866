package world

import (
	"context"
	"errors"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
)

// maxBehind is how far Run may fall behind its clock before it lets simulated
// time jump instead of catching up.
const maxBehind = 100 * time.Millisecond

// ErrRunning is returned by Run while another Run is on.
var ErrRunning = errors.New("world: it runs already")

// Run steps the physics along with clock until ctx ends or the world is closed.
// From then on Now, and with it State.At, is on that clock. When the machine is
// too slow by more than 100 ms, simulated time jumps: the robot then moves more
// slowly than its time stamps say, but they stay true to the clock.
func (w *World) Run(ctx context.Context, clock robot.Clock) error {
	w.mu.Lock()
	if w.running {
		w.mu.Unlock()
		return ErrRunning
	}
	w.running = true
	w.now = clock.Now()
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.running = false
		w.mu.Unlock()
	}()
	return Pace(ctx, clock, w.follow)
}

// Pace calls follow with the time on clock, and again at the instant that it
// gives, until it fails or ctx ends.
func Pace(ctx context.Context, clock robot.Clock, follow func(now robot.Time) (robot.Time, error)) error {
	for {
		next, err := follow(clock.Now())
		if err != nil {
			return err
		}
		if err := clock.Wait(ctx, next); err != nil {
			return err
		}
	}
}

// follow steps until now is less than a step away and gives the instant at
// which the next step is due. The lock is released between steps, so that
// nobody waits for longer than one.
func (w *World) follow(now robot.Time) (robot.Time, error) {
	for {
		w.mu.Lock()
		if w.closed {
			w.mu.Unlock()
			return 0, mujoco.ErrClosed
		}
		if now.Sub(w.now) > maxBehind {
			w.now = now.Add(-PhysicsStep)
		}
		if next := w.now.Add(PhysicsStep); next > now {
			w.mu.Unlock()
			return next, nil
		}
		w.step()
		w.mu.Unlock()
	}
}
