package machine

import (
	"context"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
)

// maxBehind is how far Run may fall behind its clock before it lets simulated
// time jump instead of catching up.
const maxBehind = 100 * time.Millisecond

// Run steps the physics along with clock until ctx ends or the machine is closed.
// From then on Now, and with it State.At, is on that clock. When the computer is
// too slow by more than 100 ms, simulated time jumps: the robot then moves more
// slowly than its time stamps say, but they stay true to the clock.
func (m *Machine) Run(ctx context.Context, clock robot.Clock) error {
	m.Lock()
	if m.running {
		m.Unlock()
		return ErrRunning
	}
	m.running = true
	m.now = clock.Now()
	m.Unlock()
	defer func() {
		m.Lock()
		m.running = false
		m.Unlock()
	}()
	for {
		next, err := m.follow(clock.Now())
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
func (m *Machine) follow(now robot.Time) (robot.Time, error) {
	for {
		m.Lock()
		if m.closed {
			m.Unlock()
			return 0, mujoco.ErrClosed
		}
		if now.Sub(m.now) > maxBehind {
			m.now = now.Add(-m.o.Period)
		}
		if next := m.now.Add(m.o.Period); next > now {
			m.Unlock()
			return next, nil
		}
		m.step()
		m.Unlock()
	}
}
