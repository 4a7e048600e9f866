package camera

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/perception/rtsp"
	"github.com/kuai-robot/kuai/robot"
)

// scriptedSource plays what the test says: each call of play takes the next
// script.
type scriptedSource struct {
	scripts chan func(context.Context, sink) error
}

func (s *scriptedSource) play(ctx context.Context, out sink) error {
	select {
	case script := <-s.scripts:
		return script(ctx, out)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// toldClock tells until when somebody waits.
type toldClock struct {
	*robot.ManualClock
	waits chan robot.Time
}

func (c *toldClock) Wait(ctx context.Context, t robot.Time) error {
	c.waits <- t
	return c.ManualClock.Wait(ctx, t)
}

// bench is a camera on a scripted source and a clock that stands.
type bench struct {
	t       *testing.T
	clock   *toldClock
	camera  *Camera
	scripts chan func(context.Context, sink) error
	frames  chan robot.Frame
	reports chan Report
	ended   chan error
	stop    context.CancelFunc
}

func newBench(t *testing.T, cfg Config) *bench {
	t.Helper()
	clock := &toldClock{robot.NewManualClock(time.Unix(1, 0), 1), make(chan robot.Time, 1000)}
	b := &bench{t: t, clock: clock, scripts: make(chan func(context.Context, sink) error),
		frames: make(chan robot.Frame, 100), reports: make(chan Report, 100), ended: make(chan error, 1)}
	cfg.Name, cfg.URL = "front", "usb:0"
	var err error
	b.camera, err = New(cfg, b.clock, func(f robot.Frame) { b.frames <- f }, func(r Report) { b.reports <- r })
	if err != nil {
		t.Fatal(err)
	}
	b.camera.source = &scriptedSource{b.scripts}
	ctx, stop := context.WithCancel(t.Context())
	b.stop = stop
	go func() { b.ended <- b.camera.Run(ctx) }()
	t.Cleanup(stop)
	return b
}

func next[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second) // cleanups wait too
	defer cancel()
	select {
	case v := <-c:
		return v
	case <-ctx.Done():
		t.Fatalf("no %s came", what)
		panic("unreachable")
	}
}

// play runs a script and comes back when it has ended.
func (b *bench) play(script func(context.Context, sink) error) {
	b.t.Helper()
	ended := make(chan struct{})
	select {
	case b.scripts <- func(ctx context.Context, out sink) error {
		defer close(ended)
		return script(ctx, out)
	}:
	case <-b.t.Context().Done():
	}
	next(b.t, "end of the script", ended)
}

func (b *bench) report() Report { b.t.Helper(); return next(b.t, "report", b.reports) }

func (b *bench) silent() {
	b.t.Helper()
	select {
	case r := <-b.reports:
		b.t.Errorf("report %+v, want none", r)
	default:
	}
}

// sleep moves the clock by d once somebody waits for exactly that.
func (b *bench) sleep(d time.Duration) {
	b.t.Helper()
	for next(b.t, fmt.Sprintf("wait for %v", d), b.clock.waits) != b.clock.Now().Add(d) {
	}
	b.clock.Advance(d)
}

func shot(v byte, at robot.Time) picture {
	return picture{stamp: rtsp.Stamp{At: at}, width: 1, height: 1, pixels: []byte{v, v, v}}
}

func TestFramesAndReports(t *testing.T) {
	b := newBench(t, Config{})
	b.play(func(_ context.Context, out sink) error {
		out.deliver(shot(1, 5))
		p := shot(2, 6)
		p.stamp.Estimated, p.jpeg = true, []byte("file")
		out.deliver(p)
		out.corrupt(errors.New("bad"))
		out.drop(3)
		return errors.New("cable pulled")
	})
	if f := next(t, "frame", b.frames); f.Camera != "front" || f.At != 5 || f.Seq != 1 || f.Width != 1 || f.Estimated || f.Pixels[0] != 1 {
		t.Errorf("first frame %+v", f)
	}
	if f := next(t, "frame", b.frames); f.At != 6 || f.Seq != 2 || !f.Estimated || string(f.JPEG) != "file" {
		t.Errorf("second frame %+v", f)
	}
	if r := b.report(); r.State != Live || r.Camera != "front" || r.At != b.clock.Now() {
		t.Errorf("report %+v, want live", r)
	}
	if r := b.report(); r.State != Lost || r.Err.Error() != "camera front: cable pulled" || r.Retry != firstRetry {
		t.Errorf("report %+v, want lost", r)
	}
	s := b.camera.Stats()
	want := Stats{State: Lost, Frames: 2, Dropped: 3, Corrupt: 1, Attempts: 1, LastAt: 6, Estimated: true}
	if s != want {
		t.Errorf("stats %+v, want %+v", s, want)
	}
}

func TestTheWaitGrowsToFiveSecondsAndIsReportedOnce(t *testing.T) {
	b := newBench(t, Config{Freeze: time.Hour}) // not to be taken for a retry
	fails := func(context.Context, sink) error { return errors.New("cable pulled") }
	b.play(fails)
	b.report()
	for _, ms := range []time.Duration{250, 500, 1000, 2000, 4000, 5000, 5000} {
		b.sleep(ms * time.Millisecond)
		b.play(fails)
	}
	b.silent() // the same reason as before
	b.sleep(longestRetry)
	b.play(func(context.Context, sink) error { return errors.New("power gone") })
	if r := b.report(); r.Retry != longestRetry || !strings.Contains(r.Err.Error(), "power gone") {
		t.Errorf("report %+v, want the new reason", r)
	}
	b.sleep(longestRetry)
	b.play(func(_ context.Context, out sink) error { out.deliver(shot(1, 1)); return errors.New("power gone") })
	if r := b.report(); r.State != Live {
		t.Errorf("report %+v, want live", r)
	}
	if r := b.report(); r.Retry != firstRetry {
		t.Errorf("report %+v: after a good picture the wait starts at %v", r, firstRetry)
	}
}

func TestACameraThatSendsNothingIsFrozen(t *testing.T) {
	b := newBench(t, Config{Freeze: time.Second})
	delivered := make(chan struct{})
	go b.play(func(ctx context.Context, out sink) error {
		out.deliver(shot(1, 1))
		close(delivered)
		<-ctx.Done()
		return ctx.Err()
	})
	next(t, "delivery", delivered)
	b.report()
	b.sleep(time.Second)
	r := b.report()
	if r.State != Frozen || r.Retry != firstRetry || !strings.Contains(r.Err.Error(), "camera front: frozen: no picture for 1s") {
		t.Errorf("report %+v", r)
	}
	b.sleep(firstRetry)
	b.play(func(_ context.Context, out sink) error { out.deliver(shot(2, 2)); return errors.New("end") })
	if r := b.report(); r.State != Live {
		t.Errorf("report %+v, want live again", r)
	}
}

func TestUnreadablePicturesAreNamedAsTheCause(t *testing.T) {
	b := newBench(t, Config{Freeze: time.Second})
	bad := make(chan struct{})
	go b.play(func(ctx context.Context, out sink) error {
		out.corrupt(errors.New("not a JPEG"))
		close(bad)
		<-ctx.Done()
		return ctx.Err()
	})
	next(t, "bad picture", bad)
	b.sleep(time.Second)
	if r := b.report(); r.State != Frozen || !strings.Contains(r.Err.Error(), "no readable picture for 1s: not a JPEG") {
		t.Errorf("report %+v", r)
	}
}

func TestTheSamePictureForTooLongIsWithheld(t *testing.T) {
	b := newBench(t, Config{Still: time.Second})
	b.play(func(_ context.Context, out sink) error {
		for range 4 { // at 0, 400, 800 and 1200 ms
			out.deliver(shot(1, b.clock.Now()))
			b.clock.Advance(400 * time.Millisecond)
		}
		out.deliver(shot(2, b.clock.Now()))
		return errors.New("end")
	})
	for i, want := range []State{Live, Frozen, Live, Lost} {
		if r := b.report(); r.State != want {
			t.Errorf("report %d: %+v, want %v", i, r, want)
		}
	}
	if s := b.camera.Stats(); s.Frames != 4 || s.Withheld != 1 {
		t.Errorf("stats %+v, want 4 frames and 1 withheld", s)
	}
}

func TestAPictureThatStandsStillIsFineByDefault(t *testing.T) {
	b := newBench(t, Config{})
	b.play(func(_ context.Context, out sink) error {
		for range 100 {
			out.deliver(shot(1, b.clock.Now()))
			b.clock.Advance(time.Second)
		}
		return errors.New("end")
	})
	if s := b.camera.Stats(); s.Frames != 100 {
		t.Errorf("stats %+v", s)
	}
}

func TestARecordingEnds(t *testing.T) {
	b := newBench(t, Config{})
	b.play(func(_ context.Context, out sink) error { out.deliver(shot(1, 1)); return errOver })
	b.report()
	if r := b.report(); r.State != Ended || r.Err != nil {
		t.Errorf("report %+v, want ended", r)
	}
	if err := next(t, "end", b.ended); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Run("while playing", func(t *testing.T) {
		b := newBench(t, Config{})
		b.stop()
		if err := next(t, "end", b.ended); !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	t.Run("while waiting", func(t *testing.T) {
		b := newBench(t, Config{})
		b.play(func(context.Context, sink) error { return errors.New("cable pulled") })
		b.report()
		b.stop()
		if err := next(t, "end", b.ended); !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{URL: "usb:0"}, "no name"},
		{Config{Name: "front", URL: "usb:0", Freeze: -1}, "negative"},
		{Config{Name: "front", URL: "usb:"}, "usb:0"},
		{Config{Name: "front", URL: "usb:x"}, "usb:0"},
		{Config{Name: "front", URL: "file:"}, "file:path"},
		{Config{Name: "front", URL: "rtsp://"}, "no host"},
		{Config{Name: "front", URL: "http://host/"}, `"http"`},
		{Config{Name: "front", URL: "/dev/video0"}, "usb:0"},
		{Config{Name: "front", URL: "rtsp://me:secret@ho st/"}, "rtsp://host:port/path"},
	} {
		_, err := New(c.cfg, robot.NewManualClock(time.Unix(1, 0), 1), nil, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: error %v, want one with %q and without the password", c.cfg, err, c.want)
		}
	}
}
