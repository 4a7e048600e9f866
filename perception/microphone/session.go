package microphone

import (
	"context"
	"time"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/robot"
)

const (
	// A stream whose next samples are later than this after the last has a hole;
	// up to longestHole it is filled, beyond that the stream begins anew.
	hole        = 40 * time.Millisecond
	longestHole = time.Second
)

// direct is a source whose goroutine may wait for whoever hears, so that nothing
// lies between the two.
type direct interface{ waits() bool }

// session plays the source once.
func (m *Microphone) session(ctx context.Context) error {
	s := &session{microphone: m}
	defer s.close()
	if d, ok := m.source.(direct); ok && d.waits() {
		return robot.Guard(func() error {
			return m.source.Play(ctx, func(at robot.Time, rate int, samples []float32) { s.take(at, rate, samples) })
		})
	}
	s.ring = audio.NewRing(ringTime*audio.Rate, audio.Rate)
	ctx, stop := context.WithCancelCause(ctx)
	pumped := make(chan struct{})
	go func() {
		defer close(pumped)
		if err := robot.Guard(func() error { s.pump(ctx); return nil }); err != nil {
			stop(err)
		}
	}()
	err := robot.Guard(func() error { return m.source.Play(ctx, s.takes(ctx, stop)) })
	stop(nil)
	<-pumped
	if p := robot.PanicIn(context.Cause(ctx)); p != nil {
		return p
	}
	s.drain()
	m.overrun.Add(s.ring.Lost())
	return err
}

// takes gives take for the goroutine or the thread that captures, on which a
// panic must not go further: it ends the session.
func (s *session) takes(ctx context.Context, stop context.CancelCauseFunc) func(robot.Time, int, []float32) {
	return func(at robot.Time, rate int, samples []float32) {
		if ctx.Err() != nil {
			return
		}
		if err := robot.Guard(func() error { s.take(at, rate, samples); return nil }); err != nil {
			stop(err)
		}
	}
}

// session is one opening of a source. take belongs to the goroutine that
// captures, pump to the one that calls back.
type session struct {
	microphone *Microphone
	ring       *audio.Ring // nil: frames are called back from take

	rate      int
	resampler *audio.Resampler
	next      robot.Time // when the next sample should be captured
	rest      []float32  // less than a frame, without a ring
	restAt    robot.Time
	condition audio.Conditioner
}

func (s *session) close() {
	if s.resampler != nil {
		s.resampler.Close()
	}
}

// take turns what a source hears into samples at audio.Rate.
func (s *session) take(at robot.Time, rate int, samples []float32) {
	if len(samples) == 0 {
		return
	}
	if rate != s.rate {
		s.close()
		var err error
		if s.resampler, err = audio.NewResampler(rate, audio.Rate); err != nil {
			return // the sources check their rates
		}
		s.rate, s.next = rate, 0
	}
	lasts := time.Duration(len(samples)) * time.Second / time.Duration(rate)
	s.fill(at)
	s.next = at.Add(lasts)
	late := time.Duration(s.resampler.Delay()) * time.Second / time.Duration(rate)
	s.give(at.Add(-late), s.resampler.Add(samples))
}

// fill puts silence where samples are missing.
func (s *session) fill(at robot.Time) {
	missing := at.Sub(s.next)
	if s.next == 0 || missing < hole || missing > longestHole {
		return
	}
	n := int(missing * time.Duration(s.rate) / time.Second)
	s.microphone.mu.Lock()
	s.microphone.stats.Filled += uint64(n)
	s.microphone.mu.Unlock()
	s.give(s.next, s.resampler.Add(make([]float32, n)))
}

func (s *session) give(at robot.Time, samples []float32) {
	if len(samples) == 0 {
		return
	}
	if s.ring != nil {
		s.ring.Write(at, samples)
		return
	}
	if len(s.rest) == 0 {
		s.restAt = at
	}
	s.rest = append(s.rest, samples...)
	for len(s.rest) >= audio.Frame {
		frame := append(make([]float32, 0, audio.Frame), s.rest[:audio.Frame]...)
		s.rest = s.rest[:copy(s.rest, s.rest[audio.Frame:])]
		s.call(s.restAt, frame)
		s.restAt = s.restAt.Add(frameTime)
	}
}

const frameTime = audio.Frame * time.Second / audio.Rate

// pump calls back with each frame until ctx ends.
func (s *session) pump(ctx context.Context) {
	for {
		select {
		case <-s.ring.Ready():
			s.drain()
		case <-ctx.Done():
			return
		}
	}
}

func (s *session) drain() {
	for {
		frame := make([]float32, audio.Frame) // whoever hears it may keep it
		at, ok := s.ring.Read(frame)
		if !ok {
			return
		}
		s.call(at, frame)
	}
}

func (s *session) call(at robot.Time, frame []float32) {
	m := s.microphone
	s.condition.Apply(frame)
	level := audio.Level(frame)
	m.mu.Lock()
	fresh := m.stats.State != Live || m.stats.Frames == 0
	m.stats.Frames++
	m.stats.LastAt, m.stats.Level, m.stats.Faults = at, level, s.condition.Faults()
	m.mu.Unlock()
	if fresh {
		m.report(Report{State: Live})
	}
	m.frames(robot.Clip{Microphone: m.cfg.Name, At: at, Rate: audio.Rate, Samples: frame})
}
