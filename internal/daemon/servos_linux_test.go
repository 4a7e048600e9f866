package daemon

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/feetech"
	"github.com/kuai-robot/kuai/actuation/feetech/emulator"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// servoArm is an SO-101's servos on an emulated bus behind a device file that
// stays the same when its adapter is unplugged and plugged in again.
type servoArm struct {
	t      *testing.T
	bus    *emulator.Bus
	port   string
	unplug func() error
	folder string
	alive  sync.WaitGroup
}

// jaw is how far the gripper goes in a turn of its servo, m.
const jaw = 0.11

// newServoArm makes an arm that stands at home and lives until the test ends.
func newServoArm(t *testing.T) *servoArm {
	t.Helper()
	a := &servoArm{t: t, bus: emulator.New(1, 2, 3, 4, 5, 6), folder: t.TempDir()}
	a.port = filepath.Join(a.folder, "servo-bus")
	var calibration feetech.Calibration
	d := so101.Description()
	for i, home := range d.Home() {
		if i == len(d.Joints) {
			break
		}
		turn, zero := 2*math.Pi, 2048
		if d.Joints[i].Name == d.Gripper {
			turn, zero = jaw, 1400
		}
		calibration.Servos = append(calibration.Servos, feetech.Calibrated{Joint: d.Joints[i].Name, ID: byte(i + 1), Zero: zero})
		a.bus.Turn(byte(i+1), float64(zero-2048)+home*feetech.Counts/turn)
	}
	var out strings.Builder
	if err := calibration.Write(&out); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.calibration(), []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	a.plug()
	ctx, cancel := context.WithCancel(t.Context())
	clock := robot.NewSystemClock()
	a.alive.Go(func() {
		for at := clock.Now(); clock.Wait(ctx, at.Add(5*time.Millisecond)) == nil; {
			now := clock.Now()
			a.bus.Advance(now.Sub(at))
			at = now
		}
	})
	t.Cleanup(func() {
		cancel()
		a.alive.Wait()
		_ = a.unplug()
	})
	return a
}

func (a *servoArm) calibration() string { return filepath.Join(a.folder, "calibration.yaml") }

// plug gives the bus a new device under the old name, as udev does.
func (a *servoArm) plug() {
	a.t.Helper()
	path, unplug, err := a.bus.Serve()
	if err != nil {
		a.t.Skipf("no pseudo terminal here: %v", err)
	}
	a.unplug = unplug
	_ = os.Remove(a.port)
	if err := os.Symlink(path, a.port); err != nil {
		a.t.Fatal(err)
	}
}

// config is that of a daemon of this arm, patient with a busy machine.
func (a *servoArm) config() *config.Config {
	c := config.Default()
	c.Robot.Name, c.Robot.Driver, c.Runner, c.Affordance, c.Cameras = "servo-arm", config.DriverFeetech, config.None, config.None, nil
	f := &c.Robot.Feetech
	f.Port, f.Timeout, f.Calibration = a.port, 50*time.Millisecond, a.calibration()
	for i, j := range so101.Description().Joints {
		s := config.ServoJoint{Name: j.Name, ID: i + 1}
		if j.Name == "gripper" {
			s.PerTurn = jaw
		}
		f.Joints = append(f.Joints, s)
	}
	c.Sim.Demo, c.Broker.Listen, c.Web.Listen = "", "127.0.0.1:0", ""
	tolerant(&c)
	c.Safety.MaxStateAge = time.Second
	return &c
}

// pan is the count at which the first joint's shaft stands.
func (a *servoArm) pan() int { return a.bus.Word(1, feetech.RegPosition) }

func (a *servoArm) torque(id byte) bool { return a.bus.Byte(id, feetech.RegTorque) == 1 }

// startServos starts a daemon for c and waits for no mode.
func startServos(t *testing.T, c *config.Config, clock robot.Clock) (*rig, *heard) {
	t.Helper()
	return startServosWith(t, Options{Config: c, Clock: clock}, func(d control.Driver) control.Driver { return d })
}

// startServosWith puts what wrap makes of the driver below the probe.
func startServosWith(t *testing.T, o Options, wrap func(control.Driver) control.Driver) (*rig, *heard) {
	t.Helper()
	r, h := makeServos(t, o, wrap)
	r.run(t)
	return r, h
}

// makeServos makes the daemon, which run starts.
func makeServos(t *testing.T, o Options, wrap func(control.Driver) control.Driver) (*rig, *heard) {
	t.Helper()
	h := listenTo(t)
	r := &rig{probe: &probe{}, ended: make(chan error, 1)}
	o.wrap = func(d control.Driver) control.Driver {
		r.probe.Driver = wrap(d)
		return r.probe
	}
	var err error
	if r.daemon, err = New(o); err != nil {
		t.Fatal(err)
	}
	r.daemon.out.listen(h.listen)
	return r, h
}

func (r *rig) run(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r.cancel = cancel
	go func() { r.ended <- r.daemon.Run(ctx) }()
}

// end stops the daemon and waits for it.
func (r *rig) end(t *testing.T) {
	t.Helper()
	r.cancel()
	if err := errors.Join(<-r.ended, r.daemon.Close()); err != nil {
		t.Errorf("the daemon ended: %v", err)
	}
}

func (r *rig) mustReach(t *testing.T, mode safety.Mode) {
	t.Helper()
	if err := r.until(t.Context(), mode); err != nil {
		t.Fatal(err)
	}
}

// steer turns the first joint at rate for about d, by messages such as a broker
// brings.
func (r *rig) steer(t *testing.T, rate float64, d time.Duration) {
	t.Helper()
	clock := r.daemon.clock
	for end := clock.Now().Add(d); clock.Now() < end; {
		payload, err := topics.Encode(topics.Teleop{At: clock.Now().Seconds(), Velocity: []float64{rate, 0, 0, 0, 0, 0}})
		if err != nil {
			t.Fatal(err)
		}
		r.daemon.message(broker.Message{Name: topics.NameTeleop, Payload: payload})
		r.pause(t, 20*time.Millisecond)
	}
}

func (r *rig) pause(t *testing.T, d time.Duration) {
	t.Helper()
	if err := r.daemon.clock.Wait(t.Context(), r.daemon.clock.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
}

// reset asks until the robot may move again.
func (r *rig) reset(t *testing.T) {
	t.Helper()
	var err error
	for range 200 {
		if err = r.daemon.receive(topics.NameReset, []byte(`{"id":"r"}`)); err == nil {
			return
		}
		r.pause(t, 20*time.Millisecond)
	}
	t.Fatal(err)
}

func TestServoBusFollowsTeleopAndStops(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	a := newServoArm(t)
	r, h := startServos(t, a.config(), nil)
	defer r.end(t)
	r.mustReach(t, safety.Held)
	was := a.pan()
	r.steer(t, 0.5, 600*time.Millisecond)
	if moved := a.pan() - was; moved < 50 {
		t.Errorf("the shaft moved by %d counts", moved)
	}
	r.daemon.message(broker.Message{Name: topics.NameStop, Payload: []byte("test")})
	r.mustReach(t, safety.Stopped)
	if e := h.event("stopped", func(e topics.Event) bool { return e.Kind == topics.EventStopped }); !strings.Contains(e.Reason, "test") {
		t.Errorf("the event says %q", e.Reason)
	}
	r.pause(t, 100*time.Millisecond)
	stood := a.pan()
	r.pause(t, 200*time.Millisecond)
	if a.pan() != stood || !a.torque(1) {
		t.Errorf("stopped, it went from %d to %d, torque %v", stood, a.pan(), a.torque(1))
	}
	r.reset(t)
	r.mustReach(t, safety.Held)
	a.bus.Spoil(1)
	r.pause(t, 100*time.Millisecond)
	page := httptest.NewRecorder()
	r.daemon.metrics().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{`kuai_servo_answers_bad_total{fault="spoilt"} 1`, `kuai_servo_volts{joint="gripper"} 7.4`, "kuai_servo_bus_opened_total 1"} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("the metrics have no %s", want)
		}
	}
}

func TestReleasedJointsAreMovedByHandAndHoldWhereTheyAre(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	a := newServoArm(t)
	r, h := startServos(t, a.config(), nil)
	defer r.end(t)
	r.mustReach(t, safety.Held)
	ask := func(payload string) error { return r.daemon.receive(topics.NameRelease, []byte(payload)) }
	if err := ask(`{"id":"1","on":true}`); err != nil {
		t.Fatal(err)
	}
	h.kind("1", topics.EventSucceeded)
	r.pause(t, 100*time.Millisecond)
	if a.torque(1) {
		t.Error("the joints are not limp")
	}
	a.bus.Turn(1, 300)
	stood := a.pan()
	if err := ask(`{"id":"2","on":false}`); err != nil {
		t.Fatal(err)
	}
	r.pause(t, 300*time.Millisecond)
	if moved := a.pan() - stood; !a.torque(1) || moved < -5 || moved > 5 {
		t.Errorf("engaged: torque %v, moved by %d counts", a.torque(1), moved)
	}
	r.daemon.message(broker.Message{Name: topics.NameStop})
	r.mustReach(t, safety.Stopped)
	if err := ask(`{"id":"3","on":true}`); err == nil || !strings.Contains(err.Error(), "reset it first") {
		t.Errorf("while stopped: %v", err)
	}
	if err := ask(`{"id":"4"}`); err == nil || !strings.Contains(err.Error(), "on is missing") {
		t.Errorf("without on: %v", err)
	}
}

func TestOneServoWithoutPowerStopsTheArmAndTheSessionGoesOn(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	a := newServoArm(t)
	r, h := startServos(t, a.config(), nil)
	defer r.end(t)
	r.mustReach(t, safety.Held)
	a.bus.Silence(3, true)
	h.event("fault", func(e topics.Event) bool { return e.Kind == topics.EventFault })
	if reasons := strings.Join(r.daemon.health().Reasons, "; "); !strings.Contains(reasons, "joint elbow_flex, servo 3: no answer") {
		t.Errorf("health says %q", reasons)
	}
	if !a.torque(2) || !a.torque(4) {
		t.Error("the other servos do not hold")
	}
	a.bus.Silence(3, false)
	r.reset(t)
	r.mustReach(t, safety.Held)
	was := a.pan()
	r.steer(t, 0.5, 600*time.Millisecond)
	if moved := a.pan() - was; moved < 20 {
		t.Errorf("afterwards the shaft moved by %d counts", moved)
	}
}

func TestUnpluggedServoBusStopsAndComesBack(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	a := newServoArm(t)
	r, h := startServos(t, a.config(), nil)
	defer r.end(t)
	r.mustReach(t, safety.Held)
	r.steer(t, 0.5, 300*time.Millisecond)
	if err := a.unplug(); err != nil {
		t.Fatal(err)
	}
	r.pause(t, 100*time.Millisecond) // the goal that was on its way is reached
	stood := a.pan()
	h.event("fault", func(e topics.Event) bool { return e.Kind == topics.EventFault })
	if reasons := strings.Join(r.daemon.health().Reasons, "; "); !strings.Contains(reasons, "servo bus "+a.port) {
		t.Errorf("health says %q", reasons)
	}
	if err := r.daemon.receive(topics.NameReset, []byte(`{"id":"1"}`)); err == nil {
		t.Error("a reset was taken although there is no bus")
	}
	a.plug()
	r.pause(t, 500*time.Millisecond)
	if moved := a.pan() - stood; moved < -2 || moved > 2 {
		t.Errorf("the plug made the shaft move by %d counts", moved)
	}
	r.reset(t)
	r.mustReach(t, safety.Held)
	r.steer(t, 0.5, 600*time.Millisecond)
	if moved := a.pan() - stood; moved < 20 {
		t.Errorf("afterwards the shaft moved by %d counts", moved)
	}
}

func TestServoConfigurationIsChecked(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	a := newServoArm(t)
	for want, change := range map[string]func(*config.Config){
		"no such file":                  func(c *config.Config) { c.Robot.Feetech.Calibration += "x" },
		"(did you mean gripper?)":       func(c *config.Config) { c.Robot.Feetech.Joints[5].Name = "griper" },
		"was calibrated with servo 2":   func(c *config.Config) { c.Robot.Feetech.Joints[1].ID = 9 },
		"5 servos for the 6 joints":     func(c *config.Config) { c.Robot.Feetech.Joints = c.Robot.Feetech.Joints[:5] },
		"its range is 228073 counts, a": func(c *config.Config) { c.Robot.Feetech.Joints[5].PerTurn = jaw / 175 },
	} {
		c := a.config()
		change(c)
		if d, err := New(Options{Config: c}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New gave %v, want %q", err, want)
			if err == nil {
				_ = d.Close()
			}
		}
	}
	c := config.Default()
	d, servos, err := Servos(&c)
	if err != nil || d.Name != "so101" || len(servos) != 6 || servos[5] != (feetech.Servo{Joint: "gripper", ID: 6}) {
		t.Errorf("without joints the servos are %+v, %v", servos, err)
	}
	if entries, err := os.ReadDir(os.Getenv("XDG_STATE_HOME") + "/kuai"); err == nil && len(entries) > 0 {
		t.Errorf("a daemon that never ran left %v", entries)
	}
}
