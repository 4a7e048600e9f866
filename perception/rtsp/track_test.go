package rtsp_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtp"

	"github.com/kuai-robot/kuai/perception/rtsp"
	"github.com/kuai-robot/kuai/robot"
	simrtsp "github.com/kuai-robot/kuai/sim/rtsp"
)

func server(t *testing.T, clock robot.Clock) *simrtsp.Server {
	t.Helper()
	s, err := simrtsp.New(simrtsp.Options{Listen: "127.0.0.1:0", Clock: clock, Cameras: []string{"front"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// first chooses the first track and sends the stamps of its packets.
func first(stamps chan<- rtsp.Stamp) rtsp.Choose {
	return func(offered []format.Format) (format.Format, rtsp.Handler, error) {
		return offered[0], func(_ *rtp.Packet, s rtsp.Stamp) {
			select {
			case stamps <- s:
			default:
			}
		}, nil
	}
}

func TestPlayStampsPacketsAndEndsWithItsContext(t *testing.T) {
	clock := robot.NewManualClock(noon, ms(1000))
	s := server(t, clock)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stamps, ended := make(chan rtsp.Stamp, 1), make(chan error, 1)
	var counters rtsp.Counters
	go func() { ended <- rtsp.Play(ctx, rtsp.Config{URL: s.URL("front")}, clock, first(stamps), &counters) }()

	captured := ms(970)
	var got rtsp.Stamp
	for came := false; !came; {
		if err := s.Publish(&robot.Frame{Camera: "front", At: captured, Width: 8, Height: 8, Pixels: make([]byte, 192)}); err != nil {
			t.Fatal(err)
		}
		select {
		case got = <-stamps:
			came = true
		case err := <-ended:
			t.Fatalf("Play ended: %v", err)
		default:
		}
	}
	if got.Estimated || !near(got.At, captured) {
		t.Errorf("stamp %+v, want %v by the sender's report", got, captured)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Play: %v", err)
	}
	if counters.Broken.Load() != 0 {
		t.Errorf("%d broken packets over TCP", counters.Broken.Load())
	}
}

func TestPlaySaysWhatIsWrong(t *testing.T) {
	clock := robot.NewManualClock(noon, ms(1000))
	s := server(t, clock)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	refuse := func([]format.Format) (format.Format, rtsp.Handler, error) {
		return nil, nil, errors.New("none of these")
	}
	for name, c := range map[string]struct {
		url    string
		choose rtsp.Choose
		want   string
	}{
		"no such path":      {s.URL("back"), first(nil), "404"},
		"no server":         {"rtsp://user:secret@" + nobody.Addr().String() + "/front", first(nil), nobody.Addr().String()},
		"no track is liked": {s.URL("front"), refuse, "none of these"},
		"not rtsp":          {"http://host/", first(nil), `"http"`},
		"no host":           {"rtsp:///front", first(nil), "no host"},
		"not a URL":         {"rtsp://user:secret@ho st/%zz", first(nil), "not a URL"},
	} {
		t.Run(name, func(t *testing.T) {
			err := rtsp.Play(t.Context(), rtsp.Config{URL: c.url, Timeout: 5 * time.Second}, clock, c.choose, new(rtsp.Counters))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v, want one with %q and without the password", err, c.want)
			}
		})
	}
}

func TestPlayEndsWhenTheServerDoes(t *testing.T) {
	clock := robot.NewManualClock(noon, ms(1000))
	s := server(t, clock)
	ended := make(chan error, 1)
	go func() {
		ended <- rtsp.Play(t.Context(), rtsp.Config{URL: s.URL("front")}, clock, first(nil), new(rtsp.Counters))
	}()
	for !s.Watched("front") {
		select {
		case err := <-ended:
			t.Fatalf("Play ended: %v", err)
		default:
		}
	}
	s.Close()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("error %v, want one with the address", err)
	}
}

// TestPlayGivesUpASilentServer listens and never answers.
func TestPlayGivesUpASilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = rtsp.Play(t.Context(), rtsp.Config{URL: "rtsp://" + l.Addr().String() + "/", Timeout: 50 * time.Millisecond},
		robot.NewManualClock(noon, 1), first(nil), new(rtsp.Counters))
	if err == nil || !strings.Contains(err.Error(), "timeout") && !strings.Contains(err.Error(), "timed out") {
		t.Errorf("error %v, want a timeout", err)
	}
}
