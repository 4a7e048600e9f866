package web

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/coder/websocket"

	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/robot"
)

const (
	jpegQuality = 80
	// underWay is how many pictures a browser may not have answered yet: one on
	// the wire while the other is drawn.
	underWay = 2
	boundary = "kuai-picture"
	// stampBytes is the capture time before each JPEG file of a socket.
	stampBytes = 8
	// maxAnswer bounds a browser's answer to a picture, whose content is not read.
	maxAnswer = 64
)

// picture is a frame as browsers take it. Nobody writes it again.
type picture struct {
	at   robot.Time
	file []byte
}

// feed is one camera. Pictures are encoded once for all who watch, and not at
// all while nobody does.
type feed struct {
	name   string
	epoch  float64 // seconds since 1970 at robot.Time 0
	newest *robot.Mailbox[robot.Frame]

	dropped atomic.Uint64
	mu      sync.Mutex
	viewers map[*robot.Mailbox[picture]]bool
	last    *robot.Frame
}

func newFeed(name string, clock robot.Clock) *feed {
	return &feed{
		name: name, newest: robot.NewMailbox[robot.Frame](), viewers: map[*robot.Mailbox[picture]]bool{},
		epoch: float64(clock.Epoch().UnixNano()) / 1e9,
	}
}

func (f *feed) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.newest.Ready():
		}
		frame, ok := f.newest.Take()
		if !ok {
			continue
		}
		f.mu.Lock()
		f.last = &frame
		watched := len(f.viewers) > 0
		f.mu.Unlock()
		if watched {
			f.show(&frame)
		}
	}
}

func (f *feed) show(frame *robot.Frame) {
	file, err := encode(frame)
	if err != nil {
		f.dropped.Add(1)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for viewer := range f.viewers {
		viewer.Put(picture{at: frame.At, file: file})
	}
}

func (f *feed) watch() (viewer *robot.Mailbox[picture], leave func()) {
	viewer = robot.NewMailbox[picture]()
	f.mu.Lock()
	f.viewers[viewer] = true
	last := f.last
	f.mu.Unlock()
	if last != nil {
		if file, err := encode(last); err == nil {
			viewer.Put(picture{at: last.At, file: file})
		}
	}
	return viewer, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.viewers, viewer)
		f.dropped.Add(viewer.Dropped())
	}
}

func (f *feed) droppedSoFar() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.dropped.Load() + f.newest.Dropped()
	for viewer := range f.viewers {
		n += viewer.Dropped()
	}
	return n
}

func encode(frame *robot.Frame) ([]byte, error) {
	if frame.JPEG != nil {
		return frame.JPEG, nil
	}
	file, err := jpeg.Encode(frame.Pixels, frame.Width, frame.Height, jpegQuality)
	if err != nil {
		return nil, fmt.Errorf("camera %s: %w", frame.Camera, err)
	}
	return file, nil
}

// serveCameraSocket sends the newest picture whenever the browser has answered
// enough of those before, so that no queue on the way grows old.
func (s *Server) serveCameraSocket(w http.ResponseWriter, r *http.Request) {
	f := s.cameras[r.PathValue("name")]
	if f == nil {
		s.refuse(w, http.StatusNotFound, "there is no camera "+clip(r.PathValue("name")))
		return
	}
	s.sockets.Add(1)
	defer s.sockets.Done()
	conn, ok := s.accept(w, r, &s.watchers, maxWatchers)
	if !ok {
		return
	}
	defer s.watchers.Add(-1)
	defer conn.CloseNow()
	conn.SetReadLimit(maxAnswer)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	credit := make(chan struct{}, underWay)
	for range underWay {
		credit <- struct{}{}
	}
	s.beside(func() {
		defer cancel()
		for {
			if _, _, err := conn.Read(ctx); err != nil {
				return
			}
			select {
			case credit <- struct{}{}:
			default: // it answers what it was never sent
			}
		}
	})
	s.sendPictures(ctx, conn, f, credit)
}

func (s *Server) sendPictures(ctx context.Context, conn *websocket.Conn, f *feed, credit <-chan struct{}) {
	viewer, leave := f.watch()
	defer leave()
	for {
		select {
		case <-ctx.Done():
			return
		case <-credit:
		}
		p, ok := next(ctx, viewer)
		if !ok {
			return
		}
		data := binary.LittleEndian.AppendUint64(make([]byte, 0, stampBytes+len(p.file)), math.Float64bits(f.epoch+p.at.Seconds()))
		writing, cancel := context.WithTimeout(ctx, writeWithin)
		err := conn.Write(writing, websocket.MessageBinary, append(data, p.file...))
		cancel()
		if err != nil {
			return
		}
	}
}

// next waits for a picture; ok is false when ctx ends first.
func next(ctx context.Context, viewer *robot.Mailbox[picture]) (p picture, ok bool) {
	for {
		if p, ok := viewer.Take(); ok {
			return p, true
		}
		select {
		case <-ctx.Done():
			return p, false
		case <-viewer.Ready():
		}
	}
}

// serveCamera serves NAME.mjpg and NAME.jpg.
func (s *Server) serveCamera(w http.ResponseWriter, r *http.Request) {
	name, kind, _ := strings.Cut(r.PathValue("file"), ".")
	f := s.cameras[name]
	if f == nil || kind != "jpg" && kind != "mjpg" {
		s.refuse(w, http.StatusNotFound, "there is no "+clip(r.PathValue("file"))+" (want CAMERA.jpg or CAMERA.mjpg)")
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if kind == "mjpg" {
		s.serveMultipart(w, r, f)
		return
	}
	f.mu.Lock()
	last := f.last
	f.mu.Unlock()
	if last == nil {
		http.Error(w, "camera "+name+" has sent no picture yet", http.StatusServiceUnavailable)
		return
	}
	file, err := encode(last)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Write(file)
}

func (s *Server) serveMultipart(w http.ResponseWriter, r *http.Request, f *feed) {
	if s.watchers.Add(1) > maxWatchers {
		s.watchers.Add(-1)
		s.refuse(w, http.StatusServiceUnavailable, "too many pages are open")
		return
	}
	defer s.watchers.Add(-1)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	viewer, leave := f.watch()
	defer leave()
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary="+boundary)
	flush := http.NewResponseController(w)
	for {
		p, ok := next(ctx, viewer)
		if !ok {
			return
		}
		_, err := fmt.Fprintf(w, "--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\nX-Captured: %.3f\r\n\r\n%s\r\n",
			boundary, len(p.file), f.epoch+p.at.Seconds(), p.file)
		if err != nil || flush.Flush() != nil {
			return
		}
	}
}
