package safety

import "github.com/kuai-robot/kuai/robot"

// live gives the source to follow, the live one of highest precedence. When
// none is, why is what ended the highest that there was.
func (l *Limits) live(c *Core, in *Input, now robot.Time) (source robot.Source, why Code) {
	why = NoSource
	for s := robot.Sources - 1; s > robot.SourceNone; s-- {
		if in.Targets[s].Issued == 0 {
			continue
		}
		end := l.ended(c, &in.Targets[s], l.rules[s], now)
		if end == OK {
			return s, OK
		}
		if why == NoSource {
			why = end
		}
	}
	return robot.SourceNone, why
}

// ended says why t may not be followed, or OK.
func (l *Limits) ended(c *Core, t *Target, r Rule, now robot.Time) Code {
	switch {
	case t.Issued > now || t.ObservedAt > now:
		return SourceAhead
	case t.Issued < c.resetAt || t.ObservedAt < c.resetAt:
		return SourceBeforeReset
	case now.Sub(t.Issued) > r.Expiry:
		return SourceSilent
	case t.Expires <= now:
		return SourceExpired
	case now.Sub(t.ObservedAt) > r.MaxAge:
		return SourceOutdated
	}
	return OK
}

// valid says that every number of the first joints of t is one.
func (t *Target) valid(joints int) (joint int, ok bool) {
	for i := range joints {
		if !finite(t.Velocity[i]) || !t.ByVelocity && !finite(t.Position[i]) {
			return i, false
		}
	}
	return -1, true
}
