package web_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/internal/web"
	"github.com/kuai-robot/kuai/robot"
)

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
