package daemon

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// startDevices runs a robot whose joints are devices on a broker that it reaches
// by the wire; the devices stand beside the broker.
func startDevices(t *testing.T) (*rig, *devices, *wire) {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	server, err := broker.StartServer(broker.ServerOptions{Listen: "127.0.0.1:0", Robot: "six-devices"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	w := newWire(t, strings.TrimPrefix(server.URL(), "tcp://"))
	c := config.Default()
	c.Robot.Name, c.Robot.Driver, c.Runner, c.Affordance, c.Cameras = "six-devices", config.DriverMQTT, config.None, config.None, nil
	c.Sim.Demo, c.Broker.URL, c.Web.Listen = "", "tcp://"+w.proxy.Listen, ""
	tolerant(&c) // of a busy machine, but for what is measured
	c.Safety.MaxStateAge = 300 * time.Millisecond
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
	v := &devices{clock: d.clock, positions: map[string]float64{}}
	username, password, _ := server.Login()
	v.link, err = broker.Dial(ctx, broker.LinkOptions{URL: server.URL(), Username: username, Password: password, Robot: c.Robot.Name, Role: "devices",
		Subscriptions: []broker.Subscription{{Name: topics.NameActuatorCommand, Handle: v.command}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.link.Close(nil) })
	home := d.description.Home()
	for i := range d.description.Joints {
		v.positions[d.description.Joints[i].Name] = home[i]
		v.describe(t, &d.description.Joints[i])
	}
	return r, v, w
}

// The network between the robot and its joints swallows everything and tells
// nobody: that no state comes is what stops the robot, whatever its skill wants,
// long before the link is known to be dead.
func TestJointsBehindAHalfOpenNetworkAreAFault(t *testing.T) {
	r, v, w := startDevices(t)
	loop, clock := r.daemon.loop, r.daemon.clock
	rate := 0.2
	beat := func() {
		v.report(t)
		now := clock.Now()
		from := loop.Status().Command.Position
		to := from
		to[0] += rate
		loop.Submit(robot.Chunk{Source: robot.SourceSkill, ObservedAt: now, Start: now, Step: time.Second, Actions: []robot.Joints{from, to}, Expires: now.Add(time.Second)})
		r.pause(t, 10*time.Millisecond)
	}
	until := func(what string, done func(safety.Mode) bool) {
		t.Helper()
		for end := clock.Now().Add(20 * time.Second); !done(loop.Status().Verdict.Mode); {
			if beat(); clock.Now() > end {
				s := loop.Status()
				t.Fatalf("%s: it is %v, %s", what, s.Verdict.Mode, loop.Reason(&s))
			}
		}
	}
	until("a skill moves the joints", func(m safety.Mode) bool {
		if m == safety.Fault || m == safety.Stopped {
			_ = loop.Reset() // before the first reports the state was stale
		}
		return m == safety.Moving && loop.Status().Command.Velocity[0] > 0.05
	})
	began := clock.Now()
	w.fault("timeout", map[string]int{"timeout": 0})
	until("the network is half-open", func(m safety.Mode) bool { return m == safety.Fault })
	took := clock.Now().Sub(began)
	t.Logf("fault after %v", took.Round(time.Millisecond))
	s := loop.Status()
	if s.Command.Velocity != (robot.Joints{}) || s.Verdict.Code != safety.StateStale {
		t.Errorf("%v, it goes at %v", s.Verdict.Code, s.Command.Velocity)
	}
	// A busy machine is late.
	if limit := r.daemon.config.Safety.MaxStateAge + 500*time.Millisecond; took > limit {
		t.Errorf("fault after %v, want %v at most", took, limit)
	}
	// What comes back does not move it: the fault lasts until a reset.
	w.mend()
	for end := clock.Now().Add(500 * time.Millisecond); clock.Now() < end; {
		beat()
	}
	if m := loop.Status().Verdict.Mode; m != safety.Fault {
		t.Errorf("after the network came back it is %v", m)
	}
}
