package safety

import (
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// health says what is wrong with the clock or the joints, and with which; dt is
// the time since the last tick.
func (l *Limits) health(s *robot.State, dt time.Duration, now robot.Time) (Code, int) {
	switch {
	case dt < 0:
		return ClockBack, -1
	case s.At == 0:
		return NoState, -1
	case s.At > now:
		return StateAhead, -1
	case now.Sub(s.At) > l.config.MaxStateAge:
		return StateStale, -1
	}
	worst, joint := OK, -1
	for i := range l.desc.Joints {
		code := l.jointHealth(i, s)
		if code == StateInvalid {
			return code, i
		}
		// The codes of a joint stand in the order of what they lead to.
		if code > worst {
			worst, joint = code, i
		}
	}
	return worst, joint
}

func (l *Limits) jointHealth(i int, s *robot.State) Code {
	j := &l.desc.Joints[i]
	if !finite(s.Position[i]) || !finite(s.Velocity[i]) || !finite(s.Effort[i]) || !finite(s.Temperature[i]) {
		return StateInvalid
	}
	if s.Temperature[i] >= j.Limits.MaxTemperature+l.config.ReleaseAbove {
		return Overheated
	}
	if s.Temperature[i] >= j.Limits.MaxTemperature {
		return TooHot
	}
	if j.Kind == robot.Wheel {
		return OK
	}
	slack := l.config.Recovery * (j.Limits.MaxPosition - j.Limits.MinPosition)
	if s.Position[i] < j.Limits.MinPosition-slack || s.Position[i] > j.Limits.MaxPosition+slack {
		return OutsideLimits
	}
	return OK
}

// finite is false for NaN and the infinities.
func finite(v float64) bool { return v-v == 0 }

// watch looks for blocked joints. It starts their backing off and gives the
// joint for which that did not help, or -1.
func (c *Core) watch(l *Limits, s *robot.State, now robot.Time) int {
	for i := range l.desc.Joints {
		st := &c.stall[i]
		if !c.enabled || !l.blocked(i, s) {
			st.since = 0
			continue
		}
		if st.since == 0 {
			st.since = now
		}
		if now.Sub(st.since) < l.config.StallTime {
			continue
		}
		if st.backingOff(l, now) {
			return i
		}
		if now.Sub(st.backedOff) >= l.config.StallForget {
			st.tries = 0
		}
		st.tries++
		if st.tries > l.config.StallTries {
			return i
		}
		st.since, st.backedOff = now, now
		// It gives way: what it pushes for is now where it is.
		limits := &l.desc.Joints[i].Limits
		c.position[i] = clamp(s.Position[i], limits.MinPosition, limits.MaxPosition)
		c.velocity[i] = 0
	}
	return -1
}

// blocked says that joint i pushes hard and does not move. The gripper is
// meant to: its temperature alone guards it.
func (l *Limits) blocked(i int, s *robot.State) bool {
	limits := &l.desc.Joints[i].Limits
	return i != l.gripper &&
		abs(s.Effort[i]) >= l.config.StallEffort*limits.MaxEffort &&
		abs(s.Velocity[i]) <= l.config.StallVelocity*limits.MaxVelocity
}

func (st *stall) backingOff(l *Limits, now robot.Time) bool {
	return st.backedOff != 0 && now.Sub(st.backedOff) < l.config.BackOff
}

// backingOff gives the first joint that is giving way, or -1.
func (c *Core) backingOff(l *Limits, now robot.Time) int {
	for i := range l.desc.Joints {
		if c.stall[i].backingOff(l, now) {
			return i
		}
	}
	return -1
}

// derate gives the share of full speed that joint i may have: less when it is
// near its maximum temperature or beyond its continuous effort.
func (l *Limits) derate(i int, s *robot.State) float64 {
	limits, share := &l.desc.Joints[i].Limits, 1.0
	if t := s.Temperature[i]; t != 0 { // 0: the driver does not know
		share = max(0, min(1, (limits.MaxTemperature-t)/l.config.DerateBand))
	}
	return share * min(1, limits.MaxEffort/abs(s.Effort[i]))
}
