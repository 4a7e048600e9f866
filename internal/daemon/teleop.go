package daemon

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// maxTeleopDelay is how much longer than the quickest of its stream a message
// may have been on the way.
const maxTeleopDelay = 150 * time.Millisecond

// teleopGap ends a stream: the next message may come from another sender, with
// another clock.
const teleopGap = time.Second

// teleop turns teleoperation messages into set-points. The sender's clock need
// not be ours: a message is late by how much longer it took than the quickest
// of its stream.
type teleop struct {
	clock  robot.Clock
	expiry time.Duration
	steer  func(control.Setpoint)
	// begins is called when somebody starts to steer.
	begins func()

	mu       sync.Mutex
	lastAt   float64 // sender's
	arrived  robot.Time
	quickest float64 // least of our time minus the sender's, s
}

func (t *teleop) take(m topics.Teleop) error {
	now := t.clock.Now()
	late, first, err := t.lateness(m.At, now)
	if err != nil {
		return err
	}
	if first {
		t.begins()
	}
	p := control.Setpoint{At: now.Add(-late), ByVelocity: len(m.Velocity) > 0}
	p.Expires = p.At.Add(t.expiry)
	copy(p.Joints[:], m.Position)
	copy(p.Joints[:], m.Velocity)
	t.steer(p)
	return nil
}

// lateness says how long the message was held up, and whether it begins a
// stream.
func (t *teleop) lateness(at float64, now robot.Time) (late time.Duration, first bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	took := now.Seconds() - at
	first = t.arrived == 0 || now.Sub(t.arrived) > teleopGap
	switch {
	case first:
		t.quickest = took
	case at <= t.lastAt:
		return 0, false, errors.New("at does not grow: the message is an old one, or there are two who steer")
	}
	t.quickest = min(t.quickest, took)
	t.lastAt, t.arrived = at, now
	if late = time.Duration((took - t.quickest) * float64(time.Second)); late > maxTeleopDelay {
		return 0, false, fmt.Errorf("the message was held up for %d ms on the way, at most %d are allowed",
			late.Milliseconds(), maxTeleopDelay.Milliseconds())
	}
	return late, first, nil
}
