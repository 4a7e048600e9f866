package web_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/internal/web"
	"github.com/kuai-robot/kuai/robot"
)

// steering keeps what the page asked for.
type steering struct {
	messages chan string
	stops    chan string
}

func (s *steering) Message(name string, payload []byte) { s.messages <- name + " " + string(payload) }
func (s *steering) Stop(reason string)                  { s.stops <- reason }

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

func TestThePageAndItsHeaders(t *testing.T) {
	s := start(t, nil)
	for _, path := range []string{"/", "/assets/main.js", "/assets/style.css", "/assets/icon.svg"} {
		status, h, body := request(t, "GET", s.URL()+path, http.Header{"Accept-Encoding": {"gzip"}}, "")
		policy := h.Get("Content-Security-Policy")
		if status != 200 || !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d, %v", path, status, h)
		}
		unpacked, err := gzip.NewReader(strings.NewReader(body))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if text, err := io.ReadAll(unpacked); err != nil || strings.Contains(string(text), "http://") && path == "/" {
			t.Errorf("%s: %v, or something from another host", path, err)
		}
		if status, _, _ := request(t, "GET", s.URL()+path, http.Header{"If-None-Match": {h.Get("ETag")}}, ""); status != http.StatusNotModified {
			t.Errorf("%s again: %d", path, status)
		}
	}
	for path, want := range map[string]int{"/other": 404, "/assets/../server.go": 404, "/camera/back.jpg": 404, "/camera/front.exe": 404, "/camera/front.jpg": 503, "/healthz": 200, "/readyz": 200} {
		if status, _, body := request(t, "GET", s.URL()+path, nil, ""); status != want && status != 307 {
			t.Errorf("%s: %d, want %d: %s", path, status, want, body)
		}
	}
}

func TestReadySaysWhyNot(t *testing.T) {
	s := start(t, func(o *web.Options) { o.Ready = func() error { return io.ErrUnexpectedEOF } })
	if status, _, body := request(t, "GET", s.URL()+"/readyz", nil, ""); status != 503 || !strings.Contains(body, "unexpected EOF") {
		t.Errorf("%d %s", status, body)
	}
}

func TestForeignSitesAreRefused(t *testing.T) {
	s := start(t, func(o *web.Options) { o.Hosts = []string{"robot.local"} })
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL(), "http://"), ":")
	for _, c := range []struct {
		name, method, path, host string
		header                   http.Header
		want                     int
	}{
		{"rebound name", "GET", "/", "evil.example", nil, http.StatusMisdirectedRequest},
		{"configured name", "GET", "/", "robot.local:" + port, nil, 200},
		{"address", "GET", "/", "127.0.0.1:" + port, nil, 200},
		{"no browser", "POST", "/stop", "", nil, http.StatusNoContent},
		{"own form", "POST", "/stop", "", http.Header{"Origin": {s.URL()}, "Accept": {"text/html,*/*"}}, http.StatusSeeOther},
		{"foreign form", "POST", "/stop", "", http.Header{"Origin": {"http://evil.example"}}, http.StatusForbidden},
		{"hidden origin", "POST", "/stop", "", http.Header{"Origin": {"null"}}, http.StatusForbidden},
		{"other port", "POST", "/stop", "", http.Header{"Origin": {"http://localhost:1"}}, http.StatusForbidden},
		{"foreign picture", "GET", "/camera/front.jpg", "", http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
		{"foreign link", "GET", "/", "", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}}, 200},
		{"foreign socket", "GET", "/ws", "", http.Header{"Origin": {"http://evil.example"}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}, http.StatusForbidden},
		{"stop by a link", "GET", "/stop", "", nil, http.StatusMethodNotAllowed},
	} {
		if status, _, body := request(t, c.method, s.URL()+c.path, c.header, c.host); status != c.want {
			t.Errorf("%s: %d, want %d: %s", c.name, status, c.want, body)
		}
	}
	if n := len(s.steering.stops); n != 2 {
		t.Errorf("%d stops, want 2", n)
	}
}

func TestAccess(t *testing.T) {
	access, err := broker.NewAccess([]broker.User{{Name: "ann", Password: "a", Role: broker.Operate}, {Name: "wall", Password: "w", Role: broker.View}})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(o *web.Options) { o.Access = access; o.Metrics = http.NotFoundHandler() })
	for _, path := range []string{"/", "/assets/main.js", "/ws", "/camera/front.jpg", "/ws/camera/front", "/metrics"} {
		if status, h, _ := request(t, "GET", s.URL()+path, nil, ""); status != 401 || h.Get("WWW-Authenticate") == "" {
			t.Errorf("%s without a password: %d", path, status)
		}
	}
	if status, _, _ := request(t, "POST", s.URL()+"/stop", nil, ""); status != 401 {
		t.Errorf("stop by a stranger: %d", status)
	}
	basic := func(user, password string) http.Header {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		return r.Header
	}
	if status, _, _ := request(t, "GET", s.URL()+"/", basic("ann", "wrong"), ""); status != 401 {
		t.Errorf("wrong password: %d", status)
	}
	status, h, _ := request(t, "GET", s.URL()+"/", basic("wall", "w"), "")
	cookie := h.Get("Set-Cookie")
	if status != 200 || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") {
		t.Fatalf("%d, cookie %q", status, cookie)
	}
	name, _, _ := strings.Cut(cookie, ";")
	viewer := s.dial(t, "/ws", http.Header{"Cookie": {name}})
	if hello := viewer.until("hello"); !strings.Contains(hello, `"role":"view"`) {
		t.Errorf("hello %s", hello)
	}
	viewer.say(`{"topic":"instruction","payload":{"id":"1","text":"go"}}`)
	if reason := viewer.until("refusal"); !strings.Contains(reason, "role view may not publish instruction") {
		t.Errorf("refusal %s", reason)
	}
	viewer.say(`{"topic":"stop","payload":"by hand"}`)
	if reason := next(t, "stop", s.steering.stops); reason != "stop message: by hand" {
		t.Errorf("reason %q", reason)
	}
	operator := s.dial(t, "/ws", basic("ann", "a"))
	operator.say(`{"topic":"instruction","payload":{"id":"1","text":"go"}}`)
	if m := next(t, "instruction", s.steering.messages); m != `instruction {"id":"1","text":"go"}` {
		t.Errorf("message %q", m)
	}
	if status, _, _ := request(t, "GET", s.URL()+"/", http.Header{"Cookie": {"kuai-session=0"}}, ""); status != 401 {
		t.Errorf("made-up session: %d", status)
	}
}

func TestAPageLearnsWhatIsKnownAndWhatHappens(t *testing.T) {
	s := start(t, nil)
	s.Publish(topics.NamePlan, []byte(`{"id":"old"}`))
	s.Publish(topics.NamePlan, []byte(`{"id":"new"}`))
	s.Publish(topics.NameEvent, []byte(`{"kind":"accepted"}`))
	s.Publish("actuator/pan/command", []byte(`{}`))
	page := s.dial(t, "/ws", nil)
	if hello := page.until("hello"); !strings.Contains(hello, `"cameras":["front"]`) || !strings.Contains(hello, `"shoulder_pan"`) {
		t.Errorf("hello %s", hello)
	}
	if event := page.until(topics.NameEvent); event != `{"kind":"accepted"}` {
		t.Errorf("event %s", event)
	}
	if plan := page.until(topics.NamePlan); plan != `{"id":"new"}` {
		t.Errorf("plan %s", plan)
	}
	s.Publish(topics.NameState, []byte(`{"mode":"held"}`))
	if state := page.until(topics.NameState); state != `{"mode":"held"}` {
		t.Errorf("state %s", state)
	}
}

func TestGarbageIsRefusedAndThePageGoesOn(t *testing.T) {
	s := start(t, nil)
	page := s.dial(t, "/ws", nil)
	for _, garbage := range []string{"", "x", "[]", "{}", `{"topic":1}`, `{"topic":"stop","payload":1,"more":2}`, `{"topic":"stop"} x`,
		`{"topic":"state","payload":{}}`, `{"topic":"actuator/+/command","payload":{}}`, `{"topic":"` + strings.Repeat("x", 1000) + `"}`, "\xff"} {
		page.say(garbage)
		if reason := page.until("refusal"); len(reason) > 300 {
			t.Errorf("%.20q: %s", garbage, reason)
		}
	}
	page.say(`{"topic":"stop"}`)
	if reason := next(t, "stop", s.steering.stops); reason != "stop message" {
		t.Errorf("reason %q", reason)
	}
	huge := s.dial(t, "/ws", nil)
	// The daemon may hang up before all of it is written.
	_ = huge.Write(deadline(t), websocket.MessageText, []byte(`{"topic":"skill","payload":"`+strings.Repeat("x", 100_000)+`"}`))
	for {
		if _, _, err := huge.Read(deadline(t)); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				t.Error("a huge message did not end the connection")
			}
			break
		}
	}
	if len(s.steering.messages) != 0 {
		t.Errorf("obeyed %q", <-s.steering.messages)
	}
	if refused := s.Stats().Refused; refused < 11 {
		t.Errorf("refused %d", refused)
	}
}

func TestAStopWaitsForNobody(t *testing.T) {
	s := start(t, nil)
	s.steering.messages = make(chan string) // every message blocks
	busy, other := s.dial(t, "/ws", nil), s.dial(t, "/ws", nil)
	busy.say(`{"topic":"instruction","payload":{}}`)
	other.say(`{"topic":"stop"}`)
	next(t, "stop of another page", s.steering.stops)
	if status, _, _ := request(t, "POST", s.URL()+"/stop", nil, ""); status != http.StatusNoContent {
		t.Errorf("stop by request: %d", status)
	}
	next(t, "stop by request", s.steering.stops)
	<-s.steering.messages
}

// A browser that never reads must not hold up the daemon.
func TestSlowBrowsersAreCountedNotWaitedFor(t *testing.T) {
	s := start(t, nil)
	page := s.dial(t, "/ws", nil)
	page.until("hello")
	watcher := s.dial(t, "/ws/camera/front", nil)
	payload := []byte(`{"mode":"` + strings.Repeat("x", 60_000) + `"}`)
	ctx := deadline(t)
	for i := 0; s.Stats().DroppedMessages == 0 || s.Stats().DroppedFrames == 0; i++ {
		s.Publish(topics.NameState, payload)
		s.Show(fakeFrame("front", robot.Time(i+1), uint64(i), 0))
		if ctx.Err() != nil {
			t.Fatalf("nothing was dropped: %+v", s.Stats())
		}
	}
	page.CloseNow()
	watcher.CloseNow()
}

func TestCameras(t *testing.T) {
	s := start(t, nil)
	s.Show(fakeFrame("back", 1, 1, 0)) // nobody's camera
	s.Show(robot.Frame{Camera: "front", Width: 10, Height: 10, Pixels: make([]byte, 7)})
	s.Show(fakeFrame("front", robot.Time(2500*time.Millisecond), 1, 0))
	var status int
	var body string
	for ctx := deadline(t); status != 200; {
		status, _, body = request(t, "GET", s.URL()+"/camera/front.jpg", nil, "")
		if ctx.Err() != nil {
			t.Fatal("no picture")
		}
	}
	picture, err := jpeg.Decode(strings.NewReader(body))
	if err != nil || picture.Bounds().Dx() != 320 {
		t.Fatalf("%v, %v", picture, err)
	}
	if r, g, b, _ := picture.At(60, 150).RGBA(); r>>8 < 150 || g>>8 > 90 || b>>8 > 90 {
		t.Errorf("the red block is %d %d %d", r>>8, g>>8, b>>8)
	}
	watcher := s.dial(t, "/ws/camera/front", nil)
	_, data, err := watcher.Read(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	// 1000 s is the clock's epoch, 2.5 s the frame's time.
	if want := []byte{0, 0, 0, 0, 0, 0x54, 0x8f, 0x40}; !bytes.Equal(data[:8], want) {
		t.Errorf("capture time % x, want % x", data[:8], want)
	}
	if _, err := jpeg.Decode(bytes.NewReader(data[8:])); err != nil {
		t.Error(err)
	}
	given := []byte("\xff\xd8 as the camera sent it")
	s.Show(robot.Frame{Camera: "front", At: robot.Time(3 * time.Second), JPEG: given})
	if _, data, err = watcher.Read(deadline(t)); err != nil || !bytes.Equal(data[8:], given) {
		t.Errorf("a JPEG picture was encoded again: %v", err)
	}
}

// Without answers no more than two pictures are under way.
func TestPicturesWaitForTheirAnswers(t *testing.T) {
	s := start(t, nil)
	watcher := s.dial(t, "/ws/camera/front", nil)
	ctx := deadline(t)
	var received atomic.Int64
	go func() {
		for {
			if _, _, err := watcher.Read(ctx); err != nil {
				return
			}
			received.Add(1)
		}
	}()
	showUntil := func(what string, done func() bool) {
		t.Helper()
		for i := 1; !done(); i++ {
			s.Show(robot.Frame{Camera: "front", At: robot.Time(i), JPEG: []byte("picture")})
			runtime.Gosched()
			if ctx.Err() != nil {
				t.Fatalf("%s: %d pictures came", what, received.Load())
			}
		}
	}
	showUntil("two pictures", func() bool { return received.Load() >= 2 })
	enough := s.Stats().DroppedFrames + 1000
	showUntil("dropping", func() bool { return s.Stats().DroppedFrames > enough })
	if n := received.Load(); n != 2 {
		t.Errorf("%d pictures came without an answer, want 2", n)
	}
	watcher.say("drawn")
	showUntil("the third", func() bool { return received.Load() == 3 })
}

func TestMultipart(t *testing.T) {
	s := start(t, nil)
	r, err := http.NewRequestWithContext(deadline(t), "GET", s.URL()+"/camera/front.mjpg", nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for i := 1; ; i++ {
			s.Show(robot.Frame{Camera: "front", At: robot.Time(i), JPEG: []byte("picture")})
			select {
			case <-ended:
				return
			default:
				runtime.Gosched()
			}
		}
	}()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); kind != "multipart/x-mixed-replace; boundary=kuai-picture" {
		t.Errorf("content type %q", kind)
	}
	want := "--kuai-picture\r\nContent-Type: image/jpeg\r\nContent-Length: 7\r\nX-Captured: 1000.000\r\n\r\npicture\r\n--kuai-picture\r\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
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

// BenchmarkStop is the way of a stop from a page's socket to the daemon.
func BenchmarkStop(b *testing.B) {
	s := &steering{messages: make(chan string, 1), stops: make(chan string, 1)}
	server, err := web.New(web.Options{Listen: "127.0.0.1:0", Steering: s, Clock: robot.NewSystemClock(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	conn, _, err := websocket.Dial(ctx, strings.Replace(server.URL(), "http", "ws", 1)+"/ws", nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := conn.Write(ctx, websocket.MessageText, []byte(`{"topic":"stop"}`)); err != nil {
			b.Fatal(err)
		}
		<-s.stops
	}
	cancel()
	if err := <-done; err != nil {
		b.Error(err)
	}
}
