package control

import (
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// Pause makes the robot brake and hold for the time d, whatever its sources want;
// after that it goes on with the newest that each wants by then. It is for somebody
// who may have heard a stop and needs a moment to be sure: it only ever takes motion
// away, and ends by itself. A second Pause may make it longer, never shorter. It
// never blocks.
func (l *Loop) Pause(d time.Duration) {
	until := int64(l.clock.Now().Add(d))
	for {
		was := l.paused.Load()
		if was >= until || l.paused.CompareAndSwap(was, until) {
			return
		}
	}
}

// wanted gives what source s wants at now: nothing during a Pause, as far as the
// tick and whoever replays it can see.
func (l *Loop) wanted(s robot.Source, now robot.Time) *order {
	if now < robot.Time(l.paused.Load()) {
		return nil
	}
	return l.newest[s].Load()
}
