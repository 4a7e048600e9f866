package rtsp_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/kuai-robot/kuai/sim/rtsp"
)

// picture is what a reader got: a JPEG file, and the sender report before it.
type picture struct {
	file    []byte
	rtpTime uint32
	report  *rtcp.SenderReport
}

// reader is a client of another make than the daemon's cameras.
type reader struct {
	client   *gortsplib.Client
	pictures chan picture

	mu     sync.Mutex
	report *rtcp.SenderReport
}

// watch plays a camera; it is playing when watch returns.
func watch(t *testing.T, url string, udp bool) *reader {
	t.Helper()
	r, err := tryWatch(url, udp)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.client.Close)
	return r
}

func tryWatch(address string, udp bool) (*reader, error) {
	u, err := base.ParseURL(address)
	if err != nil {
		return nil, err
	}
	transport := gortsplib.TransportTCP
	if udp {
		transport = gortsplib.TransportUDP
	}
	r := &reader{pictures: make(chan picture, 100)}
	r.client = &gortsplib.Client{Scheme: u.Scheme, Host: u.Host, Transport: &transport}
	if err := r.client.Start2(); err != nil {
		return nil, err
	}
	if err := r.play(u); err != nil {
		r.client.Close()
		return nil, err
	}
	return r, nil
}

func (r *reader) play(u *base.URL) error {
	session, _, err := r.client.Describe(u)
	if err != nil {
		return err
	}
	var mjpeg *format.MJPEG
	media := session.FindFormat(&mjpeg)
	if media == nil {
		return fmt.Errorf("no M-JPEG in %v", session)
	}
	decoder, err := mjpeg.CreateDecoder()
	if err != nil {
		return err
	}
	if _, err := r.client.Setup(session.BaseURL, media, 0, 0); err != nil {
		return err
	}
	r.client.OnPacketRTCP(media, func(p rtcp.Packet) {
		if report, ok := p.(*rtcp.SenderReport); ok {
			r.mu.Lock()
			r.report = report
			r.mu.Unlock()
		}
	})
	r.client.OnPacketRTP(media, mjpeg, func(p *rtp.Packet) {
		if file, err := decoder.Decode(p); err == nil {
			r.mu.Lock()
			r.pictures <- picture{file: file, rtpTime: p.Timestamp, report: r.report}
			r.mu.Unlock()
		}
	})
	_, err = r.client.Play(nil)
	return err
}

func next[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	select {
	case v := <-c:
		return v
	case <-ctx.Done():
		t.Fatalf("no %s came", what)
		panic("unreachable")
	}
}

// until waits for what another goroutine is about to do.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !done() {
		if ctx.Err() != nil {
			t.Fatalf("waited in vain until %s", what)
		}
		runtime.Gosched()
	}
}

func serve(t *testing.T, o rtsp.Options) *rtsp.Server {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	s, err := rtsp.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}
