package drivertest

import (
	"math"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/robot"
)

// Rig is one driver with its device.
type Rig struct {
	Driver      control.Driver
	Description *robot.Description
	Clock       robot.Clock
	// Advance lets time pass for the device and on Clock.
	Advance func(time.Duration)
	// Position gives where the device's joints really are, Enabled whether any
	// of them has torque.
	Position func() robot.Joints
	Enabled  func() bool
	// Resolution is how far a position may be off after the way to the device
	// and back; Settle how long the joints need to get to a target nearby.
	Resolution float64
	Settle     time.Duration
	// Obstructed: the robot cannot have every joint at the end of its range at
	// once, since it has a body and the world has a floor.
	Obstructed bool
	// Unplug cuts the link to the device, Plug mends it.
	Unplug, Plug func()
	// Garble makes the device send garbage until it is switched off; Slow makes
	// it answer too late.
	Garble, Slow func(on bool)
}

// Period is the tick at which the table drives a driver.
const Period = 10 * time.Millisecond

// bounded is the real time that no call may take, whatever the device does. Under
// -short it is not measured: an emulated processor takes its own time.
const bounded = 100 * time.Millisecond

// Run checks a driver against the contract; open makes a fresh rig whose
// device is at rest, in reach, with the torque off.
func Run(t *testing.T, open func(t *testing.T) *Rig) {
	for _, c := range []struct {
		name  string
		needs func(*Rig) bool
		check func(*testing.T, *Rig)
	}{
		{"reads", always, reads},
		{"writes", always, writes},
		{"limits", func(r *Rig) bool { return !r.Obstructed }, limits},
		{"nonsense", always, nonsense},
		{"torque", always, torque},
		{"stop", always, stop},
		{"unplug", func(r *Rig) bool { return r.Unplug != nil }, unplug},
		{"reconnect", func(r *Rig) bool { return r.Plug != nil }, reconnect},
		{"garbage", func(r *Rig) bool { return r.Garble != nil }, garbage},
		{"slow", func(r *Rig) bool { return r.Slow != nil }, slow},
		{"loop", func(r *Rig) bool { return r.Plug != nil }, inLoop},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := open(t)
			if !c.needs(r) {
				t.Skip("cannot happen to this driver")
			}
			r.Advance(Period)
			c.check(t, r)
		})
	}
}

func always(*Rig) bool { return true }

// tick lets one period pass and reads, in bounded time.
func (r *Rig) tick(t *testing.T) (robot.State, error) {
	t.Helper()
	r.Advance(Period)
	var s robot.State
	var err error
	r.timed(t, "Read", func() { s, err = r.Driver.Read() })
	return s, err
}

func (r *Rig) timed(t *testing.T, what string, call func()) {
	t.Helper()
	clock := robot.NewSystemClock()
	begin := clock.Now()
	call()
	if took := clock.Now().Sub(begin); took > bounded && !testing.Short() {
		t.Errorf("%s took %v, at most %v is allowed", what, took, bounded)
	}
}

// fresh reads until a state comes that is at most two periods old.
func (r *Rig) fresh(t *testing.T) robot.State {
	t.Helper()
	var s robot.State
	var err error
	for range 300 {
		if s, err = r.tick(t); err == nil && r.Clock.Now().Sub(s.At) <= 2*Period {
			return s
		}
	}
	t.Fatalf("no fresh state within 300 periods: newest of %v at %v, %v", s.At, r.Clock.Now(), err)
	return s
}

// stride is how far a joint is told to go in one period at most, rad or m: the
// commands of the safety core begin where the joints are and are continuous.
const stride = 0.04

// send leads the joints to q, and waits until they have had time to get there.
func (r *Rig) send(t *testing.T, q robot.Joints, enable bool) {
	t.Helper()
	at := r.Position()
	for left := r.Settle; left >= 0; {
		r.write(t, at, enable)
		if _, err := r.tick(t); err != nil {
			t.Fatalf("Read: %v", err)
		}
		if at == q {
			left -= Period
		}
		for i := range at {
			at[i] += max(-stride, min(stride, q[i]-at[i]))
		}
	}
}

func (r *Rig) write(t *testing.T, q robot.Joints, enable bool) {
	t.Helper()
	c := robot.Command{At: r.Clock.Now(), Enable: enable, Position: q}
	var err error
	r.timed(t, "Write", func() { err = r.Driver.Write(&c) })
	if err != nil {
		t.Fatalf("Write: %v", err)
	}
}

// near says that the joints that are commanded by position are at q.
func (r *Rig) near(t *testing.T, what string, got, q robot.Joints) {
	t.Helper()
	for i := range r.Description.Joints {
		j := &r.Description.Joints[i]
		if off := math.Abs(got[i] - q[i]); j.Kind != robot.Wheel && !(off <= r.Resolution) {
			t.Errorf("%s: joint %s is at %g, want %g within %g", what, j.Name, got[i], q[i], r.Resolution)
		}
	}
}

// beside gives the present position, every joint a little towards its middle.
func (r *Rig) beside() robot.Joints {
	q := r.Position()
	for i := range r.Description.Joints {
		l := &r.Description.Joints[i].Limits
		middle := (l.MinPosition + l.MaxPosition) / 2
		q[i] += math.Copysign(min(0.1, math.Abs(middle-q[i])), middle-q[i])
	}
	return q
}
