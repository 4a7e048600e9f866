package drivertest

import (
	"math"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
)

// reads: the state is where the joints are, of a time that grows and has come.
func reads(t *testing.T, r *Rig) {
	last := r.fresh(t)
	r.near(t, "Read", last.Position, r.Position())
	for range 50 {
		s, err := r.tick(t)
		if err != nil {
			t.Fatalf("Read: %v", err)
		}
		if s.At > r.Clock.Now() || s.At < last.At {
			t.Fatalf("a state of %v after one of %v, it is %v", s.At, last.At, r.Clock.Now())
		}
		last = s
	}
	if age := r.Clock.Now().Sub(last.At); age > 2*Period {
		t.Errorf("the state is %v old while the device answers", age)
	}
}

// writes: a joint goes where it is told, and the state says so.
func writes(t *testing.T, r *Rig) {
	r.fresh(t)
	q := r.beside()
	r.send(t, q, true)
	r.near(t, "after Write", r.Position(), q)
	r.near(t, "Read after Write", r.fresh(t).Position, q)
	if !r.Enabled() {
		t.Error("the torque is off after a command with Enable")
	}
}

// limits: what lies at the ends of a joint's range gets through unchanged.
func limits(t *testing.T, r *Rig) {
	r.fresh(t)
	for _, high := range []bool{false, true} {
		q := r.Position()
		for i := range r.Description.Joints {
			l := &r.Description.Joints[i].Limits
			if q[i] = l.MinPosition; high {
				q[i] = l.MaxPosition
			}
		}
		r.send(t, q, true)
		r.near(t, "at the end of the range", r.Position(), q)
		r.near(t, "Read at the end of the range", r.fresh(t).Position, q)
	}
}

// nonsense: a command that is no number is refused and moves nothing.
func nonsense(t *testing.T, r *Rig) {
	r.fresh(t)
	r.send(t, r.Position(), true)
	before := r.Position()
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		c := robot.Command{At: r.Clock.Now(), Enable: true, Position: before}
		c.Position[0] = bad
		if err := r.Driver.Write(&c); err == nil {
			t.Errorf("Write took %g", bad)
		}
		r.Advance(r.Settle)
		r.near(t, "after nonsense", r.Position(), before)
	}
}

// torque: Enable decides.
func torque(t *testing.T, r *Rig) {
	r.fresh(t)
	for _, on := range []bool{true, false, true} {
		r.send(t, r.Position(), on)
		if r.Enabled() != on {
			t.Errorf("torque %v after a command with Enable %v", r.Enabled(), on)
		}
	}
}

// stop: a command to stay where it is ends a motion.
func stop(t *testing.T, r *Rig) {
	r.fresh(t)
	r.send(t, r.Position(), true)
	r.write(t, r.beside(), true)
	r.Advance(Period)
	here := r.Position()
	r.send(t, here, true)
	r.near(t, "after a stop", r.Position(), here)
}

// quiet says that no state newer than since comes while the device is away.
func quiet(t *testing.T, r *Rig, since robot.Time) {
	t.Helper()
	for range 100 {
		if s, err := r.tick(t); err == nil && s.At > since {
			t.Fatalf("a state of %v although the device is away since %v", s.At, since)
		}
		c := robot.Command{At: r.Clock.Now(), Enable: true, Position: r.Position()}
		r.timed(t, "Write", func() { _ = r.Driver.Write(&c) }) // may fail or not, but returns
	}
}

// unplug: a device that is away gives no fresh state and holds nobody up.
func unplug(t *testing.T, r *Rig) {
	r.fresh(t)
	r.send(t, r.Position(), true)
	r.Unplug()
	quiet(t, r, r.Clock.Now())
}

// reconnect: it comes back by itself, and nothing that was written while it
// was away moves it then.
func reconnect(t *testing.T, r *Rig) {
	r.fresh(t)
	r.send(t, r.Position(), true)
	away := r.beside()
	r.Unplug()
	since := r.Clock.Now()
	for range 20 {
		_, _ = r.tick(t) // no fresh state: see unplug
		c := robot.Command{At: r.Clock.Now(), Enable: true, Position: away}
		_ = r.Driver.Write(&c)
	}
	quiet(t, r, since)
	before := r.Position()
	r.Plug()
	r.fresh(t)
	r.near(t, "on coming back", r.Position(), before)
	q := r.beside()
	r.send(t, q, true)
	r.near(t, "after coming back", r.Position(), q)
}

// garbage: it is never taken for a state, and what follows is read again.
func garbage(t *testing.T, r *Rig) {
	r.fresh(t)
	r.send(t, r.Position(), true)
	r.Garble(true)
	for range 100 {
		s, err := r.tick(t)
		if err != nil {
			continue
		}
		for i := range r.Description.Joints {
			if !(math.Abs(s.Position[i]) < 1e3) || !(math.Abs(s.Velocity[i]) < 1e6) || math.IsNaN(s.Effort[i]) || math.IsNaN(s.Temperature[i]) {
				t.Fatalf("garbage was read as %g rad, %g rad/s", s.Position[i], s.Velocity[i])
			}
		}
	}
	r.Garble(false)
	s := r.fresh(t)
	r.near(t, "after garbage", s.Position, r.Position())
}

// slow: a late answer shows as an old state, not as a fresh one, and holds
// nobody up.
func slow(t *testing.T, r *Rig) {
	r.fresh(t)
	r.send(t, r.Position(), true)
	r.Slow(true)
	var s robot.State
	var err error
	for range 30 {
		s, err = r.tick(t) // bounded, whatever comes
	}
	if age := r.Clock.Now().Sub(s.At); err == nil && age <= 2*Period {
		t.Errorf("a device that answers too late gives a state that is %v old", age)
	}
	r.Slow(false)
	r.fresh(t)
}

// inLoop: under the control loop a lost device is a fault, and motion goes on
// after it came back and a reset.
func inLoop(t *testing.T, r *Rig) {
	l, err := safety.Compile(r.Description, safety.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	loop, err := control.New(l, r.Driver, r.Clock, control.Config{})
	if err != nil {
		t.Fatal(err)
	}
	run := func(d time.Duration, until func(control.Status) bool) control.Status {
		t.Helper()
		for end := r.Clock.Now().Add(d); r.Clock.Now() < end; {
			r.Advance(Period)
			loop.Tick()
			if until(loop.Status()) {
				break
			}
		}
		s := loop.Status()
		if !until(s) {
			t.Fatalf("after %v: %v, %s, driver %v", d, s.Verdict.Mode, loop.Reason(&s), s.LastError)
		}
		return s
	}
	mode := func(m safety.Mode) func(control.Status) bool {
		return func(s control.Status) bool { return s.Verdict.Mode == m }
	}
	run(3*time.Second, mode(safety.Held))
	q := r.beside()
	submit := func() {
		now := r.Clock.Now()
		loop.Submit(robot.Chunk{Source: robot.SourceSkill, ObservedAt: now, Start: now, Actions: []robot.Joints{q}, Expires: now.Add(time.Hour)})
	}
	submit()
	run(Period, mode(safety.Moving))
	r.Unplug()
	run(time.Second, mode(safety.Fault))
	if err := loop.Reset(); err == nil {
		t.Error("a reset was accepted while the device is away")
	}
	r.Plug()
	run(3*time.Second, func(s control.Status) bool { return s.Verdict.Health == safety.OK })
	if err := loop.Reset(); err != nil {
		t.Fatalf("Reset: %v", err)
	}
	run(Period, mode(safety.Held))
	for range 200 {
		submit()
		run(Period, func(control.Status) bool { return true })
	}
	run(Period, mode(safety.Moving))
	r.near(t, "after the reset", r.Position(), q)
}
