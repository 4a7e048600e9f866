package camera

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/perception/rtsp"
	"github.com/kuai-robot/kuai/robot"
)

// Config describes one camera.
type Config struct {
	// Name is what frames and reports carry.
	Name string
	// URL is rtsp://host:port/path (or rtsps://), usb:0 (the number of
	// /dev/video), or file:path for a video file.
	URL string
	// UDP asks for RTP over UDP in place of the TCP connection.
	UDP bool
	// Width, Height and Rate (pictures a second) ask a USB camera for a mode;
	// zero leaves the driver's. Other cameras send what they send.
	Width, Height int
	Rate          float64
	// Loop starts a file again at its end.
	Loop bool
	// Freeze is how long a camera may send nothing; zero is 2 s.
	Freeze time.Duration
	// Still is how long a camera may send the very same picture: a real sensor
	// has noise, so more than a second of it means that the camera hangs. Zero
	// allows it for ever, which simulated cameras and screens need.
	Still time.Duration
}

// State is how a camera is.
type State uint8

const (
	// Lost: not connected; another attempt follows after Report.Retry.
	Lost State = iota
	// Live: new pictures come.
	Live
	// Frozen: connected, but no new picture came for the limit.
	Frozen
	// Ended: a file is over.
	Ended
)

// String names the state as topics and metrics spell it.
func (s State) String() string { return [...]string{"lost", "live", "frozen", "ended"}[s] }

// Report is a change of a camera's state.
type Report struct {
	Camera string
	At     robot.Time
	State  State
	// Err says why, for Lost and Frozen: what, where, why, what next. It wraps a
	// *robot.Panic when code of the camera broke, not the camera.
	Err error
	// Retry is the wait before the next attempt, for Lost and Frozen.
	Retry time.Duration
}

// Stats are a camera's counters since New.
type Stats struct {
	State     State
	Frames    uint64 // delivered
	Dropped   uint64 // overtaken by a newer picture before decoding
	Corrupt   uint64 // not decodable
	Withheld  uint64 // same picture as before for longer than Config.Still
	Lost      uint64 // packets that never came
	Attempts  uint64 // connections tried
	LastAt    robot.Time
	Estimated bool // of the newest frame
}

const (
	firstRetry    = 250 * time.Millisecond
	longestRetry  = 5 * time.Second
	defaultFreeze = 2 * time.Second
)

// picture is what a source delivers.
type picture struct {
	stamp         rtsp.Stamp
	width, height int
	pixels        []byte // RGB, handed over
	jpeg          []byte // the file it came as, handed over; nil: not JPEG
}

// sink takes a source's pictures, from one goroutine, and complaints, from any.
type sink interface {
	deliver(picture)
	corrupt(error)
	drop(n int)
}

// source is one kind of camera.
type source interface {
	// play opens the device and feeds out until ctx ends or the device fails.
	// errOver says that a recording is over.
	play(ctx context.Context, out sink) error
}

var errOver = errors.New("the recording is over")

// Camera is one camera of any kind.
type Camera struct {
	cfg     Config
	clock   robot.Clock
	source  source
	frames  func(robot.Frame)
	reports func(Report)

	packets  rtsp.Counters
	dropped  atomic.Uint64
	attempts atomic.Uint64
	seed     maphash.Seed

	mu      sync.Mutex
	stats   Stats
	lastSum uint64
	changed robot.Time // arrival of the newest picture that was not like the one before
	arrived robot.Time // arrival of the newest picture
	lastBad error      // newest reason for a corrupt picture since the last good one

	reportMu sync.Mutex
	reported Report
}

// New checks cfg; it connects to nothing. frames gets every picture, reports
// every change of state.
func New(cfg Config, clock robot.Clock, frames func(robot.Frame), reports func(Report)) (*Camera, error) {
	if cfg.Name == "" {
		return nil, errors.New("camera: a camera has no name")
	}
	if cfg.Freeze == 0 {
		cfg.Freeze = defaultFreeze
	}
	if cfg.Freeze < 0 || cfg.Still < 0 || cfg.Width < 0 || cfg.Height < 0 || cfg.Rate < 0 {
		return nil, fmt.Errorf("camera %s: freeze, still, width, height and rate must not be negative", cfg.Name)
	}
	c := &Camera{cfg: cfg, clock: clock, frames: frames, reports: reports, seed: maphash.MakeSeed()}
	var err error
	if c.source, err = newSource(cfg, clock, &c.packets); err != nil {
		return nil, fmt.Errorf("camera %s: %w", cfg.Name, err)
	}
	return c, nil
}

func newSource(cfg Config, clock robot.Clock, packets *rtsp.Counters) (source, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, errors.New("url cannot be read (use rtsp://host:port/path, usb:0 or file:path)")
	}
	switch u.Scheme {
	case "rtsp", "rtsps":
		return newNetworkSource(cfg, clock, packets)
	case "usb":
		return newUSBSource(cfg, clock)
	case "file":
		return newFileSource(cfg, clock)
	}
	return nil, fmt.Errorf("url scheme %q is not known (use rtsp://host:port/path, usb:0 or file:path)", u.Scheme)
}

// Stats may be called from any goroutine.
func (c *Camera) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Dropped, s.Attempts = c.dropped.Load(), c.attempts.Load()
	s.Lost = c.packets.Lost.Load()
	s.Corrupt += c.packets.Broken.Load()
	return s
}

// Run plays the camera until ctx ends and returns ctx's error, or nil when a
// file that does not loop is over.
func (c *Camera) Run(ctx context.Context) error {
	retry := firstRetry
	for {
		before := c.Stats().Frames
		err := c.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			c.report(Report{State: Ended})
			return nil
		}
		if c.Stats().Frames > before {
			retry = firstRetry
		}
		state := Lost
		if errors.Is(err, errFrozen) {
			state = Frozen
		}
		c.report(Report{State: state, Err: fmt.Errorf("camera %s: %w", c.cfg.Name, err), Retry: retry})
		if err := c.clock.Wait(ctx, c.clock.Now().Add(retry)); err != nil {
			return err
		}
		retry = min(2*retry, longestRetry)
	}
}

// report sends r when it says something new; a camera that stays away is said
// to be lost once, and again when the reason changes.
func (c *Camera) report(r Report) {
	c.reportMu.Lock()
	defer c.reportMu.Unlock()
	r.Camera, r.At = c.cfg.Name, c.clock.Now()
	c.mu.Lock()
	c.stats.State = r.State
	c.mu.Unlock()
	same := c.reported.At != 0 && r.State == c.reported.State && text(r.Err) == text(c.reported.Err)
	c.reported = r
	if c.reports != nil && !same {
		c.reports(r)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
