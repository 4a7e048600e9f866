package control

import (
	"time"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
)

// Status is what is known about the loop after its newest tick.
type Status struct {
	State   robot.State
	Command robot.Command
	Verdict safety.Verdict
	// StopReason is why somebody stopped the robot; empty unless stopped.
	StopReason string
	// Chunks is the ID of the newest chunk taken from each source.
	Chunks [robot.Sources]uint64

	Ticks, Overruns uint64
	// JitterP50 and JitterP99 are how late ticks began.
	JitterP50, JitterP99 time.Duration
	// Refused counts chunks that made no sense, Dropped those that a newer one
	// replaced before the loop saw them.
	Refused, Dropped uint64
	// ReadErrors and WriteErrors count failed calls of the driver; LastError is
	// the newest of either since it last worked.
	ReadErrors, WriteErrors uint64
	LastError               error
	// Realtime says which scheduling the loop has got.
	Realtime string
}

// Reason says in words why the robot is in its mode, with the joint and the
// stop's reason where there is one.
func (l *Loop) Reason(s *Status) string {
	if s.StopReason != "" {
		return s.StopReason
	}
	return l.about(s.Verdict.Joint) + s.Verdict.Code.String()
}

// Status may be called from any goroutine; the loop does not wait for it.
func (l *Loop) Status() Status {
	l.mu.Lock()
	s := l.published
	l.mu.Unlock()
	s.Ticks, s.Overruns = l.ticks.Load(), l.overruns.Load()
	s.Refused, s.Dropped = l.refused.Load(), l.dropped.Load()
	s.JitterP50, s.JitterP99 = l.late.Quantile(0.5), l.late.Quantile(0.99)
	if r := l.realtime.Load(); r != nil {
		s.Realtime = *r
	}
	return s
}

// publish waits for readers, so it is only for before the first and after the
// last tick.
func (l *Loop) publish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fill(&l.published)
}

func (l *Loop) fill(s *Status) {
	s.State, s.Command, s.Verdict, s.StopReason = l.in.State, l.command, l.verdict, l.reason
	s.ReadErrors, s.WriteErrors = l.reads.failures, l.writes.failures
	s.LastError = l.reads.err
	if l.writes.err != nil {
		s.LastError = l.writes.err
	}
	for i := range l.motions {
		if o := l.motions[i].order; o != nil {
			s.Chunks[i] = o.chunk.ID
		}
	}
}
