package daemon

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/perception/camera"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/rtsp"
)

// bug panics when it is armed, once.
type bug struct{ armed atomic.Bool }

func (b *bug) strike() {
	if b.armed.Swap(false) {
		panic("a bug")
	}
}

// buggyClock has the bug wherever it is asked for the time.
type buggyClock struct {
	robot.Clock
	bug *bug
}

func (c buggyClock) Now() robot.Time {
	c.bug.strike()
	return c.Clock.Now()
}

// frontCamera serves a camera's pictures, until the test ends.
func frontCamera(t *testing.T) (url string) {
	t.Helper()
	clock := robot.NewSystemClock()
	server, err := rtsp.New(rtsp.Options{Listen: "127.0.0.1:0", Clock: clock, Cameras: []string{"front"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{}, 2)
	go func() {
		defer func() { ended <- struct{}{} }()
		_ = server.Run(ctx) // it ends with the test
	}()
	go func() {
		defer func() { ended <- struct{}{} }()
		f := robot.Frame{Camera: "front", Width: 16, Height: 16, Pixels: make([]byte, 16*16*3)}
		for clock.Wait(ctx, clock.Now().Add(50*time.Millisecond)) == nil {
			f.At = clock.Now()
			_ = server.Publish(&f) // as long as somebody watches
		}
	}()
	t.Cleanup(func() {
		cancel()
		server.Close()
		<-ended
		<-ended
	})
	return server.URL("front")
}

// steerPage sends what a browser sends that steers.
func (r *rig) steerPage(t *testing.T) {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(r.daemon.URL(), "http")+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	order := `{"topic":"teleop","payload":{"at":0.001,"velocity":[0.1,0,0,0,0,0]}}`
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(order)); err != nil {
		t.Fatal(err)
	}
	for err == nil { // until the page ends the connection
		_, _, err = conn.Read(t.Context())
	}
}

// overMQTT sends one message as a client of the broker.
func (r *rig) overMQTT(t *testing.T, name, payload string) {
	t.Helper()
	username, password, tls := r.daemon.links.server.Login()
	hand, err := broker.Dial(t.Context(), broker.LinkOptions{URL: r.daemon.Broker(), Username: username, Password: password, TLS: tls, Robot: r.daemon.config.Robot.Name, Role: "hand"})
	if err != nil {
		t.Fatal(err)
	}
	defer hand.Close(nil)
	if err := hand.Send(t.Context(), name, false, []byte(payload)); err != nil {
		t.Fatal(err)
	}
}

// breakage is a bug in a part of the program that works beside the control loop.
type breakage struct {
	// make puts the bug where it belongs, before the daemon runs; strike lets it
	// happen. Either may be nil.
	make, strike func(*testing.T, *rig, *bug)
	// down: the part does not come back before kuai starts again.
	down bool
}

// breakages are bugs by the part of the program that has them.
var breakages = map[string]breakage{
	"camera front": {
		make: func(t *testing.T, r *rig, b *bug) {
			// The picture's way, but for the bug in it.
			deliver := func(f robot.Frame) { b.strike(); r.daemon.frame(f) }
			front, err := camera.New(camera.Config{Name: "front", URL: frontCamera(t)}, r.daemon.clock, deliver, r.daemon.cameraReport)
			if err != nil {
				t.Fatal(err)
			}
			r.daemon.cameras = []*watched{{name: "front", camera: front}}
		},
	},
	"page": {
		make:   func(_ *testing.T, r *rig, b *bug) { r.daemon.teleop.begins = b.strike },
		strike: func(t *testing.T, r *rig, _ *bug) { r.steerPage(t) },
	},
	"topic teleop": {
		make: func(_ *testing.T, r *rig, b *bug) { r.daemon.teleop.begins = b.strike },
		strike: func(t *testing.T, r *rig, _ *bug) {
			r.overMQTT(t, topics.NameTeleop, `{"at":0.001,"velocity":[0.1,0,0,0,0,0]}`)
		},
	},
	"recording": {
		strike: func(_ *testing.T, r *rig, b *bug) {
			r.daemon.recording.recorder.JSON("bug", r.daemon.clock.Now(), func() ([]byte, error) { b.strike(); return []byte("{}"), nil })
		},
	},
	"recording, of the loop": {
		make: func(_ *testing.T, r *rig, b *bug) {
			recording := r.daemon.recording
			recording.loop = replay.NewWatcher(recording.recorder, buggyClock{r.daemon.clock, b}, recording.joints)
		},
		down: true,
	},
}

// What works beside the control loop may break: the robot stops and says why,
// and the loop goes on holding the joints.
func TestPanicBesideTheLoopStopsTheRobotAndTheLoopGoesOn(t *testing.T) {
	for name, c := range breakages {
		t.Run(name, func(t *testing.T) {
			part, _, _ := strings.Cut(name, ",")
			c.happens(t, part)
		})
	}
}

func (c *breakage) happens(t *testing.T, part string) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	a := newServoArm(t)
	o := a.config()
	o.Web.Listen, o.Record = "127.0.0.1:0", config.Record{On: true, Folder: t.TempDir(), BudgetGB: 1}
	r, h := makeServos(t, Options{Config: o}, func(d control.Driver) control.Driver { return d })
	b := &bug{}
	if c.make != nil {
		c.make(t, r, b)
	}
	r.run(t)
	r.mustReach(t, safety.Held)
	b.armed.Store(true)
	if c.strike != nil {
		c.strike(t, r, b)
	}
	h.event("stopped", func(e topics.Event) bool {
		return e.Kind == topics.EventStopped && strings.Contains(e.Reason, part+" broke: panic: ")
	})
	r.goesOn(t, a)
	if reasons := strings.Join(r.daemon.health().Reasons, "; "); !strings.Contains(reasons, part+" broke: panic: ") {
		t.Errorf("health says %q", reasons)
	}
	if text := scrape(r.daemon); !strings.Contains(text, `kuai_panics_total{part="`+part+`"} 1`) {
		t.Error("the metrics do not count it")
	}
	c.isAcknowledged(t, r, a)
}

// isAcknowledged resets the robot, which goes on, and starts it once more.
func (c *breakage) isAcknowledged(t *testing.T, r *rig, a *servoArm) {
	t.Helper()
	r.reset(t)
	r.mustReach(t, safety.Held)
	was := a.pan()
	r.steer(t, 0.5, 600*time.Millisecond)
	if moved := a.pan() - was; moved < 20 {
		t.Errorf("after the reset the shaft moved by %d counts", moved)
	}
	if reasons := strings.Join(r.daemon.broken.reasons(), "; "); (reasons != "") != c.down {
		t.Errorf("after the reset health says %q", reasons)
	}
	r.end(t)
	again, _ := startServos(t, a.config(), nil)
	defer again.end(t)
	want := safety.Held
	if c.down {
		want = safety.Stopped
	}
	again.mustReach(t, want)
}

// goesOn fails unless the loop ticks and the servos hold.
func (r *rig) goesOn(t *testing.T, a *servoArm) {
	t.Helper()
	r.mustReach(t, safety.Stopped)
	before := r.daemon.loop.Status().Ticks
	for end := r.daemon.clock.Now().Add(10 * time.Second); r.daemon.loop.Status().Ticks < before+20; r.pause(t, 10*time.Millisecond) {
		if r.daemon.clock.Now() > end {
			t.Fatal("the control loop does not go on")
		}
	}
	select {
	case err := <-r.ended:
		t.Fatalf("the daemon ended: %v", err)
	default:
	}
	if !a.torque(1) {
		t.Error("the servos let go")
	}
}

// A program that ends stopped by a bug that nobody has acknowledged is one that
// starts stopped.
func TestBrokenPartThatNobodyAcknowledged(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	a := newServoArm(t)
	r, _ := startServos(t, a.config(), nil)
	r.mustReach(t, safety.Held)
	r.daemon.broke("page", &robot.Panic{Value: "a bug"}, false)
	r.mustReach(t, safety.Stopped)
	r.end(t)
	again, _ := startServos(t, a.config(), nil)
	defer again.end(t)
	again.mustReach(t, safety.Stopped)
}

// clumsy is a watcher with a bug.
type clumsy struct{ bug }

func (c *clumsy) Ordered(*control.Order) { c.strike() }
func (c *clumsy) Ticked(*control.Tick)   { c.strike() }

// The recording watches on the control loop's own goroutine.
func TestWatcherThatPanicsIsToldNothingMore(t *testing.T) {
	for name, tell := range map[string]func(*tallied){
		"tick":  func(w *tallied) { w.Ticked(&control.Tick{}) },
		"order": func(w *tallied) { w.Ordered(&control.Order{}) },
	} {
		told := make(chan *robot.Panic, 2)
		c := &clumsy{}
		w := &tallied{tally: newTally(), next: c, broke: func(p *robot.Panic) { told <- p }}
		var tick control.Tick
		if n := testing.AllocsPerRun(100, func() { w.Ticked(&tick) }); n != 0 {
			t.Errorf("a tick allocates %g times", n)
		}
		c.armed.Store(true)
		tell(w)
		if p := <-told; p.Value != "a bug" {
			t.Errorf("%s: told of %v", name, p)
		}
		c.armed.Store(true)
		tell(w)
		if !c.armed.Load() {
			t.Errorf("%s: it was told again", name)
		}
	}
}
