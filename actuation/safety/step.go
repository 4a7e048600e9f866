package safety

import (
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// decision is what one tick comes to before anything moves.
type decision struct {
	event event
	// code and joint say why; source is whom to follow when event is evMove.
	code   Code
	joint  int
	source robot.Source
	health Code
	ill    int // the joint that health is about, or -1
	// cut: the torque must go off, whatever the mode.
	cut bool
}

// Step gives the command of the tick at now and what c becomes by it.
func Step(l *Limits, c Core, in *Input, now robot.Time) (Core, robot.Command, Verdict) {
	dt := now.Sub(c.at) // a late tick, if it is the first
	c.at = now
	d := c.decide(l, in, dt, now)
	latched := c.mode.latched()
	c.mode = after(c.mode, d.event)
	if !latched {
		c.cause, c.joint = d.code, d.joint
	}
	if d.event == evReset {
		c.resetAt, c.stall = now, [robot.MaxJoints]stall{}
		c.enabled = c.enabled && !c.astray(l, &in.State)
	}

	v := Verdict{Code: d.code, Joint: d.joint, Health: d.health, HealthJoint: d.ill}
	switch {
	case d.cut || c.mode == Off || c.mode.latched() && !c.enabled:
		c.enabled, c.velocity = false, robot.Joints{}
		if d.health == OK {
			c.position = in.State.Position
		}
	case !c.enabled:
		// Also after a reset that came together with a release.
		c.mode, c.enabled = Held, true
		c.position, c.velocity = in.State.Position, robot.Joints{}
		v.Code = Engaging
	case c.mode.latched() || d.code == Late:
		c.velocity = robot.Joints{}
	case dt > 0:
		v.Limited = c.move(l, in, d.source, dt, now)
	}
	v.Mode = c.mode
	if c.mode.latched() {
		v.Code, v.Joint = c.cause, c.joint
	}
	if c.mode == Moving {
		v.Source = d.source
	}
	return c, c.command(l, now), v
}

// decide weighs what the tick brings, the stronger first.
func (c *Core) decide(l *Limits, in *Input, dt time.Duration, now robot.Time) decision {
	var d decision
	d.health, d.ill = l.health(&in.State, dt, now)
	d.code, d.joint = d.health, d.ill
	if d.code == OK {
		if i := c.watch(l, &in.State, now); i >= 0 {
			d.code, d.joint = Stalled, i
		}
	}
	source, why := l.live(c, in, now)
	if d.code == OK && source != robot.SourceNone {
		if i, ok := in.Targets[source].valid(l.Joints()); !ok {
			d.code, d.joint = TargetInvalid, i
		}
	}
	d.cut = d.code == Overheated || d.code == Stalled || in.Release || l.config.StopLimp && in.Stop

	switch giving := c.backingOff(l, now); {
	case in.Stop:
		d.event, d.code, d.joint = evStop, StopAsked, -1
	case d.code != OK:
		d.event = evFault
	case in.Reset:
		d.event, d.code = evReset, Engaging
	case in.Release:
		d.event, d.code = evRelease, ReleaseAsked
	case dt > l.config.MaxTick:
		d.event, d.code = evRest, Late
	case giving >= 0:
		d.event, d.code, d.joint = evRest, BackingOff, giving
	case source != robot.SourceNone:
		d.event, d.source = evMove, source
	default:
		d.event, d.code = evRest, why
	}
	return d
}

// command is what the driver is told.
func (c *Core) command(l *Limits, now robot.Time) robot.Command {
	out := robot.Command{At: now, Enable: c.enabled, Velocity: c.velocity}
	for i := range l.desc.Joints {
		if l.desc.Joints[i].Kind != robot.Wheel {
			out.Position[i] = c.position[i]
		}
	}
	return out
}

// astray says that a joint is not where it was told to be: it fell while it
// had no power, or was pushed. To go on from the command would make it jump.
func (c *Core) astray(l *Limits, s *robot.State) bool {
	for i := range l.desc.Joints {
		j := &l.desc.Joints[i]
		if j.Kind != robot.Wheel && abs(s.Position[i]-c.position[i]) > l.config.Recovery*(j.Limits.MaxPosition-j.Limits.MinPosition) {
			return true
		}
	}
	return false
}

// move carries the joints on by one tick of dt > 0, towards the targets of
// source while Moving, else to rest. A motion that can no longer be kept clear
// of a contact ends at once and is a fault.
func (c *Core) move(l *Limits, in *Input, source robot.Source, dt time.Duration, now robot.Time) Limit {
	m := motion{l: l, dt: dt.Seconds(), from: &c.position, speed: &c.velocity}
	ramp := l.ramp(c.resetAt, now)
	for i := range l.desc.Joints {
		share := ramp * l.derate(i, &in.State) * l.rules[source].Speed
		t := &in.Targets[source]
		switch {
		case c.mode != Moving:
			m.steer(i, 0, share)
		case t.ByVelocity || l.desc.Joints[i].Kind == robot.Wheel:
			m.steer(i, t.Velocity[i], share)
		default:
			m.follow(i, t.Position[i], t.Velocity[i], share)
		}
	}
	if !m.guard() {
		c.mode, c.cause, c.joint = after(c.mode, evFault), Contact, -1
		c.velocity = robot.Joints{}
		return m.limited
	}
	for i := range l.desc.Joints {
		c.position[i] = m.at(i, m.wish[i])
		c.velocity[i] = m.wish[i]
	}
	return m.limited
}

// ramp gives the share of full speed that may be had this long after a reset.
func (l *Limits) ramp(resetAt, now robot.Time) float64 {
	since := now.Sub(resetAt)
	if resetAt == 0 || since >= l.config.Ramp {
		return 1
	}
	return l.config.RampFloor + (1-l.config.RampFloor)*since.Seconds()/l.config.Ramp.Seconds()
}
