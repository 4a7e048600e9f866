package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/smalldisk"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// childConfig names the configuration of the daemon that this test binary is
// when it runs as the child of an emergency.
const childConfig = "KUAI_TEST_CHILD"

// TestChildDaemon is no test but the program whose end the tests below watch.
func TestChildDaemon(t *testing.T) {
	path := os.Getenv(childConfig)
	if path == "" {
		t.Skip("runs as a child of other tests")
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := signal.NotifyContext(t.Context(), syscall.SIGTERM)
	defer cancel()
	d, err := New(Options{Config: &c})
	if err != nil {
		t.Fatal(err)
	}
	greedy := make(chan os.Signal, 1)
	signal.Notify(greedy, outOfMemory)
	go func() {
		<-greedy
		t.Error(exhaust())
	}()
	if err := errors.Join(d.Run(ctx), d.Close()); err != nil {
		t.Fatal(err)
	}
}

// outOfMemory makes the child run out of memory.
const outOfMemory = syscall.SIGUSR1

// exhaust allocates until the system gives no more, which it does soon.
func exhaust() error {
	none := syscall.Rlimit{}
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &none); err != nil {
		return err
	}
	none.Cur = 1 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &none); err != nil {
		return err
	}
	var hoard [][]byte
	for range 10_000 {
		hoard = append(hoard, make([]byte, 64<<20))
	}
	return fmt.Errorf("there was room for %d blocks", len(hoard))
}

// elsewhere is a daemon in another process, on a broker of this one.
type elsewhere struct {
	t       *testing.T
	config  *config.Config
	command *exec.Cmd
	output  bytes.Buffer
	hand    *broker.Link
	clock   robot.Clock
	heard   *heard
	health  chan topics.Health

	mu    sync.Mutex
	notes []string // what a test that fails shows
}

func (e *elsewhere) note(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.notes = append(e.notes, fmt.Sprintf("%8.3f s  ", e.clock.Now().Seconds())+fmt.Sprintf(format, args...))
}

// startElsewhere runs the daemon of a with a broker that listens on host. The
// words of prefix come before its command line.
func startElsewhere(t *testing.T, a *servoArm, host string, prefix ...string) *elsewhere {
	t.Helper()
	access, err := broker.NewAccess([]broker.User{{Name: "robot", Password: "secret", Role: broker.Configure}})
	if err != nil {
		t.Fatal(err)
	}
	e := &elsewhere{t: t, config: a.config(), clock: robot.NewSystemClock(), heard: listenTo(t), health: make(chan topics.Health, 100)}
	server, err := broker.StartServer(broker.ServerOptions{
		Listen: host + ":0", Robot: "servo-arm", Access: access, OnError: func(err error) { e.note("broker: %v", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	e.config.Safety.Teleop = config.Default().Safety.Teleop
	e.config.Broker.URL, e.config.Broker.Username, e.config.Broker.Password = server.URL(), "robot", "secret"
	path := filepath.Join(a.folder, "robot.yaml")
	var text bytes.Buffer
	if err := e.config.Write(&text); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	username, password, _ := server.Login()
	o := broker.LinkOptions{URL: server.URL(), Username: username, Password: password, Robot: "servo-arm", Role: "hand"}
	o.OnUp, o.OnDown = func() { e.note("the hand's link is up") }, func(err error) { e.note("the hand's link is down: %v", err) }
	table := topics.Table()
	// As an operator would: what must not be lost at QoS 1.
	for name, qos := range map[string]byte{topics.NameEvent: 1, topics.NameState: 0, topics.NameHealth: 1} {
		o.Subscriptions = append(o.Subscriptions, broker.Subscription{Name: name, QoS: qos, Handle: func(m broker.Message) { e.take(table, m) }})
	}
	if e.hand, err = broker.Dial(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.hand.Close(nil) })
	words := append(slices.Clone(prefix), os.Args[0], "-test.run=^TestChildDaemon$")
	e.command = exec.Command(words[0], words[1:]...)
	e.command.Env = append(os.Environ(), childConfig+"="+path)
	e.command.Stdout, e.command.Stderr = &e.output, &e.output
	if err := e.command.Start(); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *elsewhere) take(table []topics.Topic, m broker.Message) {
	if m.Name == topics.NameHealth {
		var h topics.Health
		if topics.Unmarshal(m.Payload, &h) == nil {
			e.note("health %s, retained %v", h.Status, m.Retained)
			select {
			case e.health <- h:
			default:
			}
		}
		return
	}
	for i := range table {
		if table[i].Name == m.Name {
			e.heard.listen(&table[i], m.Payload)
		}
	}
}

// steer sends one message that turns the first joint, and waits for the next to
// be due.
func (e *elsewhere) steer() {
	e.t.Helper()
	payload, err := topics.Encode(topics.Teleop{At: e.clock.Now().Seconds(), Velocity: []float64{0.5, 0, 0, 0, 0, 0}})
	if err != nil {
		e.t.Fatal(err)
	}
	e.hand.Publish(topics.NameTeleop, 0, false, payload)
	e.pause(20 * time.Millisecond)
}

func (e *elsewhere) pause(d time.Duration) {
	e.t.Helper()
	if err := e.clock.Wait(e.t.Context(), e.clock.Now().Add(d)); err != nil {
		e.t.Fatal(err)
	}
}

// moving steers the first joint until its shaft is well under way.
func (e *elsewhere) moving(a *servoArm) {
	e.t.Helper()
	was := a.pan()
	for end := e.clock.Now().Add(30 * time.Second); a.pan()-was < 60; {
		if e.steer(); e.clock.Now() > end {
			e.t.Fatal("the robot does not move")
		}
	}
}

// offline waits for the health that says that the robot is gone.
func (e *elsewhere) offline() topics.Health {
	e.t.Helper()
	for {
		select {
		case h := <-e.health:
			if h.Status == topics.Offline {
				return h
			}
		case <-time.After(30 * time.Second):
			e.mu.Lock()
			defer e.mu.Unlock()
			e.t.Fatalf("at %.3f s nobody said that the robot is offline:\n%s", e.clock.Now().Seconds(), strings.Join(e.notes, "\n"))
		}
	}
}

// stands fails if the shaft moves any more.
func (e *elsewhere) stands(a *servoArm) {
	e.t.Helper()
	e.pause(50 * time.Millisecond) // the goal that was on its way is reached
	stood := a.pan()
	e.pause(500 * time.Millisecond)
	if a.pan() != stood {
		e.t.Errorf("the shaft went on from %d to %d", stood, a.pan())
	}
}

// A servo bus has no watchdog: the servos hold the last goal, which is at most a
// tick of motion away, and do so for ever.
func TestKilledInMotion(t *testing.T) {
	for name, cause := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "out of memory": outOfMemory} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			a := newServoArm(t)
			e := startElsewhere(t, a, "127.0.0.1")
			e.moving(a)
			e.note("%s", name)
			if err := e.command.Process.Signal(cause); err != nil {
				t.Fatal(err)
			}
			err := e.command.Wait()
			// The race detector's runtime runs out of addresses first, and says so
			// in other words.
			starved := strings.Contains(e.output.String(), "out of memory") || strings.Contains(e.output.String(), "address space collisions")
			if err == nil || cause == outOfMemory && !starved {
				t.Errorf("the child ended with %v:\n%s", err, e.output.String())
			}
			e.comesUpStopped(t, a)
		})
	}
}

// comesUpStopped fails unless the robot whose daemon is gone stands, and the
// next daemon leaves it so until a reset.
func (e *elsewhere) comesUpStopped(t *testing.T, a *servoArm) {
	t.Helper()
	e.stands(a)
	if !a.torque(1) {
		t.Error("the servos let go; the documentation says that they hold")
	}
	if h := e.offline(); strings.Join(h.Reasons, " ") != "the connection broke" {
		t.Errorf("the last will says %q", h.Reasons)
	}
	// The next program does not take up where that one was.
	stood := a.pan()
	r, h := startServos(t, e.config, nil)
	defer r.end(t)
	r.mustReach(t, safety.Stopped)
	if ev := h.event("stopped", func(e topics.Event) bool { return e.Kind == topics.EventStopped }); !strings.Contains(ev.Reason, "did not end by itself") {
		t.Errorf("the event says %q", ev.Reason)
	}
	r.steer(t, 0.5, 300*time.Millisecond)
	if moved := a.pan() - stood; moved < -2 || moved > 2 {
		t.Errorf("it came up moving: %d counts", moved)
	}
	if a.torque(1) {
		t.Error("it came up with torque; the documentation says limp")
	}
	r.reset(t)
	r.mustReach(t, safety.Held)
	r.steer(t, 0.5, 600*time.Millisecond)
	if moved := a.pan() - stood; moved < 20 {
		t.Errorf("after the reset the shaft moved by %d counts", moved)
	}
}

func TestTerminatedInMotion(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	a := newServoArm(t)
	e := startElsewhere(t, a, "127.0.0.1")
	e.moving(a)
	if err := e.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := e.command.Wait(); err != nil {
		t.Errorf("the child ended with %v:\n%s", err, e.output.String())
	}
	e.stands(a)
	if a.torque(1) {
		t.Error("the servos hold after the bus was closed")
	}
	e.heard.event("stopped", func(e topics.Event) bool { return e.Kind == topics.EventStopped && e.Reason == "kuai was shut down" })
	if h := e.offline(); strings.Join(h.Reasons, " ") != "kuai was shut down" {
		t.Errorf("health says %q", h.Reasons)
	}
	r, _ := startServos(t, e.config, nil)
	defer r.end(t)
	r.mustReach(t, safety.Held)
}

// breaking is a driver that panics once when told.
type breaking struct {
	control.Driver
	now atomic.Bool
}

func (b *breaking) Write(c *robot.Command) error {
	if b.now.Swap(false) {
		panic("a bug in the driver")
	}
	return b.Driver.Write(c)
}

// deafen makes whoever says the topic called name next panic.
func (r *rig) deafen(name string) {
	var armed atomic.Bool // what is retained is told at once, on this goroutine
	r.daemon.out.listen(func(topic *topics.Topic, _ []byte) {
		if topic.Name == name && armed.Swap(false) {
			panic("a bug in a listener")
		}
	})
	armed.Store(true)
}

func TestPanicInAnyStageStopsTheRobot(t *testing.T) {
	for name, cause := range map[string]func(*rig, *breaking){
		"control loop: panic: a bug in the driver": func(_ *rig, b *breaking) { b.now.Store(true) },
		"state: panic: a bug in a listener":        func(r *rig, _ *breaking) { r.deafen(topics.NameState) },
		"health: panic: a bug in a listener":       func(r *rig, _ *breaking) { r.deafen(topics.NameHealth) },
		"stop: panic: a bug in a listener": func(r *rig, _ *breaking) {
			r.deafen(topics.NameEvent)
			r.daemon.Stop("a test")
		},
		"worker: panic: a bug in a skill": func(r *rig, _ *breaking) {
			r.daemon.worker.submit(job{id: "1", topic: topics.NameSkill, refuse: func(string) {}, run: func(context.Context) { panic("a bug in a skill") }})
		},
	} {
		t.Run(strings.SplitN(name, ":", 2)[0], func(t *testing.T) {
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			a := newServoArm(t)
			r, h := startServos(t, a.config(), nil)
			r.mustReach(t, safety.Held)
			b := &breaking{Driver: r.probe.Driver}
			// The loop's goroutine alone uses the driver, so it must swap it.
			swap := func(*robot.Command) { r.probe.Driver = b }
			r.probe.watch(swap)
			r.steer(t, 0.5, 300*time.Millisecond)
			cause(r, b)
			err := <-r.ended
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("Run gave %v, want %q", err, name)
			}
			if s := r.daemon.loop.Status(); s.Verdict.Mode != safety.Stopped {
				t.Errorf("it is %v", s.Verdict.Mode)
			}
			h.event("stopped", func(e topics.Event) bool { return e.Kind == topics.EventStopped && strings.Contains(e.Reason, name) })
			r.cancel()
			if err := r.daemon.Close(); err != nil {
				t.Error(err)
			}
			again, _ := startServos(t, a.config(), nil)
			defer again.end(t)
			again.mustReach(t, safety.Stopped)
		})
	}
}

// skewed is the machine's clock, which jumps when told.
type skewed struct {
	*robot.SystemClock
	ahead atomic.Int64
}

func (c *skewed) Now() robot.Time { return c.SystemClock.Now().Add(time.Duration(c.ahead.Load())) }

// Wait looks again now and then, for the clock may jump meanwhile.
func (c *skewed) Wait(ctx context.Context, t robot.Time) error {
	for c.Now() < t {
		step := min(t.Sub(c.Now()), 5*time.Millisecond)
		if err := c.SystemClock.Wait(ctx, c.SystemClock.Now().Add(step)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// A machine that slept, or a clock that was set by an hour: what was asked for
// before is no longer wanted, and no joint makes up for the time.
func TestClockJump(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	a := newServoArm(t)
	clock := &skewed{SystemClock: robot.NewSystemClock()}
	r, h := startServos(t, a.config(), clock)
	defer r.end(t)
	r.mustReach(t, safety.Held)
	r.steer(t, 0.5, 600*time.Millisecond)
	var last, furthest atomic.Int64 // of two commands in a row, counts
	last.Store(math.MinInt64)
	r.probe.watch(func(c *robot.Command) {
		at := int64(c.Position[0] * 4096 / (2 * math.Pi))
		if before := last.Swap(at); before != math.MinInt64 {
			furthest.Store(max(furthest.Load(), at-before, before-at))
		}
	})
	clock.ahead.Store(int64(time.Hour))
	r.pause(t, 300*time.Millisecond)
	if s := r.daemon.loop.Status(); s.Verdict.Mode == safety.Moving || s.Command.Velocity != (robot.Joints{}) {
		t.Errorf("it is %v with %v", s.Verdict.Mode, s.Command.Velocity[0])
	}
	if furthest.Load() > 20 {
		t.Errorf("the command jumped by %d counts", furthest.Load())
	}
	r.probe.watch(nil)
	// The sender's clock may be set back as well.
	r.daemon.message(broker.Message{Name: topics.NameTeleop, Payload: []byte(`{"at":5000,"velocity":[0.5,0,0,0,0,0]}`)})
	r.daemon.message(broker.Message{Name: topics.NameTeleop, Payload: []byte(`{"at":10,"velocity":[0.5,0,0,0,0,0]}`)})
	h.event("refused", func(e topics.Event) bool {
		return e.Kind == topics.EventRefused && strings.Contains(e.Reason, "at does not grow")
	})
}

// A disk that is full costs the recording and nothing else.
func TestFullDisk(t *testing.T) {
	small, ok := smalldisk.Mount(t, "256k")
	if !ok {
		return
	}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	a := newServoArm(t)
	c := a.config()
	c.Record.On, c.Record.Folder = true, filepath.Join(small, "recordings")
	r, h := startServos(t, c, nil)
	defer r.end(t)
	r.mustReach(t, safety.Held)
	smalldisk.Fill(t, filepath.Join(small, "filler"))
	warned := make(chan topics.Event, 1)
	go func() {
		warned <- h.event("recording fails", func(e topics.Event) bool {
			return e.Kind == topics.EventWarning && strings.Contains(e.Reason, "is the disk full?")
		})
	}()
	was := a.pan()
	for len(warned) == 0 {
		r.steer(t, 0.2, 100*time.Millisecond)
	}
	if moved := a.pan() - was; moved < 5 {
		t.Errorf("the shaft moved by %d counts", moved)
	}
	r.daemon.message(broker.Message{Name: topics.NameStop})
	r.mustReach(t, safety.Stopped)
	// Nor can a mark be made: the next start on such a disk is a stopped one.
	t.Setenv("XDG_STATE_HOME", small)
	if err := syscall.Mount("tmpfs", small, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err == nil {
		if m, err := newRunMark("arm"); err == nil || !m.unclean {
			t.Errorf("mark %+v, %v", m, err)
		}
	}
}
