package camera

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/rtsp"
)

// live is a camera on a real connection, with a clock that the test moves.
type live struct {
	t       *testing.T
	clock   *robot.ManualClock
	camera  *Camera
	frames  *robot.Mailbox[robot.Frame]
	reports chan Report
	ended   chan error
	stop    context.CancelFunc
	shown   robot.Time // of the frame that show gave last
}

var noon = time.Date(2026, 3, 4, 12, 5, 6, 789_012_345, time.UTC)

func watchLive(t *testing.T, clock *robot.ManualClock, cfg Config) *live {
	t.Helper()
	l := &live{t: t, clock: clock, frames: robot.NewMailbox[robot.Frame](), reports: make(chan Report, 100), ended: make(chan error, 1)}
	cfg.Name = "front"
	var err error
	l.camera, err = New(cfg, clock, l.frames.Put, func(r Report) { l.reports <- r })
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	l.stop = stop
	go func() { l.ended <- l.camera.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		next(t, "end of Run", l.ended)
	})
	return l
}

func startServer(t *testing.T, listen string, clock robot.Clock) *rtsp.Server {
	t.Helper()
	s, err := rtsp.New(rtsp.Options{Listen: listen, Clock: clock, Cameras: []string{"front"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// show publishes a picture, captured at an instant of its own, until it has
// come.
func (l *live) show(s *rtsp.Server, captured robot.Time) robot.Frame {
	l.t.Helper()
	var got robot.Frame
	until(l.t, "the picture has come", func() bool {
		if err := s.Publish(&robot.Frame{Camera: "front", At: captured, Width: 320, Height: 240, Pixels: paint(320, 240)}); err != nil {
			l.t.Fatal(err)
		}
		f, ok := l.frames.Take()
		if !ok || f.At == l.shown {
			return false // none, or one more copy of the picture before
		}
		got = f
		return true
	})
	l.shown = got.At
	return got
}

func (l *live) expect(want State, words ...string) {
	l.t.Helper()
	r := next(l.t, "report", l.reports)
	if r.State != want {
		l.t.Fatalf("report %+v, want %v", r, want)
	}
	for _, w := range words {
		if r.Err == nil || !strings.Contains(r.Err.Error(), w) {
			l.t.Errorf("report %v, want one with %q", r.Err, w)
		}
	}
}

// retry lets the camera try again.
func (l *live) retry() {
	l.t.Helper()
	attempts := l.camera.Stats().Attempts
	until(l.t, "the camera tries again", func() bool {
		if l.camera.Stats().Attempts > attempts {
			return true
		}
		if l.clock.Waiting() > 0 {
			l.clock.Advance(firstRetry)
		}
		return false
	})
}

func TestAPictureKeepsItsColoursAndItsTime(t *testing.T) {
	clock := robot.NewManualClock(noon, robot.Time(time.Hour))
	s := startServer(t, "127.0.0.1:0", clock)
	l := watchLive(t, clock, Config{URL: s.URL("front")})
	for i := range 20 {
		clock.Advance(33_333_333)
		captured := clock.Now().Add(-time.Duration(i) * time.Millisecond)
		f := l.show(s, captured)
		if d := f.At.Sub(captured); f.Estimated || d.Abs() > 2*time.Millisecond {
			t.Fatalf("picture %d: %v after its capture (estimated: %v)", i, d, f.Estimated)
		}
		if f.Width != 320 || f.Height != 240 || f.Camera != "front" {
			t.Fatalf("frame %s of %d×%d", f.Camera, f.Width, f.Height)
		}
		checkColours(t, 320, 240, f.Pixels, 4)
		if _, _, again, err := jpeg.Decode(f.JPEG); err != nil || string(again) != string(f.Pixels) {
			t.Fatalf("the JPEG that came with the frame is another picture: %v", err)
		}
	}
	l.expect(Live)
	if st := l.camera.Stats(); st.Frames < 20 || st.Attempts != 1 || st.State != Live {
		t.Errorf("stats %+v", st)
	}
}

func TestTheCameraComesBackWithItsServer(t *testing.T) {
	clock := robot.NewManualClock(noon, robot.Time(time.Hour))
	first := startServer(t, "127.0.0.1:0", clock)
	address := strings.TrimSuffix(strings.TrimPrefix(first.URL("front"), "rtsp://"), "/front")
	l := watchLive(t, clock, Config{URL: first.URL("front")})
	l.show(first, clock.Now())
	l.expect(Live)
	first.Close()
	l.expect(Lost, "camera front", address)
	l.retry()
	l.expect(Lost, "connection refused", "is the camera on?")
	second := startServer(t, address, clock)
	l.retry()
	clock.Advance(time.Millisecond)
	captured := clock.Now()
	if f := l.show(second, captured); f.At.Sub(captured).Abs() > 2*time.Millisecond || f.Estimated {
		t.Errorf("after the restart: %v, want %v", f.At, captured)
	}
	l.expect(Live)
}

func TestAServerThatStandsStillIsReported(t *testing.T) {
	clock := robot.NewManualClock(noon, robot.Time(time.Hour))
	s := startServer(t, "127.0.0.1:0", clock)
	l := watchLive(t, clock, Config{URL: s.URL("front"), Freeze: time.Second})
	l.show(s, clock.Now())
	l.expect(Live)
	until(t, "a report comes", func() bool {
		if clock.Waiting() > 0 { // again, when a last copy of the picture came meanwhile
			clock.Advance(time.Second)
		}
		return len(l.reports) > 0
	})
	l.expect(Frozen, "camera front", "no picture for 1s")
	l.retry()
	clock.Advance(time.Millisecond)
	l.show(s, clock.Now())
	l.expect(Live)
}

func TestWrongPath(t *testing.T) {
	clock := robot.NewManualClock(noon, robot.Time(time.Hour))
	s := startServer(t, "127.0.0.1:0", clock)
	l := watchLive(t, clock, Config{URL: s.URL("back")})
	l.expect(Lost, "404", "path of the URL")
}

func TestNothingComesAfterRunHasReturned(t *testing.T) {
	clock := robot.NewManualClock(noon, robot.Time(time.Hour))
	s := startServer(t, "127.0.0.1:0", clock)
	l := watchLive(t, clock, Config{URL: s.URL("front")})
	l.show(s, clock.Now())
	l.stop()
	err := next(t, "end of Run", l.ended)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	l.ended <- err // for the cleanup
	l.frames.Take()
	until(t, "the server has noticed", func() bool {
		if err := s.Publish(&robot.Frame{Camera: "front", At: clock.Now(), Width: 8, Height: 8, Pixels: make([]byte, 192)}); err != nil {
			t.Fatal(err)
		}
		return !s.Watched("front")
	})
	if _, ok := l.frames.Take(); ok {
		t.Error("a frame came after the end")
	}
}
