package broker_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/topics"
)

const robotName = "so101"

func startServer(t *testing.T, o broker.ServerOptions) *broker.Server {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	o.Robot, o.Folder = robotName, t.TempDir()
	s, err := broker.StartServer(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func dial(t *testing.T, o broker.LinkOptions) *broker.Link {
	t.Helper()
	o.Robot, o.Role = robotName, "test"
	l, err := broker.Dial(deadline(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(nil) })
	return l
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

func listenTo(name string, c chan broker.Message) []broker.Subscription {
	return []broker.Subscription{{Name: name, QoS: 1, Handle: func(m broker.Message) { c <- m }}}
}

func send(t *testing.T, l *broker.Link, name string, retained bool, payload string) {
	t.Helper()
	if err := l.Send(deadline(t), name, retained, []byte(payload)); err != nil {
		t.Fatal(err)
	}
}

// mosquitto starts a broker of another make on port and gives a function that
// kills it.
func mosquitto(t *testing.T, port int) (kill func()) {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		t.Skip("mosquitto is not installed (make test-deps)")
	}
	cmd := exec.Command(path, "-p", fmt.Sprint(port))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() { cmd.Process.Kill(); cmd.Wait() }
	t.Cleanup(kill)
	ctx := deadline(t)
	for ctx.Err() == nil {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprint("127.0.0.1:", port))
		if err == nil {
			c.Close()
			return kill
		}
	}
	t.Fatal("mosquitto does not answer")
	return nil
}

// embedded starts our own broker on port.
func embedded(t *testing.T, port int) (kill func()) {
	s := startServer(t, broker.ServerOptions{Listen: fmt.Sprint("127.0.0.1:", port)})
	return func() { s.Close() }
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// urls runs a test against the embedded broker and against mosquitto.
func urls(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("embedded", func(t *testing.T) { test(t, startServer(t, broker.ServerOptions{}).URL()) })
	t.Run("mosquitto", func(t *testing.T) {
		port := freePort(t)
		mosquitto(t, port)
		test(t, fmt.Sprint("tcp://127.0.0.1:", port))
	})
}

func TestMessagesArriveAsTheyWere(t *testing.T) {
	urls(t, func(t *testing.T, url string) {
		got := make(chan broker.Message, 10)
		dial(t, broker.LinkOptions{URL: url, Subscriptions: listenTo(topics.NameInstruction, got)})
		out := dial(t, broker.LinkOptions{URL: url})
		send(t, out, topics.NameInstruction, false, `{"id":"1","text":"go"}`)
		m := next(t, "instruction", got)
		if m.Name != topics.NameInstruction || string(m.Payload) != `{"id":"1","text":"go"}` || m.Retained {
			t.Errorf("got %+v", m)
		}
	})
}

func TestRetainedMessagesAreMarked(t *testing.T) {
	urls(t, func(t *testing.T, url string) {
		out := dial(t, broker.LinkOptions{URL: url})
		send(t, out, topics.NamePlan, true, "old")
		if m := retained(t, url, topics.NamePlan); string(m.Payload) != "old" || !m.Retained {
			t.Errorf("got %+v", m)
		}
	})
}

// retained subscribes until a message comes: the embedded broker keeps it a
// moment after it has acknowledged it, and a subscriber in between misses it.
func retained(t *testing.T, url, name string) broker.Message {
	t.Helper()
	for ctx := deadline(t); ctx.Err() == nil; {
		got := make(chan broker.Message, 10)
		l := dial(t, broker.LinkOptions{URL: url, Subscriptions: listenTo(name, got)})
		moment, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		select {
		case m := <-got:
			return m
		case <-moment.Done():
			l.Close(nil)
		}
	}
	t.Fatalf("no message is retained on %s", name)
	panic("unreachable")
}

func TestTheWillSaysOfflineAndCloseSaysItsLastWord(t *testing.T) {
	urls(t, func(t *testing.T, url string) {
		got := make(chan broker.Message, 10)
		dial(t, broker.LinkOptions{URL: url, Subscriptions: listenTo(topics.NameHealth, got)})

		proxy := newCut(t, url)
		dial(t, broker.LinkOptions{URL: proxy.url, Will: []byte("dead")})
		proxy.cut()
		if m := next(t, "will", got); string(m.Payload) != "dead" {
			t.Errorf("will: got %q", m.Payload)
		}
		closing := dial(t, broker.LinkOptions{URL: url, Will: []byte("dead")})
		closing.Close([]byte("bye"))
		if m := next(t, "last word", got); string(m.Payload) != "bye" {
			t.Errorf("close: got %q", m.Payload)
		}
	})
}

func TestStopHasItsOwnLink(t *testing.T) {
	urls(t, func(t *testing.T, url string) {
		stopped, blocked := make(chan string, 1), make(chan struct{})
		defer close(blocked)
		dial(t, broker.LinkOptions{URL: url, Subscriptions: []broker.Subscription{
			{Name: topics.NameInstruction, QoS: 1, Handle: func(broker.Message) { <-blocked }}}})
		stop, err := broker.StopLink(deadline(t), broker.LinkOptions{URL: url, Robot: robotName}, func(reason string) { stopped <- reason })
		if err != nil {
			t.Fatal(err)
		}
		defer stop.Close(nil)
		out := dial(t, broker.LinkOptions{URL: url})
		for range 50 {
			out.Publish(topics.NameInstruction, 1, false, []byte("x"))
		}
		send(t, out, topics.NameStop, false, "by\x00hand")
		if reason := next(t, "stop", stopped); reason != "stop message: by hand" {
			t.Errorf("reason %q", reason)
		}
	})
}

func TestAfterTheBrokerDiedNothingOldIsReplayed(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { testBrokerDies(t, embedded) })
	t.Run("mosquitto", func(t *testing.T) { testBrokerDies(t, mosquitto) })
}

func testBrokerDies(t *testing.T, start func(t *testing.T, port int) (kill func())) {
	port := freePort(t)
	url := fmt.Sprint("tcp://127.0.0.1:", port)
	kill := start(t, port)
	got, ups, downs := make(chan broker.Message, 10), make(chan struct{}, 10), make(chan error, 10)
	l := dial(t, broker.LinkOptions{URL: url, Subscriptions: listenTo(topics.NameInstruction, got),
		OnUp: func() { ups <- struct{}{} }, OnDown: func(err error) { downs <- err }})
	next(t, "first connection", ups)
	kill()
	if err := next(t, "loss", downs); !strings.Contains(err.Error(), url) {
		t.Errorf("the error does not say where: %v", err)
	}
	l.Publish(topics.NameState, 1, false, []byte("old"))
	if l.Dropped() != 1 || l.Up() {
		t.Errorf("dropped %d, up %v; want 1, false: a message of the time without a broker is out of date", l.Dropped(), l.Up())
	}
	if err := l.Send(deadline(t), topics.NameState, false, []byte("old")); err == nil {
		t.Error("Send succeeded without a broker")
	}
	start(t, port)
	states := make(chan broker.Message, 10)
	out := dial(t, broker.LinkOptions{URL: url, Subscriptions: listenTo(topics.NameState, states)})
	next(t, "reconnection", ups)
	send(t, out, topics.NameInstruction, false, "new")
	if m := next(t, "instruction", got); string(m.Payload) != "new" {
		t.Errorf("got %q, want the new one only", m.Payload)
	}
	send(t, l, topics.NameState, false, "fresh")
	if m := next(t, "state", states); string(m.Payload) != "fresh" {
		t.Errorf("got %q, want what was sent after the reconnection", m.Payload)
	}
}

// TestWhatWasUnderWayIsNotSentAgain publishes to a broker that takes the
// message and never says so, and looks at what comes on the next connection.
func TestWhatWasUnderWayIsNotSentAgain(t *testing.T) {
	s := newScripted(t)
	ups := make(chan struct{}, 10)
	l := dial(t, broker.LinkOptions{URL: s.url, OnUp: func() { ups <- struct{}{} }})
	next(t, "first connection", ups)
	l.Publish(topics.NamePlan, 1, true, []byte("old"))
	if got := next(t, "message", s.published); got != "old" {
		t.Fatalf("got %q", got)
	}
	s.hangUp()
	next(t, "reconnection", ups)
	l.Publish(topics.NamePlan, 1, true, []byte("new"))
	if got := next(t, "message", s.published); got != "new" {
		t.Errorf("after the reconnection came %q, want the new message alone", got)
	}
}

func TestARefusedSubscription(t *testing.T) {
	s := newScripted(t)
	o := broker.LinkOptions{URL: s.url, Robot: robotName, Username: "me", Subscriptions: listenTo(topics.NameStop, nil)}
	s.refuse.Store(1)
	if _, err := broker.Dial(deadline(t), o); err == nil || !strings.Contains(err.Error(), "kuai/v1/so101/stop") || !strings.Contains(err.Error(), s.url) {
		t.Errorf("error %v, want the topic and the broker", err)
	}

	// Later the link is not up until the subscription is in place.
	ups, downs := make(chan struct{}, 10), make(chan error, 10)
	o.OnUp, o.OnDown = func() { ups <- struct{}{} }, func(err error) { downs <- err }
	l := dial(t, o)
	next(t, "first connection", ups)
	s.refuse.Store(1)
	s.hangUp()
	next(t, "loss", downs)
	next(t, "second try to subscribe", ups)
	if left := s.refuse.Load(); left >= 0 || !l.Up() {
		t.Errorf("%d refusals are left and up is %v: the link came up without its subscription", left+1, l.Up())
	}
}

func TestTwoOnOnePort(t *testing.T) {
	first := startServer(t, broker.ServerOptions{})
	_, address, _ := strings.Cut(first.URL(), "://")
	_, err := broker.StartServer(broker.ServerOptions{Listen: address, Robot: robotName})
	if err == nil || !strings.Contains(err.Error(), "is taken") || !strings.Contains(err.Error(), "broker.listen") {
		t.Errorf("error %v, want one that says the port is taken and what to do", err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	url := fmt.Sprint("tcp://127.0.0.1:", freePort(t))
	_, err := broker.Dial(deadline(t), broker.LinkOptions{URL: url, Robot: robotName})
	if err == nil || !strings.Contains(err.Error(), url) || !strings.Contains(err.Error(), "kuai doctor") {
		t.Errorf("error %v", err)
	}
}
