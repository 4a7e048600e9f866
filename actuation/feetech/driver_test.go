package feetech_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/feetech"
	"github.com/kuai-robot/kuai/actuation/feetech/emulator"
	"github.com/kuai-robot/kuai/robot"
)

// config has servos 1 to 6 for the joints of drivertest.Arm, two of them turned
// around, one with another zero.
func config() feetech.Config {
	c := feetech.Config{Port: "test"}
	for i, j := range drivertest.Arm().Joints {
		c.Servos = append(c.Servos, feetech.Servo{Joint: j.Name, ID: byte(i + 1), Zero: 2048, Reverse: i == 1 || i == 4})
	}
	c.Servos[5].Zero = 1500
	return c
}

// rig is a driver with its emulated bus.
type rig struct {
	desc   *robot.Description
	config feetech.Config
	bus    *emulator.Bus
	clock  *robot.ManualClock
	driver *feetech.Driver
	dials  int
	refuse bool
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{desc: drivertest.Arm(), config: config(), clock: robot.NewManualClock(time.Unix(0, 0), robot.Time(time.Second))}
	r.bus = emulator.New(1, 2, 3, 4, 5, 6)
	for i, s := range r.config.Servos {
		r.bus.Turn(s.ID, float64(s.Zero-2048)+counts(s, r.desc.Joints[i].Home))
	}
	driver, err := feetech.New(r.desc, r.clock, r.config, func() (feetech.Port, error) {
		if r.dials++; r.refuse {
			return nil, errors.New("no such device")
		}
		return r.bus.Port(), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r.driver = driver
	return r
}

func counts(s feetech.Servo, q float64) float64 {
	if s.Reverse {
		q = -q
	}
	return q * feetech.Counts / (2 * math.Pi)
}

func (r *rig) advance(d time.Duration) {
	r.bus.Advance(d)
	r.clock.Advance(d)
}

func (r *rig) position() robot.Joints {
	var q robot.Joints
	for i, s := range r.config.Servos {
		q[i] = float64(r.bus.Word(s.ID, feetech.RegPosition)-s.Zero) * 2 * math.Pi / feetech.Counts
		if s.Reverse {
			q[i] = -q[i]
		}
	}
	return q
}

func (r *rig) torque() bool { return r.bus.Byte(3, feetech.RegTorque) == 1 }

// read lets a tick pass and reads.
func (r *rig) read() (robot.State, error) {
	r.advance(10 * time.Millisecond)
	return r.driver.Read()
}

// tick reads and commands q, which must work.
func (r *rig) tick(t *testing.T, q robot.Joints) robot.State {
	t.Helper()
	s, err := r.read()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.driver.Write(&robot.Command{At: r.clock.Now(), Enable: true, Position: q}); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	drivertest.Run(t, func(t *testing.T) *drivertest.Rig {
		r := newRig(t)
		return &drivertest.Rig{
			Driver: r.driver, Description: r.desc, Clock: r.clock, Advance: r.advance,
			Position: r.position, Enabled: r.torque,
			Resolution: 0.002, Settle: 200 * time.Millisecond,
			Unplug: r.bus.Unplug, Plug: r.bus.Plug, Garble: r.bus.Garble, Slow: r.bus.Delay,
		}
	})
}

func TestNewRefuses(t *testing.T) {
	clock := robot.NewManualClock(time.Unix(0, 0), 1)
	dial := func() (feetech.Port, error) { return nil, nil }
	for want, change := range map[string]func(*robot.Description, *feetech.Config){
		`no joint "elbow" (nearest: "elbow_flex")`: func(_ *robot.Description, c *feetech.Config) { c.Servos[2].Joint = "elbow" },
		"id 2 stands there twice":                  func(_ *robot.Description, c *feetech.Config) { c.Servos[2].ID = 2 },
		"joint gripper or id 6 stands":             func(_ *robot.Description, c *feetech.Config) { c.Servos[2].Joint = "gripper" },
		"id 254 is not":                            func(_ *robot.Description, c *feetech.Config) { c.Servos[2].ID = 254 },
		"5 servos for the 6 joints":                func(_ *robot.Description, c *feetech.Config) { c.Servos = c.Servos[:5] },
		"timeout":                                  func(_ *robot.Description, c *feetech.Config) { c.Timeout = -1 },
		"(calibrate it":                            func(_ *robot.Description, c *feetech.Config) { c.Servos[2].Zero = 100 },
		"a turn has 4096":                          func(_ *robot.Description, c *feetech.Config) { c.Servos[2].PerTurn = 3 },
		"per_turn and":                             func(_ *robot.Description, c *feetech.Config) { c.Servos[2].PerTurn = math.NaN() },
		"wheels are not":                           func(d *robot.Description, _ *feetech.Config) { d.Joints[2].Kind = robot.Wheel },
	} {
		d, c := drivertest.Arm(), config()
		change(d, &c)
		if _, err := feetech.New(d, clock, c, dial); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New gave %v, want %q", err, want)
		}
	}
	if _, err := feetech.New(nil, clock, config(), dial); err == nil {
		t.Error("New took no description")
	}
}

func TestSpoiltAnswersAreAskedForAgainInTheTick(t *testing.T) {
	r := newRig(t)
	r.tick(t, r.position())
	r.bus.Spoil(2)
	s, err := r.read()
	if err != nil || s.At != r.clock.Now() {
		t.Errorf("with two spoilt answers: a state of %v at %v, %v", s.At, r.clock.Now(), err)
	}
	if c := r.driver.Report().Counters; c.Spoilt != 2 || c.Silent != 2 {
		t.Errorf("counters %+v, want 2 spoilt, 2 that did not come", c)
	}
	r.bus.Spoil(9)
	if s, err = r.read(); err != nil || s.At == r.clock.Now() {
		t.Errorf("with nine spoilt answers: a state of %v at %v, %v; want the one before", s.At, r.clock.Now(), err)
	}
	if s, err = r.read(); err != nil || s.At != r.clock.Now() {
		t.Errorf("afterwards: a state of %v at %v, %v", s.At, r.clock.Now(), err)
	}
}

func TestOneBadServoDoesNotEndTheSession(t *testing.T) {
	r := newRig(t)
	home := r.position()
	for range 3 {
		r.tick(t, home)
	}
	r.bus.Silence(3, true)
	var err error
	for n := range 10 {
		if _, err = r.read(); (err != nil) != (n >= 2) {
			t.Fatalf("tick %d: %v", n, err)
		}
		if err := r.driver.Write(&robot.Command{Enable: true, Position: home}); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(err.Error(), "joint elbow_flex, servo 3: no answer for 10 ticks") {
		t.Errorf("Read gave %v, want the joint and the servo", err)
	}
	report := r.driver.Report()
	if report.Servos[2].Answering || !report.Servos[3].Answering || report.Reopened != 1 {
		t.Errorf("report %+v", report)
	}
	if r.bus.Byte(4, feetech.RegTorque) != 1 {
		t.Error("the other servos lost their torque")
	}
	// It falls while it has no power; when it is back it stays limp until the
	// command is where it is.
	r.bus.Turn(3, -300)
	r.bus.Silence(3, false)
	r.tick(t, home)
	r.tick(t, home)
	if r.torque() {
		t.Error("the servo that fell was given torque for a command that is far away")
	}
	r.tick(t, r.position())
	if r.tick(t, r.position()); !r.torque() {
		t.Error("the servo got no torque for a command where it is")
	}
}

func TestWellbeingIsReadInTurn(t *testing.T) {
	r := newRig(t)
	r.bus.Set(4, feetech.RegTemperature, 55)
	r.bus.Set(4, feetech.RegVoltage, 60)
	var s robot.State
	for range 6 {
		s = r.tick(t, r.position())
	}
	if s.Temperature[3] != 55 || s.Temperature[0] != 31 {
		t.Errorf("temperatures %v", s.Temperature[:6])
	}
	if got := r.driver.Report().Servos[3]; got.Volts != 6 || math.Abs(got.Ampers-0.13) > 1e-9 || got.Celsius != 55 || !got.Armed || got.Joint != "wrist_flex" {
		t.Errorf("report %+v", got)
	}
}

func TestUnitsAndSigns(t *testing.T) {
	r := newRig(t)
	set := func(id, address byte, v int) {
		r.bus.Set(id, address, byte(v))
		r.bus.Set(id, address+1, byte(v>>8))
	}
	for id, sign := range []int{1: 1, 2: 0, 3: 0} {
		if id > 0 {
			set(byte(id), feetech.RegLoad, 500|sign<<10)
			set(byte(id), feetech.RegSpeed, 1000|sign<<15)
		}
	}
	s, err := r.driver.Read()
	if err != nil {
		t.Fatal(err)
	}
	// Half of 2 N·m and 1000 counts a second; servo 1 says minus, servo 2 is
	// turned around.
	rate := 2 * math.Pi / feetech.Counts
	for i, sign := range []float64{-1, -1, 1} {
		if math.Abs(s.Effort[i]-sign) > 1e-12 || math.Abs(s.Velocity[i]-sign*1000*rate) > 1e-12 {
			t.Errorf("joint %d: %g N·m at %g rad/s, want %g at %g", i, s.Effort[i], s.Velocity[i], sign, sign*1000*rate)
		}
	}
	if home := r.desc.Home(); math.Abs(s.Position[1]-home[1]) > rate || math.Abs(s.Position[5]-home[5]) > rate {
		t.Errorf("positions %v, want %v", s.Position[:6], home[:6])
	}
}

func TestPortIsOpenedAgain(t *testing.T) {
	r := newRig(t)
	if err := r.driver.Write(&robot.Command{}); err == nil || !strings.Contains(err.Error(), "not open yet") {
		t.Errorf("Write before Read gave %v", err)
	}
	r.refuse = true
	for range 100 {
		if _, err := r.read(); err == nil || !strings.Contains(err.Error(), "no such device") {
			t.Fatalf("Read gave %v", err)
		}
	}
	if r.dials > 6 {
		t.Errorf("the port was tried %d times in a second", r.dials)
	}
	if err := r.driver.Write(&robot.Command{}); err == nil || !strings.Contains(err.Error(), "no such device") {
		t.Errorf("Write gave %v", err)
	}
	r.refuse = false
	r.advance(200 * time.Millisecond)
	if _, err := r.driver.Read(); err != nil {
		t.Fatal(err)
	}
	r.tick(t, r.position())
	if r.tick(t, r.position()); !r.torque() {
		t.Error("no torque")
	}
	if err := r.driver.Close(); err != nil {
		t.Fatal(err)
	}
	if r.torque() {
		t.Error("the torque is on after Close")
	}
	if err := r.driver.Close(); err != nil {
		t.Errorf("a second Close gave %v", err)
	}
}
