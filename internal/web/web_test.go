package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kuai-robot/kuai/internal/web"
	"github.com/kuai-robot/kuai/robot"
)

// steering keeps what the page asked for.
type steering struct {
	messages chan string
	stops    chan string
}

func (s *steering) Message(name string, payload []byte) { s.messages <- name + " " + string(payload) }

func (s *steering) Stop(reason string) { s.stops <- reason }

type site struct {
	*web.Server
	steering *steering
	clock    *robot.ManualClock
	end      func() error
}

func start(t *testing.T, change func(*web.Options)) *site {
	t.Helper()
	s := &site{
		steering: &steering{messages: make(chan string, 100), stops: make(chan string, 100)},
		clock:    robot.NewManualClock(time.Unix(1000, 0), 1),
	}
	o := web.Options{
		Listen: "127.0.0.1:0", Robot: fakeArm(), Name: "so101", Cameras: []string{"front"},
		Steering: s.steering, Clock: s.clock, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	var err error
	if s.Server, err = web.New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	ended := false
	s.end = func() error {
		cancel()
		if ended {
			return nil
		}
		ended = true
		return <-done
	}
	t.Cleanup(func() {
		if err := s.end(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func next[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-deadline(t).Done():
		t.Fatalf("no %s came", what)
		panic("unreachable")
	}
}

func request(t *testing.T, method, url string, header http.Header, host string) (status int, h http.Header, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(deadline(t), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		r.Header[k] = v
	}
	r.Host = host
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(data)
}

type socket struct {
	*websocket.Conn
	t *testing.T
}

func (s *site) dial(t *testing.T, path string, header http.Header) socket {
	t.Helper()
	conn, _, err := websocket.Dial(deadline(t), strings.Replace(s.URL(), "http", "ws", 1)+path, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	t.Cleanup(func() { conn.CloseNow() })
	return socket{conn, t}
}

// until reads messages up to one on topic and gives its payload.
func (s socket) until(topic string) string {
	s.t.Helper()
	for {
		_, data, err := s.Read(deadline(s.t))
		if err != nil {
			s.t.Fatalf("waiting for %s: %v", topic, err)
		}
		var m struct {
			Topic   string
			Payload json.RawMessage
		}
		if err := json.Unmarshal(data, &m); err != nil {
			s.t.Fatalf("%s: %v", data, err)
		}
		if m.Topic == topic {
			return string(m.Payload)
		}
	}
}

func (s socket) say(text string) {
	s.t.Helper()
	if err := s.Write(deadline(s.t), websocket.MessageText, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

func TestNewRefuses(t *testing.T) {
	s := start(t, nil)
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL(), "http://"), ":")
	for address, want := range map[string]string{"127.0.0.1:" + port: "is taken", "0.0.0.0:0": "without access control", "8080": "listen address"} {
		_, err := web.New(web.Options{Listen: address, Clock: s.clock})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "web") {
			t.Errorf("%s: error %v, want one with %q", address, err, want)
		}
	}
}

func TestRunLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	s := start(t, nil)
	page, watcher := s.dial(t, "/ws", nil), s.dial(t, "/ws/camera/front", nil)
	page.until("hello")
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []socket{page, watcher} {
		if _, _, err := c.Read(deadline(t)); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the socket lives on: %v", err)
		}
		c.CloseNow()
	}
	http.DefaultClient.CloseIdleConnections()
	for ctx := deadline(t); runtime.NumGoroutine() > before; {
		if ctx.Err() != nil {
			buffer := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buffer[:runtime.Stack(buffer, true)])
		}
		runtime.Gosched()
	}
}
