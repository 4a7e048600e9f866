package control

import (
	"math"
	"time"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
)

// Tick does one tick at the clock's present instant. It allocates nothing.
func (l *Loop) Tick() {
	begin := l.clock.Now()
	// The way of a stop is the shortest: it needs no fresh state.
	if l.stop.Load() == nil {
		l.read(begin)
	}
	now := l.clock.Now()
	l.stages[StageRead].Add(now.Sub(begin))
	l.aim(now)
	l.in.Release = l.release.Load()
	// Reset before stop, so that a stop that comes between the two wins.
	l.in.Reset = l.reset.Swap(false)
	reason := l.stop.Swap(nil)
	l.in.Stop = reason != nil
	l.step(now)
	l.note(reason)
	decided := l.clock.Now()
	l.stages[StageDecide].Add(decided.Sub(now))
	l.write(decided)
	l.stages[StageWrite].Add(l.clock.Now().Sub(decided))
	l.ticks.Add(1)
	if l.config.Watcher != nil {
		l.tell()
	}
	if l.mu.TryLock() {
		l.fill(&l.published)
		l.mu.Unlock()
	}
}

// step asks the safety core. While no command comes through, the state counts
// as read when the last one did: what cannot be steered is not known to be safe.
func (l *Loop) step(now robot.Time) {
	read := l.in.State.At
	if l.deaf != 0 {
		l.in.State.At = min(read, l.deaf)
	}
	l.core, l.command, l.verdict = safety.Step(l.limits, l.core, &l.in, now)
	l.in.State.At = read
}

// note keeps the reason of the stop that latched.
func (l *Loop) note(reason *string) {
	switch {
	case reason != nil && l.reason == "":
		l.reason = *reason
	case l.verdict.Mode != safety.Stopped:
		l.reason = ""
	}
}

// aim fills the targets with what every source wants at now.
func (l *Loop) aim(now robot.Time) {
	q, v := l.core.Commanded()
	for s := robot.SourceNone + 1; s < robot.Sources; s++ {
		m, t := &l.motions[s], &l.in.Targets[s]
		o := l.wanted(s, now)
		fresh := o != m.order
		least := l.config.Blend
		if fresh && o != nil {
			l.continues(s, t, &q, &v)
			least = m.least(o, least)
		}
		if fresh {
			m.take(o)
		}
		if o == nil {
			*t = safety.Target{}
			continue
		}
		// A motion that is not followed yet would begin where the robot is.
		if fresh || l.verdict.Source != s {
			m.blend(l.limits, l.command.At, &q, &v, least)
		}
		m.target(l.limits, now, t)
	}
}

// continues replaces in v, the mean velocity of the last tick, that of its end
// for the joints that met the target t, the source's last: so that a seam
// does not cost half a tick of acceleration.
func (l *Loop) continues(s robot.Source, t *safety.Target, q, v *robot.Joints) {
	if l.verdict.Source != s || t.ByVelocity {
		return
	}
	const met = 1e-6 // rad or m
	for i := range l.limits.Joints() {
		if !l.limits.Wheel(i) && math.Abs(t.Position[i]-q[i]) < met {
			v[i] = t.Velocity[i]
		}
	}
}

// retryWithin is the share of a period after which a failed call is not tried
// again in the same tick.
const retryWithin = 4

func (l *Loop) inTime(begin robot.Time) bool {
	return l.clock.Now().Sub(begin) < l.period/retryWithin
}

func (l *Loop) read(begin robot.Time) {
	s, err := l.driver.Read()
	if err != nil {
		l.reads.fail(err)
		if !l.inTime(begin) {
			return
		}
		if s, err = l.driver.Read(); err != nil {
			l.reads.fail(err)
			return
		}
	}
	l.in.State, l.reads.err = s, nil
}

func (l *Loop) write(begin robot.Time) {
	err := l.driver.Write(&l.command)
	if err != nil {
		l.writes.fail(err)
		if l.inTime(begin) {
			if err = l.driver.Write(&l.command); err != nil {
				l.writes.fail(err)
			}
		}
	}
	switch {
	case err == nil:
		l.deaf, l.writes.err = 0, nil
	case l.deaf == 0:
		l.deaf = l.command.At
	}
}

func (c *channel) fail(err error) {
	c.failures++
	c.err = err
}

// Stage is a part of a tick whose time is measured.
type Stage int

// The stages of a tick.
const (
	StageRead Stage = iota
	StageDecide
	StageWrite
	stages
)

// Stages gives all stages, in order.
func Stages() []Stage { return []Stage{StageRead, StageDecide, StageWrite} }

// String names the stage as metrics spell it.
func (s Stage) String() string { return [...]string{"read", "decide", "write"}[s] }

// Quantile gives what the share q of all executions of a stage took at most.
func (l *Loop) Quantile(s Stage, q float64) time.Duration { return l.stages[s].Quantile(q) }
