package mqtt_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/mqtt"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// devices are the joints at the other end of a broker that loses, delays and
// garbles as it is told. They report every 10 ms.
type devices struct {
	t      *testing.T
	desc   *robot.Description
	clock  *robot.ManualClock
	driver *mqtt.Driver
	plant  *drivertest.Plant

	seen      []topics.ActuatorCommand
	published int
	seq       uint64
	down      bool
	garbled   bool
	late      []func() // what is held up on the way
	slow      bool
	refused   []error
}

func (d *devices) Publish(topic string, payload []byte) error {
	if d.down {
		return errors.New("no broker")
	}
	d.published++
	for i := range d.desc.Joints {
		if topic != "kuai/v1/arm/actuator/"+d.desc.Joints[i].Name+"/command" {
			continue
		}
		var c topics.ActuatorCommand
		if err := topics.Unmarshal(payload, &c); err != nil {
			return err
		}
		if c.Seq <= d.seen[i].Seq {
			d.t.Errorf("joint %d: command %d after %d", i, c.Seq, d.seen[i].Seq)
		}
		d.seen[i] = c
		return d.obey()
	}
	return fmt.Errorf("nobody listens on %s", topic)
}

func (d *devices) obey() error {
	c := robot.Command{At: d.clock.Now()}
	for i := range d.desc.Joints {
		c.Enable = c.Enable || d.seen[i].Enable
		c.Position[i], c.Velocity[i] = d.seen[i].Position, d.seen[i].Velocity
	}
	return d.plant.Write(&c)
}

func (d *devices) state(name string) string { return "kuai/v1/arm/actuator/" + name + "/state" }

// unix is the wall-clock time of the present instant.
func (d *devices) unix() float64 {
	return float64(d.clock.Epoch().UnixNano())/1e9 + d.clock.Now().Seconds()
}

func (d *devices) advance(dt time.Duration) {
	for ; dt > 0; dt -= 10 * time.Millisecond {
		d.clock.Advance(min(dt, 10*time.Millisecond))
		d.report()
	}
}

func (d *devices) report() {
	if d.down {
		return
	}
	s, err := d.plant.Read()
	if err != nil {
		d.t.Fatal(err)
	}
	d.seq++
	for i := range d.desc.Joints {
		payload, err := topics.Encode(topics.ActuatorState{
			Seq: d.seq, At: d.unix(), Position: s.Position[i], Velocity: s.Velocity[i], Effort: s.Effort[i], Temperature: 30,
		})
		if err != nil {
			d.t.Fatal(err)
		}
		if d.garbled {
			payload[int(d.seq)%len(payload)] ^= byte(1 + d.seq%255)
		}
		topic := d.state(d.desc.Joints[i].Name)
		send := func() {
			if err := d.driver.Receive(topic, payload); err != nil {
				d.refused = append(d.refused, err)
			}
		}
		if !d.slow {
			send()
			continue
		}
		if d.late = append(d.late, send); len(d.late) > 600 {
			d.late[0]()
			d.late = d.late[1:]
		}
	}
}

func newDevices(t *testing.T, c mqtt.Config) *devices {
	t.Helper()
	d := &devices{t: t, desc: drivertest.Arm(), clock: robot.NewManualClock(time.Unix(1_800_000_000, 0), robot.Time(time.Second))}
	d.plant = drivertest.NewPlant(d.desc, d.clock, 0)
	d.seen = make([]topics.ActuatorCommand, len(d.desc.Joints))
	driver, err := mqtt.New(d.desc, d, d.clock, c)
	if err != nil {
		t.Fatal(err)
	}
	d.driver = driver
	for i := range d.desc.Joints {
		if err := driver.Describe("kuai/v1/arm/actuator/"+d.desc.Joints[i].Name+"/description", describe(t, &d.desc.Joints[i], nil)); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// describe gives the description of a device that fits a joint, but for change.
func describe(t *testing.T, j *robot.Joint, change func(*topics.ActuatorDescription)) []byte {
	t.Helper()
	d := topics.ActuatorDescription{
		Joint: j.Name, Kind: string(j.Kind), MinPosition: j.Limits.MinPosition, MaxPosition: j.Limits.MaxPosition,
		MaxVelocity: j.Limits.MaxVelocity, RateHz: 100, TimeoutMS: 300,
	}
	if change != nil {
		change(&d)
	}
	payload, err := topics.Encode(d)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func TestContract(t *testing.T) {
	drivertest.Run(t, func(t *testing.T) *drivertest.Rig {
		d := newDevices(t, mqtt.Config{})
		return &drivertest.Rig{
			Driver: d.driver, Description: d.desc, Clock: d.clock, Advance: d.advance,
			Position: d.plant.Position, Enabled: func() bool { return d.plant.Command().Enable },
			Resolution: 1e-9, Settle: 20 * time.Millisecond,
			Unplug: func() { d.down = true }, Plug: func() { d.down = false },
			Garble: func(on bool) { d.garbled = on }, Slow: func(on bool) { d.slow = on },
		}
	})
}

func TestNewRefuses(t *testing.T) {
	clock := robot.NewManualClock(time.Unix(0, 0), 1)
	p := &devices{}
	for want, change := range map[string]func(*robot.Description, *mqtt.Config){
		"max_skew is -1ns": func(_ *robot.Description, c *mqtt.Config) { c.MaxSkew = -1 },
		"restart":          func(_ *robot.Description, c *mqtt.Config) { c.Restart = -1 },
		"keep_alive":       func(_ *robot.Description, c *mqtt.Config) { c.KeepAlive = -1 },
		"robot name":       func(d *robot.Description, _ *mqtt.Config) { d.Name = "a b" },
		`joint "a/b"`:      func(d *robot.Description, _ *mqtt.Config) { d.Joints[0].Name = "a/b" },
	} {
		d, c := drivertest.Arm(), mqtt.Config{}
		change(d, &c)
		if _, err := mqtt.New(d, p, clock, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New gave %v, want %q", err, want)
		}
	}
	if _, err := mqtt.New(nil, p, clock, mqtt.Config{}); err == nil {
		t.Error("New took no description")
	}
}

func TestReceiveRefuses(t *testing.T) {
	d := newDevices(t, mqtt.Config{})
	d.advance(10 * time.Millisecond)
	before, err := d.driver.Read()
	if err != nil {
		t.Fatal(err)
	}
	at := d.unix()
	state := func(seq uint64, at, position float64) string {
		return fmt.Sprintf(`{"seq":%d,"at":%.6f,"position":%g,"velocity":0,"effort":0,"temperature":30}`, seq, at, position)
	}
	for _, c := range []struct{ name, topic, payload, want string }{
		{"joint", "kuai/v1/arm/actuator/tail/state", state(9, at, 0), "no such joint (its joints are shoulder_pan"},
		{"robot", "kuai/v1/other/actuator/gripper/state", state(9, at, 0), "no such joint"},
		{"long topic", strings.Repeat("x", 5000), state(9, at, 0), "…"},
		{"JSON", d.state("gripper"), `{"seq":`, "broken JSON"},
		{"field", d.state("gripper"), `{"seq":9,"angle":1}`, `unknown field "angle"`},
		{"units", d.state("gripper"), state(9, at, 90000), "90000 is no number that a joint reports"},
		{"repeated", d.state("gripper"), state(1, at, 0), "number 1 has come already"},
		{"earlier", d.state("gripper"), state(9, at-0.1, 0), "before that of the one before"},
		{"late", d.state("gripper"), state(9, at-0.6, 0), "0.6 s old"},
		{"ahead", d.state("gripper"), state(9, at+0.6, 0), "0.6 s in the future"},
		{"time in ms", d.state("gripper"), state(9, at*1000, 0), "in the future"},
		{"no time", d.state("gripper"), `{"seq":9,"position":0}`, "s old"},
		{"negative number", d.state("gripper"), `{"seq":-9,"at":1,"position":0}`, "cannot hold"},
	} {
		err := d.driver.Receive(c.topic, []byte(c.payload))
		if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 400 {
			t.Errorf("%s: Receive gave %v, want %q", c.name, err, c.want)
		}
	}
	if after, err := d.driver.Read(); err != nil || after != before {
		t.Errorf("what was refused changed the state: %+v, %v", after, err)
	}
	// A little ahead is taken as now.
	d.clock.Advance(10 * time.Millisecond)
	if err := d.driver.Receive(d.state("gripper"), []byte(state(2, d.unix()+0.2, 0.7))); err != nil {
		t.Fatal(err)
	}
	if s, err := d.driver.Read(); err != nil || s.Position[5] != 0.7 || s.At != before.At {
		t.Errorf("state %+v, %v; want the gripper at 0.7 and the age of the others", s, err)
	}
}

func TestReadNamesTheSilentJoint(t *testing.T) {
	d := newDevices(t, mqtt.Config{})
	if _, err := d.driver.Read(); err == nil || !strings.Contains(err.Error(), "joint shoulder_pan has not reported yet") || !strings.Contains(err.Error(), "kuai/v1/arm/actuator/shoulder_pan/state") {
		t.Errorf("Read gave %v", err)
	}
	if got := d.driver.Subscription(); got != "kuai/v1/arm/actuator/+/state" {
		t.Errorf("Subscription = %s", got)
	}
}

func TestDeviceMayStartAgain(t *testing.T) {
	d := newDevices(t, mqtt.Config{})
	d.advance(100 * time.Millisecond)
	d.seq = 0
	d.advance(10 * time.Millisecond)
	if len(d.refused) == 0 {
		t.Fatal("a number that starts again at once was taken")
	}
	d.down = true
	d.advance(time.Second)
	d.down, d.seq, d.refused = false, 0, nil
	d.advance(10 * time.Millisecond)
	if len(d.refused) != 0 {
		t.Errorf("after 1 s of silence: %v", d.refused)
	}
}

func TestCommandsAreRepeatedOnlyForTheDeadMan(t *testing.T) {
	d := newDevices(t, mqtt.Config{})
	c := robot.Command{Enable: true, Position: d.desc.Home()}
	write := func() int {
		t.Helper()
		before := d.published
		if err := d.driver.Write(&c); err != nil {
			t.Fatal(err)
		}
		return d.published - before
	}
	if n := write(); n != 6 {
		t.Errorf("the first command is %d messages, want 6", n)
	}
	d.clock.Advance(49 * time.Millisecond)
	if n := write(); n != 0 {
		t.Errorf("the same again is %d messages, want 0", n)
	}
	c.Position[2] += 0.1
	if n := write(); n != 1 {
		t.Errorf("one joint moves: %d messages, want 1", n)
	}
	d.clock.Advance(time.Millisecond)
	if n := write(); n != 5 {
		t.Errorf("50 ms after the first: %d messages, want those of the other five", n)
	}
	c.Enable = false
	if n := write(); n != 6 {
		t.Errorf("torque off: %d messages, want 6", n)
	}
	// What was not published does not count as sent.
	d.down = true
	c.Enable = true
	if err := d.driver.Write(&c); err == nil || !strings.Contains(err.Error(), "joint gripper: no broker") {
		t.Errorf("Write gave %v, want every joint", err)
	}
	d.down = false
	if n := write(); n != 6 {
		t.Errorf("after the link is back %d messages, want 6", n)
	}
}

func TestNumbersGoOnAfterTheProgramStartsAgain(t *testing.T) {
	d := newDevices(t, mqtt.Config{})
	for i := range 100 {
		d.advance(10 * time.Millisecond)
		c := robot.Command{Position: robot.Joints{float64(i) / 1000}}
		if err := d.driver.Write(&c); err != nil {
			t.Fatal(err)
		}
	}
	again, err := mqtt.New(d.desc, d, d.clock, mqtt.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Write(&robot.Command{}); err != nil { // Publish looks at the numbers
		t.Fatal(err)
	}
}

func FuzzReceive(f *testing.F) {
	f.Add("kuai/v1/arm/actuator/gripper/state", []byte(`{"seq":7,"at":1800000001,"position":0.5,"velocity":0,"effort":0,"temperature":30}`))
	f.Add("kuai/v1/arm/actuator/gripper/state", []byte(`{"seq":18446744073709551615,"at":1e308,"position":1e999}`))
	f.Add("kuai/v1/arm/actuator//state", []byte(`{}`))
	f.Add("", []byte("\xff\xfe"))
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		d := newDevices(t, mqtt.Config{})
		d.advance(10 * time.Millisecond)
		d.clock.Advance(10 * time.Millisecond)
		if err := d.driver.Receive(topic, payload); err != nil && len(err.Error()) > 2000 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
		s, err := d.driver.Read()
		if err != nil || s.At > d.clock.Now() {
			t.Fatalf("%+v, %v", s, err)
		}
		for i := range d.desc.Joints {
			if !(math.Abs(s.Position[i]) <= 1e4 && math.Abs(s.Velocity[i]) <= 1e4 && math.Abs(s.Effort[i]) <= 1e4 && math.Abs(s.Temperature[i]) <= 1e4) {
				t.Fatalf("joint %d: %+v", i, s)
			}
		}
	})
}
