package daemon

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// devices are joints on a broker, each of which is where it was told to be.
type devices struct {
	link  *broker.Link
	clock robot.Clock

	mu        sync.Mutex
	positions map[string]float64
	seq       uint64
}

func (v *devices) command(m broker.Message) {
	var c topics.ActuatorCommand
	if topics.Unmarshal(m.Payload, &c) != nil || !c.Enable {
		return
	}
	joint := m.Name[len("actuator/") : len(m.Name)-len("/command")]
	v.mu.Lock()
	defer v.mu.Unlock()
	v.positions[joint] = c.Position
}

// describe says, retained, what the device of j can do.
func (v *devices) describe(t *testing.T, j *robot.Joint) {
	t.Helper()
	payload, err := topics.Encode(topics.ActuatorDescription{
		Joint: j.Name, Kind: string(j.Kind), MinPosition: j.Limits.MinPosition, MaxPosition: j.Limits.MaxPosition,
		MaxVelocity: j.Limits.MaxVelocity, MaxEffort: j.Limits.MaxEffort, RateHz: 100, TimeoutMS: 300,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.link.Send(t.Context(), "actuator/"+j.Name+"/description", true, payload); err != nil {
		t.Fatal(err)
	}
}

func (v *devices) report(t *testing.T) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seq++
	for joint, position := range v.positions {
		payload, err := topics.Encode(topics.ActuatorState{Seq: v.seq, At: unix(v.clock, v.clock.Now()), Position: position, Temperature: 25})
		if err != nil {
			t.Error(err)
			return
		}
		v.link.Publish("actuator/"+joint+"/state", 0, false, payload)
	}
}

// TestJointsThatAreDevicesFollowTeleopAndStop steers a robot of MQTT joints,
// without a simulator, a model or a camera, on kuai's broker and on another.
func TestJointsThatAreDevicesFollowTeleopAndStop(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { devicesFollow(t, "") })
	t.Run("mosquitto", func(t *testing.T) { devicesFollow(t, mosquitto(t)) })
}

// mosquitto starts a broker of another make and gives its URL.
func mosquitto(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		t.Skip("mosquitto is not installed (make test-deps)")
	}
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	command := exec.Command(path, "-p", port)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	for ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second); ctx.Err() == nil; {
		defer cancel()
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return "tcp://" + address
		}
	}
	t.Fatal("mosquitto does not answer")
	return ""
}

func devicesFollow(t *testing.T, url string) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	c := config.Default()
	c.Broker.URL = url
	c.Robot.Name, c.Robot.Driver, c.Runner, c.Affordance, c.Cameras = "six-devices", config.DriverMQTT, config.None, config.None, nil
	c.Sim.Demo, c.Broker.Listen, c.Web.Listen = "", "127.0.0.1:0", ""
	tolerant(&c)
	d, err := New(Options{Config: &c})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{daemon: d, ended: make(chan error, 1), cancel: func() {}}
	ctx := t.Context()
	go func() { r.ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		if err := errors.Join(<-r.ended, d.Close()); err != nil {
			t.Error(err)
		}
	})
	var username, password string
	if d.links.server != nil {
		username, password, _ = d.links.server.Login()
	}
	v := &devices{clock: d.clock, positions: map[string]float64{}}
	home := d.description.Home()
	for i := range d.description.Joints {
		v.positions[d.description.Joints[i].Name] = home[i]
	}
	v.link, err = broker.Dial(ctx, broker.LinkOptions{URL: d.Broker(), Username: username, Password: password, Robot: c.Robot.Name, Role: "devices",
		Subscriptions: []broker.Subscription{{Name: topics.NameActuatorCommand, Handle: v.command}}})
	if err != nil {
		t.Fatal(err)
	}
	defer v.link.Close(nil)
	beat := func() {
		v.report(t)
		if err := d.clock.Wait(ctx, d.clock.Now().Add(10*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	mode := func() safety.Mode { s := d.loop.Status(); return s.Verdict.Mode }
	// Devices that have not said what they can do are not driven, however well
	// they report.
	for range 50 {
		beat()
	}
	if s := d.loop.Status(); s.LastError == nil || !strings.Contains(s.LastError.Error(), "has not described itself") || s.Command.Enable {
		t.Errorf("undescribed joints: %v, enabled %v", s.LastError, s.Command.Enable)
	}
	for i := range d.description.Joints {
		v.describe(t, &d.description.Joints[i])
	}
	for i := 0; mode() != safety.Held; i++ {
		beat()
		if m := mode(); m == safety.Fault || m == safety.Stopped {
			_ = d.loop.Reset() // before the first reports the state was stale
		}
		if i > 1000 {
			s := d.loop.Status()
			t.Fatalf("never held: %s", d.loop.Reason(&s))
		}
	}
	pan := d.description.Joints[0].Name
	for i := range 60 {
		velocity := make([]float64, len(d.description.Joints))
		velocity[0] = 0.5
		payload, err := topics.Encode(topics.Teleop{At: 1000 + float64(i)*0.01, Velocity: velocity})
		if err != nil {
			t.Fatal(err)
		}
		v.link.Publish(topics.NameTeleop, 0, false, payload)
		beat()
	}
	v.mu.Lock()
	moved := v.positions[pan] - home[0]
	v.mu.Unlock()
	if moved < 0.05 {
		t.Errorf("the device was moved by %g rad", moved)
	}
	v.link.Publish(topics.NameStop, 1, false, nil)
	for i := 0; mode() != safety.Stopped; i++ {
		beat()
		if i > 200 {
			t.Fatal("not stopped")
		}
	}
	// The devices fall silent: the robot says that it cannot be relied on.
	if err := d.clock.Wait(ctx, d.clock.Now().Add(c.Safety.MaxStateAge+100*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if err := d.loop.Reset(); err == nil {
		t.Error("a reset was taken although no joint reports any more")
	}
}
