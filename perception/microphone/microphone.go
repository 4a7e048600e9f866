package microphone

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/rtsp"
	"github.com/kuai-robot/kuai/robot"
)

// Config describes one microphone.
type Config struct {
	// Name is what frames and reports carry.
	Name string
	// URL is device:default, device:NAME (a part of what kuai listen --devices
	// calls it), rtsp://host:port/path (or rtsps://), or file:path.
	URL string
	// UDP asks for RTP over UDP in place of the TCP connection.
	UDP bool
	// Loop starts a file again at its end; Fast reads it as fast as it is heard.
	Loop, Fast bool
	// Source stands in place of URL.
	Source Source
}

// Source is one kind of microphone.
type Source interface {
	// Play opens it and hands on what it hears, mono samples from −1 to 1 with
	// the time at which the first was captured, until ctx ends, which gives ctx's
	// error, or it fails. It calls hear from one goroutine at a time, and samples
	// are the source's again when that returns.
	Play(ctx context.Context, hear func(at robot.Time, rate int, samples []float32)) error
}

// ErrOver says that a recording is over.
var ErrOver = errors.New("the recording is over")

// State is how a microphone is.
type State uint8

const (
	// Lost: not open; another attempt follows after Report.Retry.
	Lost State = iota
	// Live: sound comes.
	Live
	// Ended: a file is over.
	Ended
)

// String names the state as topics and metrics spell it.
func (s State) String() string { return [...]string{"lost", "live", "ended"}[s] }

// Report is a change of a microphone's state.
type Report struct {
	Microphone string
	At         robot.Time
	State      State
	// Err says why it is lost: what, where, why, what next.
	Err error
	// Retry is the wait before the next attempt.
	Retry time.Duration
}

// Stats are a microphone's counters since New.
type Stats struct {
	State State
	// Frames delivered, and samples that were overtaken before anybody took them.
	Frames, Overrun uint64
	// Filled is how many samples of silence stand for what never came.
	Filled uint64
	// LostPackets never came.
	LostPackets uint64
	// Faults of the samples themselves.
	Faults audio.Faults
	// LastAt is when the newest frame was captured, Level its loudness (RMS).
	LastAt robot.Time
	Level  float64
}

const (
	firstRetry   = 250 * time.Millisecond
	longestRetry = 5 * time.Second
	ringTime     = 2 // seconds
)

// Microphone is one microphone of any kind.
type Microphone struct {
	cfg     Config
	clock   robot.Clock
	source  Source
	frames  func(robot.Clip)
	reports func(Report)

	packets rtsp.Counters
	overrun atomic.Uint64

	mu       sync.Mutex
	stats    Stats
	reported string
}

// New checks cfg; it opens nothing. frames gets every frame, reports every
// change of state; reports may be nil.
func New(cfg Config, clock robot.Clock, frames func(robot.Clip), reports func(Report)) (*Microphone, error) {
	if cfg.Name == "" {
		return nil, errors.New("microphone: a microphone has no name")
	}
	m := &Microphone{cfg: cfg, clock: clock, source: cfg.Source, frames: frames, reports: reports}
	if m.source == nil {
		var err error
		if m.source, err = newSource(&cfg, clock, &m.packets); err != nil {
			return nil, fmt.Errorf("microphone %s: %w", cfg.Name, err)
		}
	}
	return m, nil
}

// CheckURL says what is wrong with a URL before anything is opened.
func CheckURL(raw string) error {
	_, err := newSource(&Config{URL: raw}, nil, nil)
	return err
}

func newSource(cfg *Config, clock robot.Clock, packets *rtsp.Counters) (Source, error) {
	const known = "use device:default, rtsp://host:port/path or file:path"
	scheme, rest, _ := strings.Cut(cfg.URL, ":")
	switch scheme {
	case "device":
		if rest == "" {
			return nil, errors.New("url names no device (device:default)")
		}
		return &deviceSource{clock: clock, name: rest}, nil
	case "rtsp", "rtsps":
		if err := rtsp.CheckURL(cfg.URL); err != nil {
			return nil, err
		}
		return &networkSource{cfg: rtsp.Config{URL: cfg.URL, UDP: cfg.UDP}, clock: clock, packets: packets}, nil
	case "file":
		u, err := url.Parse(cfg.URL)
		if err != nil || u.Path+u.Opaque == "" {
			return nil, errors.New("url names no file (file:path)")
		}
		path := u.Path
		if path == "" {
			path = u.Opaque
		}
		return &fileSource{clock: clock, path: path, loop: cfg.Loop, fast: cfg.Fast}, nil
	case cfg.URL:
		return nil, fmt.Errorf("no url (%s)", known)
	}
	return nil, fmt.Errorf("url scheme %q is not known (%s)", scheme, known)
}

// Stats may be called from any goroutine.
func (m *Microphone) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	s.Overrun, s.LostPackets = m.overrun.Load(), m.packets.Lost.Load()
	return s
}

// Run plays the microphone until ctx ends and returns ctx's error, or nil when
// a file that does not loop is over.
func (m *Microphone) Run(ctx context.Context) error {
	retry := firstRetry
	for {
		before := m.Stats().Frames
		err := m.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, ErrOver) {
			m.report(Report{State: Ended})
			return nil
		}
		if m.Stats().Frames > before {
			retry = firstRetry
		}
		if err == nil {
			err = errors.New("the sound ended")
		}
		m.report(Report{State: Lost, Err: fmt.Errorf("microphone %s: %w", m.cfg.Name, err), Retry: retry})
		if err := m.clock.Wait(ctx, m.clock.Now().Add(retry)); err != nil {
			return err
		}
		retry = min(2*retry, longestRetry)
	}
}

// report sends r when it says something new.
func (m *Microphone) report(r Report) {
	r.Microphone, r.At = m.cfg.Name, m.clock.Now()
	text := r.State.String()
	if r.Err != nil {
		text += r.Err.Error()
	}
	m.mu.Lock()
	m.stats.State = r.State
	same := m.reported == text
	m.reported = text
	m.mu.Unlock()
	if m.reports != nil && !same {
		m.reports(r)
	}
}
