package daemon

import (
	"errors"
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
// without a simulator, a model or a camera.
func TestJointsThatAreDevicesFollowTeleopAndStop(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	c := config.Default()
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
	username, password, _ := d.links.server.Login()
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
