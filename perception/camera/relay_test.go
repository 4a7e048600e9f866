package camera

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// relay is an RTSP server that hands on what a publisher sends.
type relay struct {
	server *gortsplib.Server
	url    string

	mu     sync.Mutex
	stream *gortsplib.ServerStream
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{url: "rtsp://" + l.Addr().String() + "/camera"}
	r.server = &gortsplib.Server{
		Handler: r, RTSPAddress: l.Addr().String(), DisableRTCPSenderReports: true,
		Listen: func(string, string) (net.Listener, error) { return l, nil },
	}
	if err := r.server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.server.Close)
	return r
}

// published says whether a publisher has announced itself.
func (r *relay) published() bool { return r.get() != nil }

func (r *relay) get() *gortsplib.ServerStream {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stream
}

// The library writes its headers into a response, so each needs its own.
func ok() *base.Response      { return &base.Response{StatusCode: base.StatusOK} }
func missing() *base.Response { return &base.Response{StatusCode: base.StatusNotFound} }

func (r *relay) OnAnnounce(c *gortsplib.ServerHandlerOnAnnounceCtx) (*base.Response, error) {
	stream := &gortsplib.ServerStream{Server: r.server, Desc: c.Description}
	if err := stream.Initialize(); err != nil {
		return missing(), err
	}
	r.mu.Lock()
	r.stream = stream
	r.mu.Unlock()
	return ok(), nil
}

func (r *relay) OnDescribe(*gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if s := r.get(); s != nil {
		return ok(), s, nil
	}
	return missing(), nil, nil
}

func (r *relay) OnSetup(c *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if c.Session.State() == gortsplib.ServerSessionStatePreRecord {
		return ok(), nil, nil
	}
	return ok(), r.get(), nil
}

func (r *relay) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) { return ok(), nil }

// OnRecord repeats the publisher's newest report before each packet, so that a
// reader need not wait five seconds for the next.
func (r *relay) OnRecord(c *gortsplib.ServerHandlerOnRecordCtx) (*base.Response, error) {
	stream := r.get()
	var report rtcp.Packet // one goroutine reads a TCP connection
	c.Session.OnPacketRTCPAny(func(_ *description.Media, p rtcp.Packet) { report = p })
	c.Session.OnPacketRTPAny(func(m *description.Media, _ format.Format, p *rtp.Packet) {
		if report != nil {
			_ = stream.WritePacketRTCP(m, report)
		}
		_ = stream.WritePacketRTP(m, p)
	})
	return ok(), nil
}

// ffmpeg publishes the painted picture at 30 Hz until the test ends.
func (r *relay) ffmpeg(t *testing.T, codec ...string) {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed (make test-deps)")
	}
	input := filepath.Join(t.TempDir(), "picture.rgb")
	if err := os.WriteFile(input, paint(320, 240), 0o600); err != nil {
		t.Fatal(err)
	}
	arguments := append([]string{"-loglevel", "error", "-re", "-stream_loop", "-1", "-f", "rawvideo", "-pix_fmt", "rgb24",
		"-video_size", "320x240", "-framerate", "30", "-i", input}, codec...)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, append(arguments, "-f", "rtsp", "-rtsp_transport", "tcp", r.url)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; t.Failed() {
			t.Logf("ffmpeg: %v: %s", err, &said)
		}
	})
	until(t, "ffmpeg publishes", func() bool {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("ffmpeg: %v: %s", err, &said)
		default:
		}
		return r.published()
	})
}
