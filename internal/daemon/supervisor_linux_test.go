package daemon

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/robot"
)

func TestSupervisorOf(t *testing.T) {
	self := strconv.Itoa(os.Getpid())
	for _, c := range []struct {
		socket, micros, pid string
		want                Supervisor
		wrong               bool
	}{
		{},
		{micros: "1000000"},
		{socket: "/run/s", want: Supervisor{Socket: "/run/s"}},
		{socket: "@s", micros: "2000000", want: Supervisor{"@s", 2 * time.Second}},
		{socket: "@s", micros: "2000000", pid: self, want: Supervisor{"@s", 2 * time.Second}},
		{socket: "@s", micros: "2000000", pid: "1", want: Supervisor{Socket: "@s"}},
		{socket: "@s", micros: "-1", wrong: true},
		{socket: "@s", micros: "soon", wrong: true},
		{socket: "@s", micros: "99999999999999999999", wrong: true},
	} {
		env := map[string]string{"NOTIFY_SOCKET": c.socket, "WATCHDOG_USEC": c.micros, "WATCHDOG_PID": c.pid}
		got, err := SupervisorOf(func(key string) string { return env[key] })
		if (err != nil) != c.wrong || err == nil && got != c.want {
			t.Errorf("%v: %+v, %v", env, got, err)
		}
	}
}

// manager is the side of a service manager: it hears what the daemon says.
type manager struct {
	socket string
	heard  chan string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	m := &manager{socket: filepath.Join(t.TempDir(), "notify"), heard: make(chan string, 1000)}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		for buffer := make([]byte, 4096); ; {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			for _, line := range strings.Split(string(buffer[:n]), "\n") {
				m.heard <- line
			}
		}
	}()
	return m
}

// next waits for a line that begins like this.
func (m *manager) next(t *testing.T, prefix string) string {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case line := <-m.heard:
			if strings.HasPrefix(line, prefix) {
				return line
			}
		case <-limit:
			t.Fatalf("no %s came", prefix)
		}
	}
}

// quiet gives the lines that came until none does for d.
func (m *manager) quiet(t *testing.T, d time.Duration) (lines []string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case line := <-m.heard:
			lines = append(lines, line)
		case <-time.After(d):
			return lines
		case <-limit:
			t.Fatalf("it does not fall silent: %q", lines)
		}
	}
}

// hanging is a driver that, once told, blocks until it is let go.
type hanging struct {
	control.Driver
	now, letGo chan struct{}
}

func (h *hanging) Write(c *robot.Command) error {
	select {
	case <-h.now:
		<-h.letGo
	default:
	}
	return h.Driver.Write(c)
}

func TestSupervisorHearsOfTheLoop(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	m := newManager(t)
	a := newServoArm(t)
	h := &hanging{now: make(chan struct{}), letGo: make(chan struct{})}
	const watchdog = 400 * time.Millisecond
	r, _ := startServosWith(t, Options{Config: a.config(), Supervisor: Supervisor{Socket: m.socket, Watchdog: watchdog}}, func(d control.Driver) control.Driver {
		h.Driver = d
		return h
	})
	m.next(t, "READY=1")
	if line := m.next(t, "STATUS=held"); !strings.Contains(line, "online") {
		t.Errorf("the manager shows %q", line)
	}
	m.next(t, "WATCHDOG=1")
	r.daemon.Stop("a test")
	m.next(t, "STATUS=stopped")

	// A loop that hangs is not alive, however well the rest is.
	close(h.now)
	m.quiet(t, 2*watchdog)
	close(h.letGo)
	m.next(t, "WATCHDOG=1")
	r.end(t)
	m.next(t, "STOPPING=1")
}

func TestSupervisorThatIsNotThere(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	a := newServoArm(t)
	_, err := New(Options{Config: a.config(), Supervisor: Supervisor{Socket: filepath.Join(a.folder, "nobody")}})
	if err == nil || !strings.Contains(err.Error(), "NOTIFY_SOCKET") {
		t.Errorf("New gave %v", err)
	}
}
