package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// Steering takes what a person asks for on the page.
type Steering interface {
	// Message obeys payload as if it had come over MQTT on the topic called
	// name, and refuses it with an event likewise. It must return soon.
	Message(name string, payload []byte)
	// Stop stops the robot and never blocks.
	Stop(reason string)
}

// Options describe the page's server.
type Options struct {
	// Listen is HOST:PORT; port 0 takes a free one.
	Listen string
	// Hosts are names, besides localhost and plain addresses, under which
	// browsers reach the page.
	Hosts  []string
	Access *broker.Access
	// TLS is nil for plain HTTP.
	TLS      *tls.Config
	Robot    *robot.Description
	Name     string // in the topics
	Version  string
	Cameras  []string
	Examples []string // instructions that a newcomer may try
	Steering Steering
	// Talk takes what people say into the page's microphone, a piece at a time,
	// from one talk at a time. It must return soon. Nil: nobody listens, the page
	// has no talk button, and NoTalk says why.
	Talk   func(Speech)
	NoTalk string
	// Ready says why the daemon is not ready; nil: it always is.
	Ready func() error
	// Metrics serves /metrics; nil: there are none.
	Metrics http.Handler
	// Broke is told of code that panicked, from any goroutine. What it did for one
	// browser has ended then; all else goes on. Nil: nobody is told.
	Broke func(*robot.Panic)
	Clock robot.Clock
	Log   *slog.Logger
}

const (
	// maxPages bounds the open sockets of the page, maxWatchers those of cameras.
	maxPages    = 64
	maxWatchers = 128
	// A request's head must be here within this.
	headerWithin   = 5 * time.Second
	idleWithin     = time.Minute
	maxHeaderBytes = 16 << 10
	// shutdownWithin is how long answers under way may take at the end.
	shutdownWithin = time.Second
)

// Stats are counters since New, and how many look now.
type Stats struct {
	Pages, Watchers int64
	// DroppedMessages and DroppedFrames were overtaken by newer ones before a
	// slow browser took them.
	DroppedMessages, DroppedFrames uint64
	Refused                        uint64 // requests and messages
}

// Server is the page and everything behind it.
type Server struct {
	o        Options
	listener net.Listener
	hub      *hub
	cameras  map[string]*feed
	sessions *sessions
	wheel    wheel
	floor    floor
	handler  http.Handler

	pages, watchers atomic.Int64
	refused         atomic.Uint64

	// ctx ends with Run; sockets hang on it, because an http.Server forgets them.
	ctx     context.Context
	cancel  context.CancelFunc
	sockets sync.WaitGroup
}

// New listens, so that a taken port is an error now, and serves from Run on.
func New(o Options) (*Server, error) {
	if err := o.Access.CheckListen("web", "web.listen", o.Listen); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", o.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("web: %s is taken: another kuai or web server runs there (stop it, or set web.listen to a free port)", o.Listen)
	}
	if err != nil {
		return nil, fmt.Errorf("web: listen on %s: %w (see web.listen)", o.Listen, err)
	}
	s := &Server{o: o, listener: listener, hub: newHub(), cameras: map[string]*feed{}, sessions: newSessions()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, name := range o.Cameras {
		s.cameras[name] = newFeed(name, o.Clock)
	}
	s.handler = s.routes()
	return s, nil
}

// URL is where a browser on this machine finds the page.
func (s *Server) URL() string {
	scheme := "http"
	if s.o.TLS != nil {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		return scheme + "://" + s.listener.Addr().String()
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsUnspecified() || ip.Equal(net.IPv4(127, 0, 0, 1))) {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// Publish hands a message that goes out to every open page. What is neither
// state, plan, event nor health is ignored. The payload must not change after.
func (s *Server) Publish(name string, payload []byte) { s.hub.publish(name, payload) }

// Show hands a picture to whoever watches its camera; one of a camera that is
// not among Options.Cameras is ignored.
func (s *Server) Show(frame robot.Frame) {
	if feed := s.cameras[frame.Camera]; feed != nil {
		feed.newest.Put(frame)
	}
}

// Stats may be called at any time.
func (s *Server) Stats() Stats {
	stats := Stats{
		Pages: s.pages.Load(), Watchers: s.watchers.Load(),
		DroppedMessages: s.hub.droppedSoFar(), Refused: s.refused.Load(),
	}
	for _, f := range s.cameras {
		stats.DroppedFrames += f.droppedSoFar()
	}
	return stats
}

// Run serves until ctx ends, and then gives nil, or until it fails.
func (s *Server) Run(ctx context.Context) error {
	defer s.cancel()
	for _, f := range s.cameras {
		s.beside(func() {
			for s.ctx.Err() == nil {
				s.look(func() { f.run(s.ctx) })
			}
		})
	}
	server := &http.Server{
		Handler: s.handler, TLSConfig: s.o.TLS,
		ReadHeaderTimeout: headerWithin, IdleTimeout: idleWithin, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(s.o.Log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() {
		if s.o.TLS != nil {
			served <- server.ServeTLS(s.listener, "", "")
			return
		}
		served <- server.Serve(s.listener)
	}()
	select {
	case err := <-served:
		s.cancel()
		s.sockets.Wait()
		return fmt.Errorf("web: %w", err)
	case <-ctx.Done():
	}
	s.cancel()
	ending, cancel := context.WithTimeout(context.Background(), shutdownWithin)
	defer cancel()
	if server.Shutdown(ending) != nil {
		server.Close()
	}
	<-served
	s.sockets.Wait()
	return nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	pages := newStatic()
	mux.Handle("GET /{$}", s.may("", pages))
	mux.Handle("GET /assets/", s.may("", pages))
	mux.Handle("GET /ws", s.may("", http.HandlerFunc(s.serveSocket)))
	mux.Handle("GET /ws/camera/{name}", s.may("", http.HandlerFunc(s.serveCameraSocket)))
	mux.Handle("GET /ws/talk", s.may(mayTalk, http.HandlerFunc(s.serveTalk)))
	mux.Handle("GET /camera/{file}", s.may("", http.HandlerFunc(s.serveCamera)))
	mux.Handle("POST /stop", s.may(topics.NameStop, http.HandlerFunc(s.serveStop)))
	if s.o.Metrics != nil {
		mux.Handle("GET /metrics", s.may("", s.o.Metrics))
	}
	mux.Handle("GET /debug/pprof/", s.may("", s.profiling()))
	// Whoever looks after the process asks these, and learns nothing from them.
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.serveReady)
	return s.guard(mux)
}

func (s *Server) serveReady(w http.ResponseWriter, _ *http.Request) {
	if s.o.Ready != nil {
		if err := s.o.Ready(); err != nil {
			http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
	}
	fmt.Fprintln(w, "ready")
}

// serveStop stops the robot before it does anything else.
func (s *Server) serveStop(w http.ResponseWriter, r *http.Request) {
	s.o.Steering.Stop("stop message: button on the page")
	if acceptsHTML(r) {
		// The button of a page whose script has not run.
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
