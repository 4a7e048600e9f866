package control

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
)

// Config of a Loop; what is zero takes its default.
type Config struct {
	// RateHz is how many ticks a second Run does, 1 to 1000; default 100.
	RateHz float64 `yaml:"rate_hz"`
	// Blend is the least time over which one motion turns into the next;
	// default 100 ms.
	Blend time.Duration `yaml:"blend"`
	// LimpAtEnd cuts the torque when Run ends instead of holding the position.
	LimpAtEnd bool `yaml:"limp_at_end"`
	// Realtime asks for a real-time scheduling class and locked memory;
	// Status.Realtime says what was granted.
	Realtime bool `yaml:"realtime"`
	// AfterRestart starts the robot stopped, for a program that comes up after
	// an unclean end.
	AfterRestart bool `yaml:"-"`
	// Watcher is told what the loop was given and what it made of it; nil: nobody.
	Watcher Watcher `yaml:"-"`
}

// Loop is the control loop of one robot.
type Loop struct {
	limits *safety.Limits
	driver Driver
	clock  robot.Clock
	config Config
	period time.Duration
	sleep  sleeper

	// What other goroutines ask for. stop holds the reason until a tick takes it.
	newest  [robot.Sources]atomic.Pointer[order]
	stop    atomic.Pointer[string]
	reset   atomic.Bool
	release atomic.Bool
	paused  atomic.Int64 // until this robot.Time
	refused atomic.Uint64
	dropped atomic.Uint64
	orders  atomic.Uint64 // how many there were

	// What the loop's goroutine alone uses.
	core    safety.Core
	in      safety.Input
	command robot.Command
	verdict safety.Verdict
	motions [robot.Sources]motion
	reason  string
	reads   channel
	writes  channel
	// deaf is since when no command has come through; zero: it does.
	deaf robot.Time
	told Tick // what the watcher is shown

	ticks, overruns atomic.Uint64
	late            Histogram
	stages          [stages]Histogram

	mu        sync.Mutex // of published; the loop only ever tries it
	published Status
	realtime  atomic.Pointer[string]
}

// channel counts what went wrong on one way to the driver.
type channel struct {
	failures uint64
	err      error
}

// New makes a loop that is off until its first tick.
func New(limits *safety.Limits, driver Driver, clock robot.Clock, c Config) (*Loop, error) {
	if limits == nil || driver == nil || clock == nil {
		return nil, errors.New("control loop: needs limits, a driver and a clock")
	}
	if c.RateHz == 0 {
		c.RateHz = 100
	}
	if c.Blend == 0 {
		c.Blend = 100 * time.Millisecond
	}
	if !(c.RateHz >= 1 && c.RateHz <= 1000) {
		return nil, fmt.Errorf("control loop: rate_hz is %g, want 1 to 1000", c.RateHz)
	}
	if c.Blend < 0 {
		return nil, fmt.Errorf("control loop: blend is %v, must not be negative", c.Blend)
	}
	l := &Loop{limits: limits, driver: driver, clock: clock, config: c, period: time.Duration(float64(time.Second) / c.RateHz)}
	if longest := limits.MaxTick(); l.period >= longest {
		return nil, fmt.Errorf("control loop: at rate_hz %g a tick takes %v, safety.max_tick is %v (raise one of them)", c.RateHz, l.period, longest)
	}
	if c.AfterRestart {
		l.core = safety.Restarted()
	}
	sleep, err := newSleeper(clock, c.Realtime)
	if err != nil {
		return nil, fmt.Errorf("control loop: %w", err)
	}
	l.sleep = sleep
	l.publish()
	return l, nil
}

// Submit gives the newest chunk of a source. One that is empty, has no step or
// is of no known source is refused and counted.
func (l *Loop) Submit(c robot.Chunk) {
	if c.Source == robot.SourceNone || c.Source >= robot.Sources || len(c.Actions) == 0 || len(c.Actions) > 1 && c.Step <= 0 {
		l.refused.Add(1)
		return
	}
	l.put(c.Source, &order{chunk: c, issued: l.clock.Now()})
}

// Setpoint is what a teleoperator wants at this moment.
type Setpoint struct {
	// At is when it was wanted; Expires ends it even if the teleoperator's
	// rule in safety.Config allows longer.
	At, Expires robot.Time
	// Joints are positions, and velocities for wheels; with ByVelocity they
	// are velocities for all.
	Joints     robot.Joints
	ByVelocity bool
}

// Steer gives the newest set-point of the teleoperator.
func (l *Loop) Steer(p Setpoint) {
	l.put(robot.SourceTeleop, &order{
		chunk:      robot.Chunk{Source: robot.SourceTeleop, ObservedAt: p.At, Start: p.At, Actions: []robot.Joints{p.Joints}, Expires: p.Expires},
		issued:     l.clock.Now(),
		byVelocity: p.ByVelocity,
	})
}

func (l *Loop) put(s robot.Source, o *order) {
	o.number = l.orders.Add(1)
	if l.config.Watcher != nil {
		// Before the loop can see it, so that no tick speaks of an unknown order.
		l.config.Watcher.Ordered(&Order{Number: o.number, Chunk: o.chunk, Issued: o.issued, ByVelocity: o.byVelocity})
	}
	if old := l.newest[s].Swap(o); old != nil && !old.taken.Load() {
		l.dropped.Add(1)
	}
}

// Hold drops what source s wants; without another the robot brakes and holds.
func (l *Loop) Hold(s robot.Source) {
	if s < robot.Sources {
		l.newest[s].Store(nil)
	}
}

// Stop stops the robot at once and until a Reset. It never blocks. The reason
// of the first of several is kept.
func (l *Loop) Stop(reason string) {
	l.stop.CompareAndSwap(nil, &reason)
	l.sleep.wake()
}

// Release cuts the torque, so that the joints can be moved by hand, until
// Engage. In a stop or fault it stays off until a Reset.
func (l *Loop) Release() {
	l.release.Store(true)
	l.sleep.wake()
}

// Engage ends a Release.
func (l *Loop) Engage() { l.release.Store(false) }

// Reset asks to leave the stopped or fault mode with the next tick; the error
// says why that cannot be.
func (l *Loop) Reset() error {
	if l.stop.Load() != nil {
		return errors.New("reset refused: a stop is being carried out (ask again)")
	}
	s := l.Status()
	if code := s.Verdict.Health; code != safety.OK {
		return fmt.Errorf("reset refused: %s%v", l.about(s.Verdict.HealthJoint), code)
	}
	l.reset.Store(true)
	return nil
}

// about names a joint for a message; empty for none.
func (l *Loop) about(joint int) string {
	if joint < 0 {
		return ""
	}
	return "joint " + l.limits.Joint(joint) + ": "
}
