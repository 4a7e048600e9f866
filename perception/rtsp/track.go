package rtsp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/kuai-robot/kuai/robot"
)

// Config says which server and how.
type Config struct {
	// URL is rtsp:// or rtsps://, with user and password where needed.
	URL string
	// UDP asks for RTP over UDP; the default, interleaved in the TCP
	// connection, loses nothing and passes firewalls.
	UDP bool
	// Timeout bounds connecting, each request and each silence. It is kept by
	// the network library, in real time. Zero is 5 s.
	Timeout time.Duration
}

// Handler takes the packets of the chosen track, from one goroutine.
type Handler func(*rtp.Packet, Stamp)

// Choose picks the track to play among those that the server offers and gives
// what handles its packets; an error refuses them all.
type Choose func([]format.Format) (format.Format, Handler, error)

// Counters are what went wrong below the handler. They may be read at any time.
type Counters struct {
	Lost   atomic.Uint64 // RTP packets that never came
	Broken atomic.Uint64 // packets that could not be read
}

// CheckURL says what is wrong with a URL before anything is connected.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		// url's own error repeats the URL, which may hold a password.
		return errors.New("not a URL (rtsp://host:port/path)")
	}
	if u.Scheme != "rtsp" && u.Scheme != "rtsps" {
		return fmt.Errorf("scheme %q is not rtsp or rtsps", u.Scheme)
	}
	if u.Host == "" {
		return errors.New("no host in the URL (rtsp://host:port/path)")
	}
	_, err = base.ParseURL(raw)
	return err
}

// Play connects, picks a track and delivers its packets until ctx ends, which
// returns ctx's error, or the connection fails, or a handler panics, which gives
// a *robot.Panic. Errors name the address and never the password.
func Play(ctx context.Context, cfg Config, clock robot.Clock, choose Choose, counters *Counters) error {
	if err := CheckURL(cfg.URL); err != nil {
		return err
	}
	u, err := base.ParseURL(cfg.URL)
	if err != nil {
		return err
	}
	client := newClient(u, cfg, counters)
	if err := client.Start2(); err != nil {
		return fmt.Errorf("rtsp %s: %w", u.Host, err)
	}
	defer client.Close()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	stop := context.AfterFunc(ctx, client.Close)
	defer stop()

	if err := play(client, u, clock, choose, fail); err != nil {
		return ended(ctx, u, err)
	}
	return ended(ctx, u, client.Wait())
}

func newClient(u *base.URL, cfg Config, counters *Counters) *gortsplib.Client {
	transport := gortsplib.TransportTCP
	if cfg.UDP {
		transport = gortsplib.TransportUDP
	}
	timeout := cfg.Timeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	return &gortsplib.Client{
		Scheme:       u.Scheme,
		Host:         u.Host,
		Transport:    &transport,
		ReadTimeout:  timeout,
		WriteTimeout: timeout,
		UserAgent:    "kuai",

		OnTransportSwitch: func(error) {},
		OnPacketsLost:     func(n uint64) { counters.Lost.Add(n) },
		OnDecodeError:     func(error) { counters.Broken.Add(1) },
	}
}

// play begins to play. A handler that panics fails, on the library's goroutine.
func play(client *gortsplib.Client, u *base.URL, clock robot.Clock, choose Choose, fail context.CancelCauseFunc) error {
	session, _, err := client.Describe(u)
	if err != nil {
		return err
	}
	track, handle, err := choose(formats(session))
	if err != nil {
		return err
	}
	media := mediaOf(session, track)
	if _, err := client.Setup(session.BaseURL, media, 0, 0); err != nil {
		return err
	}
	// gortsplib calls both from its one reader over TCP, and from one each over
	// UDP, hence the lock in stampedTrack.
	t := &stampedTrack{clock: clock, stamper: NewStamper(track.ClockRate(), clock.Epoch())}
	client.OnPacketRTP(media, track, func(packet *rtp.Packet) {
		if t.broken.Load() {
			return
		}
		err := robot.Guard(func() error {
			handle(packet, t.stamp(packet))
			return nil
		})
		if err != nil {
			t.broken.Store(true)
			fail(err)
		}
	})
	client.OnPacketRTCP(media, t.control)
	_, err = client.Play(nil)
	return err
}

func formats(session *description.Session) []format.Format {
	var all []format.Format
	for _, media := range session.Medias {
		all = append(all, media.Formats...)
	}
	return all
}

func mediaOf(session *description.Session, track format.Format) *description.Media {
	for _, media := range session.Medias {
		for _, f := range media.Formats {
			if f == track {
				return media
			}
		}
	}
	return nil
}

func ended(ctx context.Context, u *base.URL, err error) error {
	if p := robot.PanicIn(context.Cause(ctx)); p != nil {
		return fmt.Errorf("rtsp %s: %w", u.Host, p)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		err = errors.New("the server ended the stream")
	}
	return fmt.Errorf("rtsp %s: %w", u.Host, err)
}

type stampedTrack struct {
	clock robot.Clock
	// broken: the handler panicked and gets no more packets.
	broken atomic.Bool

	mu      sync.Mutex
	stamper *Stamper
}

func (t *stampedTrack) stamp(packet *rtp.Packet) Stamp {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stamper.Stamp(packet.Timestamp, t.clock.Now())
}

// control reads sender reports. gortsplib's own reading takes the fraction of
// the NTP stamp for nanoseconds, so it is not used.
func (t *stampedTrack) control(packet rtcp.Packet) {
	if report, ok := packet.(*rtcp.SenderReport); ok {
		t.mu.Lock()
		t.stamper.Report(report.NTPTime, report.RTPTime)
		t.mu.Unlock()
	}
}
