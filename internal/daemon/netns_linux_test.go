package daemon

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/topics"
)

// space is a network namespace with a cable to it, which can be pulled.
type space struct{ name, cable, host string }

func newSpace(t *testing.T) *space {
	t.Helper()
	pid := os.Getpid()
	s := &space{name: fmt.Sprintf("kuai%d", pid), cable: fmt.Sprintf("kuai%d", pid), host: "10.213.77.1"}
	if err := s.ip("netns", "add", s.name); err != nil {
		t.Skipf("no network namespace can be made here: %v", err)
	}
	t.Cleanup(func() { _ = s.ip("netns", "del", s.name) })
	for _, words := range []string{
		"link add " + s.cable + " type veth peer name far netns " + s.name,
		"addr add " + s.host + "/30 dev " + s.cable,
		"link set " + s.cable + " up",
		"-n " + s.name + " addr add 10.213.77.2/30 dev far",
		"-n " + s.name + " link set far up",
		"-n " + s.name + " link set lo up",
	} {
		if err := s.ip(strings.Fields(words)...); err != nil {
			t.Skipf("no cable to a network namespace can be made here: %v", err)
		}
	}
	return s
}

func (s *space) ip(words ...string) error {
	if out, err := exec.Command("ip", words...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(words, " "), err, out)
	}
	return nil
}

// A cable that is pulled and put back within the links' patience breaks no
// connection: TCP sends again what was said meanwhile. Set-points that come so
// late do not move the robot; a stop that does still stops it.
func TestCableIsPulledAndPutBack(t *testing.T) {
	s := newSpace(t)
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	a := newServoArm(t)
	e := startElsewhere(t, a, s.host, "ip", "netns", "exec", s.name)
	t.Cleanup(func() {
		_ = e.command.Process.Signal(syscall.SIGTERM)
		if err := e.command.Wait(); err != nil || t.Failed() {
			t.Logf("the child ended with %v:\n%s", err, e.output.String())
		}
	})
	e.moving(a)
	pulled := e.clock.Now()
	if err := s.ip("link", "set", s.cable, "down"); err != nil {
		t.Fatal(err)
	}
	last, at := a.pan(), pulled // the newest change of the shaft
	for e.clock.Now().Sub(pulled) < time.Second {
		e.steer()
		if now := a.pan(); now != last {
			last, at = now, e.clock.Now()
		}
	}
	rest := at.Sub(pulled)
	limit := e.config.Safety.Teleop.Expiry + 500*time.Millisecond
	t.Logf("the shaft stood still %v after the cable was pulled", rest.Round(time.Millisecond))
	if rest > limit {
		t.Errorf("it moved for %v, want %v at most", rest, limit)
	}
	// What was said last is then too old to move anything, however fast it comes.
	if err := e.clock.Wait(t.Context(), e.clock.Now().Add(e.config.Safety.Teleop.Expiry)); err != nil {
		t.Fatal(err)
	}
	last = a.pan()
	e.hand.Publish(topics.NameStop, 1, false, []byte("too late"))
	if err := s.ip("link", "set", s.cable, "up"); err != nil {
		t.Fatal(err)
	}
	back := e.clock.Now()
	e.heard.event("stopped", func(e topics.Event) bool {
		return e.Kind == topics.EventStopped && strings.Contains(e.Reason, "too late")
	})
	t.Logf("the stop that was held up came %v after the cable was back", e.clock.Now().Sub(back).Round(time.Millisecond))
	if moved := a.pan() - last; moved < -2 || moved > 2 {
		t.Errorf("what was said meanwhile moved the shaft by %d counts", moved)
	}
}
