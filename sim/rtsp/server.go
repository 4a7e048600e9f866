package rtsp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"github.com/kuai-robot/kuai/robot"
)

// Options describe a Server.
type Options struct {
	// Listen is host:port on loopback; port 0 takes a free one.
	Listen string
	// UDP lets readers ask for RTP over UDP, on this pair of ports: an even one
	// for RTP, the next for RTCP. Zero: over the TCP connection only.
	UDP int
	// Clock is what frames are stamped by; its epoch leads to wall-clock time.
	Clock robot.Clock
	// Quality of the JPEG made from RGB, 1 to 100; zero is 85.
	Quality int
	// Cameras are the paths, without a slash.
	Cameras []string
}

const (
	defaultQuality = 85
	// queuePackets is how many packets a reader may fall behind: a second of
	// 640×480 at 30 Hz. It must be a power of two.
	queuePackets = 1024
)

// Server serves the pictures of several cameras. Use New.
type Server struct {
	rtsp    *gortsplib.Server
	address string
	close   sync.Once

	// mu holds requests back until New has made every stream.
	mu      sync.RWMutex
	cameras map[string]*stream
	// players has what each playing session watches.
	players map[*gortsplib.ServerSession]*stream
}

// New listens and gives the server. Readers are answered from now on; they see
// pictures once Publish is called.
func New(o Options) (*Server, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("rtsp server: %w", err)
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("rtsp server: %w (is another simulator running there?)", err)
	}
	s := &Server{address: listener.Addr().String(), cameras: map[string]*stream{}, players: map[*gortsplib.ServerSession]*stream{}}
	s.rtsp = &gortsplib.Server{
		Handler:        s,
		RTSPAddress:    s.address,
		Listen:         func(string, string) (net.Listener, error) { return listener, nil },
		WriteQueueSize: queuePackets,
		// Its own reports come every ten seconds, too late for a reader that has
		// just come; every frame is preceded by one of ours.
		DisableRTCPSenderReports: true,
	}
	if o.UDP != 0 {
		host, _, _ := net.SplitHostPort(s.address)
		s.rtsp.UDPRTPAddress = net.JoinHostPort(host, fmt.Sprint(o.UDP))
		s.rtsp.UDPRTCPAddress = net.JoinHostPort(host, fmt.Sprint(o.UDP+1))
	}
	if err := s.start(listener, o); err != nil {
		return nil, fmt.Errorf("rtsp server: %w", err)
	}
	return s, nil
}

func (s *Server) start(listener net.Listener, o Options) error {
	s.mu.Lock()
	if err := s.rtsp.Start(); err != nil {
		s.mu.Unlock()
		listener.Close()
		return err
	}
	var err error
	for _, name := range o.Cameras {
		if s.cameras[name], err = newStream(s.rtsp, o); err != nil {
			delete(s.cameras, name)
			err = fmt.Errorf("camera %s: %w", name, err)
			break
		}
	}
	s.mu.Unlock() // before Close, whose end of sessions wants it
	if err != nil {
		s.Close()
	}
	return err
}

func (o *Options) check() error {
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("listen address %q: %w (want host:port, such as 127.0.0.1:8554)", o.Listen, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("listen address %q can be reached from other machines (use 127.0.0.1)", o.Listen)
	}
	if o.Clock == nil {
		return errors.New("no clock")
	}
	if o.Quality < 0 || o.Quality > 100 {
		return fmt.Errorf("quality %d is not 1 to 100", o.Quality)
	}
	if o.Quality == 0 {
		o.Quality = defaultQuality
	}
	seen := map[string]bool{}
	for _, name := range o.Cameras {
		if !plain(name) || seen[name] {
			return fmt.Errorf("camera %q: a name needs to be letters, digits, - and _, and to stand there once", name)
		}
		seen[name] = true
	}
	return nil
}

// plain says whether name can be the path of a URL.
func plain(name string) bool {
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return false
		}
	}
	return name != ""
}

// URL gives where a camera can be watched.
func (s *Server) URL(camera string) string { return "rtsp://" + s.address + "/" + camera }

// Watched says whether anybody watches a camera just now.
func (s *Server) Watched(camera string) bool {
	c, known := s.find(camera)
	return known && c.watched()
}

// Publish sends a frame to everybody who watches its camera. The frame's JPEG
// goes out as it is when RTP/JPEG can carry it; otherwise the pixels are
// encoded.
func (s *Server) Publish(frame *robot.Frame) error {
	c, known := s.find(frame.Camera)
	if !known {
		return fmt.Errorf("rtsp server: no camera is called %q", frame.Camera)
	}
	if !c.watched() {
		return nil
	}
	if err := c.publish(frame); err != nil {
		return fmt.Errorf("rtsp server: camera %s: %w", frame.Camera, err)
	}
	return nil
}

// Run serves until ctx ends, closes the server and returns ctx's error, or
// returns why the server failed before.
func (s *Server) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.Close)
	defer stop()
	err := s.rtsp.Wait()
	s.Close()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("rtsp server %s: %w", s.address, err)
}

// Close disconnects everybody. It may be called twice, and beside Publish.
func (s *Server) Close() {
	s.close.Do(func() {
		s.rtsp.Close()
		for _, c := range s.cameras {
			c.stream.Close()
		}
	})
}

// find gives the stream of a request's path.
func (s *Server) find(path string) (*stream, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, known := s.cameras[strings.TrimPrefix(path, "/")]
	return c, known
}

func (s *Server) answer(path string) (*base.Response, *gortsplib.ServerStream, error) {
	if c, known := s.find(path); known {
		return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
	}
	return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
}

// OnDescribe implements gortsplib.ServerHandlerOnDescribe.
func (s *Server) OnDescribe(c *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return s.answer(c.Path)
}

// OnSetup implements gortsplib.ServerHandlerOnSetup.
func (s *Server) OnSetup(c *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return s.answer(c.Path)
}

// OnPlay implements gortsplib.ServerHandlerOnPlay.
func (s *Server) OnPlay(c *gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	watched, known := s.find(c.Path)
	if !known {
		return &base.Response{StatusCode: base.StatusNotFound}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.players[c.Session] == nil {
		s.players[c.Session] = watched
		watched.readers.Add(1)
	}
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnPause implements gortsplib.ServerHandlerOnPause.
func (s *Server) OnPause(c *gortsplib.ServerHandlerOnPauseCtx) (*base.Response, error) {
	s.leave(c.Session)
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnSessionClose implements gortsplib.ServerHandlerOnSessionClose.
func (s *Server) OnSessionClose(c *gortsplib.ServerHandlerOnSessionCloseCtx) { s.leave(c.Session) }

func (s *Server) leave(session *gortsplib.ServerSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if watched := s.players[session]; watched != nil {
		delete(s.players, session)
		watched.readers.Add(-1)
	}
}

// OnStreamWriteError implements gortsplib.ServerHandlerOnStreamWriteError,
// without which the library prints each packet that a slow reader missed.
func (s *Server) OnStreamWriteError(*gortsplib.ServerHandlerOnStreamWriteErrorCtx) {}
