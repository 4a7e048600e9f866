package web_test

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestOnePageSteersAtATime(t *testing.T) {
	s := start(t, nil)
	one, two := s.dial(t, "/ws", nil), s.dial(t, "/ws", nil)
	const turn = `{"topic":"teleop","payload":{"at":1}}`
	steers := func(who string, c socket) {
		t.Helper()
		c.say(turn)
		if got := next(t, who+"'s message", s.steering.messages); got != `teleop {"at":1}` {
			t.Fatalf("%s said %q", who, got)
		}
	}
	refused := func(c socket) {
		t.Helper()
		c.say(turn)
		if got := c.until("refusal"); !strings.Contains(got, `"topic":"teleop"`) || !strings.Contains(got, "another page steers") {
			t.Fatalf("refused with %s", got)
		}
	}
	steers("one", one)
	refused(two)
	// Silence passes the wheel on.
	s.clock.Advance(time.Second)
	steers("two", two)
	refused(one)
	two.say(`{"topic":"stop"}`)
	next(t, "stop of the one who steers", s.steering.stops)
	one.say(`{"topic":"stop"}`)
	next(t, "stop of another page", s.steering.stops)
	// So does a page that goes away; nobody tells when the server has seen it go.
	two.CloseNow()
	for ctx := deadline(t); s.Stats().Pages > 1; {
		if ctx.Err() != nil {
			t.Fatal("the server still holds the page that went away")
		}
		runtime.Gosched()
	}
	steers("one", one)
	if refused := s.Stats().Refused; refused != 2 {
		t.Errorf("%d refused messages are counted, want 2", refused)
	}
}
