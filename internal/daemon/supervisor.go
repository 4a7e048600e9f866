package daemon

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/internal/topics"
)

// Supervisor is the service manager that started this program, which wants to
// hear how it is (sd_notify(3)). The zero value is nobody.
type Supervisor struct {
	// Socket is the datagram socket that it listens on; a first @ stands for an
	// abstract one.
	Socket string
	// Watchdog is how long it waits for a sign of life before it ends the
	// program; zero: for ever.
	Watchdog time.Duration
}

// SupervisorOf reads what systemd says in the environment.
func SupervisorOf(getenv func(string) string) (Supervisor, error) {
	s := Supervisor{Socket: getenv("NOTIFY_SOCKET")}
	text := getenv("WATCHDOG_USEC")
	if s.Socket == "" || text == "" {
		return s, nil
	}
	// Inherited from a parent, the promise is the parent's.
	if pid := getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return s, nil
	}
	micros, err := strconv.ParseInt(text, 10, 64)
	if err != nil || micros <= 0 || micros > int64(time.Hour/time.Microsecond) {
		return s, fmt.Errorf("WATCHDOG_USEC is %q, want microseconds up to an hour", text)
	}
	s.Watchdog = time.Duration(micros) * time.Microsecond
	return s, nil
}

// supervised tells the supervisor about this robot.
type supervised struct {
	daemon *Daemon
	conn   *net.UnixConn
	period time.Duration
	ticks  uint64
	ready  bool
	status string
}

// Looking this often, a loop that hangs is noticed within a watchdog's time,
// and one tick that is late is not taken for it.
const (
	looksPerWatchdog = 4
	supervisedPeriod = time.Second
)

func (d *Daemon) buildSupervised(s Supervisor) (err error) {
	if s.Socket == "" {
		return nil
	}
	if d.supervised, err = newSupervised(d, s); err == nil {
		d.closers = append(d.closers, d.supervised.close)
	}
	return err
}

func newSupervised(d *Daemon, s Supervisor) (*supervised, error) {
	address := s.Socket
	if strings.HasPrefix(address, "@") {
		address = "\x00" + address[1:]
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("NOTIFY_SOCKET %s: %w (unset it to run without a service manager)", s.Socket, err)
	}
	period := supervisedPeriod
	if s.Watchdog > 0 {
		period = min(period, s.Watchdog/looksPerWatchdog)
	}
	return &supervised{daemon: d, conn: conn, period: period}, nil
}

// Run says ready once the control loop ticks, and that the program is alive for
// as long as it goes on ticking: when it hangs, nothing else here speaks for it.
func (s *supervised) Run(ctx context.Context) error {
	err := s.daemon.every(ctx, s.period, func() {
		loop := s.daemon.loop.Status()
		if loop.Ticks == s.ticks {
			return
		}
		s.ticks = loop.Ticks
		words := []string{"WATCHDOG=1"}
		if !s.ready {
			words = append(words, "READY=1")
			s.ready = true
		}
		if status := s.describe(); status != s.status {
			s.status = status
			words = append(words, "STATUS="+status)
		}
		s.tell(words...)
	})
	s.tell("STOPPING=1", "STATUS=stopping")
	return err
}

// describe is the line that systemctl status shows.
func (s *supervised) describe() string {
	h := s.daemon.health()
	text := h.Mode + ", " + string(h.Status)
	if h.Status != topics.Online {
		text += ": " + strings.Join(h.Reasons, "; ")
	}
	const longest = 200
	return clip(strings.ReplaceAll(text, "\n", " "), longest)
}

func clip(text string, longest int) string {
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "…"
}

// tell sends one message. A supervisor that is gone cannot be told anything,
// and the robot does without.
func (s *supervised) tell(words ...string) {
	if _, err := s.conn.Write([]byte(strings.Join(words, "\n"))); err != nil {
		s.daemon.log.Warn("service manager", "error", err)
	}
}

func (s *supervised) close() error { return s.conn.Close() }
