package rtsp

import (
	"math"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// Stamp is when something was captured.
type Stamp struct {
	At robot.Time
	// Estimated is true when the sender's clock could not be used and At is the
	// arrival less the delay that exceeds the shortest one seen: later than the
	// truth by that shortest delay.
	Estimated bool
}

const (
	// A sender whose shortest delay is within these is taken to share our wall
	// clock. Below zero it runs ahead, which a good NTP keeps within
	// milliseconds; above, half a second covers encoders and networks.
	clockAhead  = 20 * time.Millisecond
	clockBehind = 500 * time.Millisecond
	// A report that moves the sender's wall clock by more is a step of it.
	clockStep = 100 * time.Millisecond
	// The shortest delay is taken over one to two of these, so it follows the
	// drift of a crystal (100 ppm is 2 ms in that time).
	delayWindow = 10 * time.Second
	// An RTP clock that goes back by more has been restarted.
	rtpRestart = time.Second
)

// Stamper turns the RTP time stamps of one track into capture times. The zero
// value is not usable. It is not safe for use by several goroutines.
type Stamper struct {
	rate  int64
	epoch time.Time

	// media is the unwrapped RTP clock since the first packet.
	started bool
	lastRTP uint32
	media   time.Duration
	delay   minimum // arrival − media

	reported  bool
	reportNTP time.Time
	reportRTP uint32
	skew      minimum // arrival − what the sender says
}

// NewStamper gives a Stamper for an RTP clock of rate Hz; epoch is
// robot.Clock's.
func NewStamper(rate int, epoch time.Time) *Stamper {
	return &Stamper{rate: int64(max(rate, 1)), epoch: epoch}
}

// Report takes the time stamps of an RTCP sender report: ntp in the 32.32
// fixed point of RFC 3550 §4, and the RTP time of the same instant.
func (s *Stamper) Report(ntp uint64, rtp uint32) {
	wall := FromNTP(ntp)
	if s.reported {
		if step := wall.Sub(s.wall(rtp)); step > clockStep || step < -clockStep {
			s.skew = minimum{}
		}
	}
	s.reported, s.reportNTP, s.reportRTP = true, wall, rtp
}

// Stamp gives the capture time of a packet that arrived at arrival.
func (s *Stamper) Stamp(rtp uint32, arrival robot.Time) Stamp {
	s.advance(rtp)
	estimate := Stamp{At: s.delay.add(arrival, arrival.Sub(robot.Time(s.media))), Estimated: true}
	estimate.At = estimate.At.Add(s.media)
	if !s.reported {
		return estimate
	}
	// A picture may be older than our clock, whose zero says "never".
	captured := max(robot.Time(s.wall(rtp).Sub(s.epoch)), 1)
	shortest := time.Duration(s.skew.add(arrival, arrival.Sub(captured)))
	if shortest < -clockAhead || shortest > clockBehind {
		return estimate
	}
	return Stamp{At: min(captured, arrival)}
}

func (s *Stamper) advance(rtp uint32) {
	if !s.started {
		s.started, s.lastRTP = true, rtp
	}
	d := s.duration(rtp - s.lastRTP)
	s.lastRTP = rtp
	s.media += d
	if d < -rtpRestart {
		s.delay = minimum{}
	}
}

// wall gives the sender's wall clock at an RTP time.
func (s *Stamper) wall(rtp uint32) time.Time {
	return s.reportNTP.Add(s.duration(rtp - s.reportRTP))
}

// duration reads a difference of RTP times, which wraps at 32 bits.
func (s *Stamper) duration(ticks uint32) time.Duration {
	return time.Duration(int64(int32(ticks)) * int64(time.Second) / s.rate)
}

// minimum is the least value over the last one to two delayWindows.
type minimum struct {
	started       bool
	since         robot.Time
	current, last robot.Time
}

func (m *minimum) add(now robot.Time, d time.Duration) robot.Time {
	v := robot.Time(d)
	switch {
	case !m.started:
		*m = minimum{started: true, since: now, current: v, last: math.MaxInt64}
	case now.Sub(m.since) > delayWindow:
		*m = minimum{started: true, since: now, current: v, last: m.current}
	}
	m.current = min(m.current, v)
	return min(m.current, m.last)
}

// ntpEpoch is 1 January 1900, in seconds before 1970.
const ntpEpoch = 2_208_988_800

// FromNTP reads RFC 3550's time stamp: seconds since 1900 in the upper half,
// 2^-32 seconds in the lower.
func FromNTP(ntp uint64) time.Time {
	return time.Unix(int64(ntp>>32)-ntpEpoch, int64((ntp&math.MaxUint32)*uint64(time.Second)>>32))
}

// ToNTP is the inverse of FromNTP, to the nearest 2^-32 s.
func ToNTP(t time.Time) uint64 {
	fraction := (uint64(t.Nanosecond())<<32 + uint64(time.Second)/2) / uint64(time.Second)
	return uint64(t.Unix()+ntpEpoch)<<32 + fraction
}
