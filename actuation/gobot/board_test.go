package gobot_test

import (
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/gobot"
	"github.com/kuai-robot/kuai/firmware/simavr"
	"github.com/kuai-robot/kuai/robot"
)

// drive makes a driver for the arm.
func (a *arm) drive(c *gobot.Config) *gobot.Driver {
	a.t.Helper()
	d, err := gobot.New(gobot.Options{Config: c, Description: a.desc, Clock: a.clock})
	if err != nil {
		a.t.Fatal(err)
	}
	a.driver = d
	a.t.Cleanup(func() {
		if err := d.Close(); err != nil {
			a.t.Error(err)
		}
	})
	return d
}

// until ticks the driver, with a command or without one, until ok holds, which
// is given what the tick said.
func (a *arm) until(d *gobot.Driver, what string, c *robot.Command, ok func(error) bool) {
	a.t.Helper()
	var err error
	for range 500 {
		a.pass(drivertest.Period)
		if _, err = d.Read(); err == nil && c != nil {
			c.At = a.clock.Now()
			a.note(c)
			err = d.Write(c)
		}
		if ok(err) {
			return
		}
	}
	a.t.Fatalf("not within 5 s: %s; the driver says %v", what, err)
}

func well(err error) bool { return err == nil }

func says(text string) func(error) bool {
	return func(err error) bool { return err != nil && strings.Contains(err.Error(), text) }
}

// The loop falls silent: first the worker lets the servos go. With the worker
// gone as well the firmware does, 500 ms after the last byte.
func TestSilentLoopStopsTheServos(t *testing.T) {
	a := newArm(t)
	d := a.drive(servos(a.port, a.desc))
	c := &robot.Command{Enable: true, Position: a.desc.Home()}
	a.until(d, "servos run", c, func(error) bool { return a.driven() })
	a.pass(480 * time.Millisecond)
	if a.driven() {
		t.Error("the servos run 480 ms after the last command")
	}
	a.pass(200 * time.Millisecond)
	if _, err := d.Read(); err != nil {
		t.Errorf("the firmware had to stop what the worker should have: %v", err)
	}
	a.until(d, "servos run again", c, func(err error) bool { return err == nil && a.driven() })

	a.freeze(true)
	cut := a.Cycles()
	a.pass(550 * time.Millisecond)
	pulses := a.Pulses(servoPins[0])
	last := simavr.Duration(pulses[len(pulses)-1].Start - cut)
	if last > 500*time.Millisecond || last < 400*time.Millisecond {
		t.Errorf("the last pulse came %v after the host froze", last)
	}
	if _, err := d.Read(); err == nil {
		t.Error("Read gives a state of a board that does not answer")
	}
	a.freeze(false)
	a.until(d, "servos run after the host thawed", c, func(err error) bool { return err == nil && a.driven() })
}

func TestStopSwitchIsAnError(t *testing.T) {
	a := newArm(t)
	d := a.drive(servos(a.port, a.desc))
	c := &robot.Command{Enable: true, Position: a.desc.Home()}
	a.until(d, "servos run", c, func(error) bool { return a.driven() })
	a.SetPin(simavr.StopPin, true)
	a.until(d, "the stop switch is noticed", c, says("board uno: has stopped by itself: its stop switch is open"))
	a.pass(1500 * time.Millisecond)
	if _, err := d.Read(); err == nil || a.driven() {
		t.Errorf("with the switch open Read gives %v, servos %v", err, a.driven())
	}
	a.SetPin(simavr.StopPin, false)
	a.until(d, "the board is back", nil, well)
	if a.driven() {
		t.Error("servos run before a command")
	}
	a.until(d, "servos run again", c, func(err error) bool { return err == nil && a.driven() })
}

// A board whose stored limits forbid what the configuration asks for.
func TestLimitsOfTheBoardAreAnError(t *testing.T) {
	a := newArm(t)
	a.pass(50 * time.Millisecond)
	// A reset, then: pin 3 is digital output and nothing else.
	m := []byte{2, 3, 1, 0, 0, 0, 0, 0}
	var sum byte
	for _, b := range m {
		sum += b
	}
	if err := a.Feed(append(append([]byte{0xFF, 0xF0, 0x0A}, m...), sum, 0xF7)...); err != nil {
		t.Fatal(err)
	}
	a.pass(50 * time.Millisecond)
	d := a.drive(servos(a.port, a.desc))
	a.until(d, "the limit is noticed", nil, says("joint shoulder_pan, pin 3: the board offers no servo there"))
}

func TestPinsThatAreNotThere(t *testing.T) {
	for pin, want := range map[string]string{"77": "no such pin (0 to 19)", "A0": "no such pin", "2": "no servo there", "0": "no servo there"} {
		a := newArm(t)
		c := servos(a.port, a.desc)
		c.Joints[1].Pin = pin
		a.until(a.drive(c), pin, nil, says(want))
	}
}

func TestRoverMotors(t *testing.T) {
	a := newArm(t)
	wheel := func(name string) robot.Joint {
		return robot.Joint{Name: name, Kind: robot.Wheel, Axis: robot.Vec3{0, 1, 0}, Limits: robot.Limits{MaxVelocity: 10, MaxAcceleration: 50, MaxEffort: 1, MaxTemperature: 60}}
	}
	a.desc = &robot.Description{Name: "rover", Joints: []robot.Joint{wheel("left"), wheel("right")}}
	d := a.drive(&gobot.Config{
		Boards: []gobot.Board{{Name: "uno", Adaptor: gobot.AdaptorFirmata, Port: a.port}},
		Joints: []gobot.Joint{
			{Name: "left", Kind: gobot.KindMotor, Pin: "5", DirectionPin: "4"},
			{Name: "right", Kind: gobot.KindMotor, Pin: "6", DirectionPin: "7", Inverted: true},
		},
	})
	duty := func(pin int) time.Duration {
		pulses := a.Pulses(pin)
		if n := len(pulses); n > 0 && simavr.Duration(a.Cycles()-pulses[n-1].Start) < 5*time.Millisecond {
			return pulses[n-1].Width
		}
		return 0
	}
	about := func(got, want time.Duration) bool { return (got - want).Abs() < 5*time.Microsecond }
	c := &robot.Command{Enable: true, Velocity: robot.Joints{5, 5}}
	a.until(d, "half speed forward", c, func(err error) bool {
		return err == nil && about(duty(5), 512*time.Microsecond) && about(duty(6), 512*time.Microsecond) && a.Level(4) == simavr.Low && a.Level(7) == simavr.High
	})
	s, err := d.Read()
	if err != nil || s.Velocity[0] != 5 || s.Position[0] <= 0 {
		t.Errorf("the wheel is at %g, %g rad/s, %v", s.Position[0], s.Velocity[0], err)
	}
	a.Forget()
	c.Velocity = robot.Joints{-2.5, 5}
	a.until(d, "left backward", c, func(err error) bool { return about(duty(5), 256*time.Microsecond) && a.Level(4) == simavr.High })
	// The direction changed while the motor stood: no pulse was under way.
	turned := a.Edges(4)[0].Cycle
	for _, p := range a.Pulses(5) {
		if end := p.Start + uint64(p.Width/time.Microsecond)*16; p.Start < turned && turned < end {
			t.Errorf("the direction changed within a pulse of %v", p.Width)
		}
	}
	c.Velocity = robot.Joints{}
	a.until(d, "standing", c, func(err error) bool { return duty(5) == 0 && duty(6) == 0 })
}

// Nothing is plugged in at first, and much later it is.
func TestBoardThatComesLate(t *testing.T) {
	a := newArm(t)
	a.unplug()
	d := a.drive(servos(a.port, a.desc))
	a.until(d, "the error", nil, says("no such file or directory (is the board plugged in"))
	if err := d.Write(&robot.Command{}); err == nil {
		t.Error("Write gives no error")
	}
	a.plug()
	a.until(d, "the board is found", nil, well)
}

func TestPortThatIsNoBoard(t *testing.T) {
	a := newArm(t)
	file := a.port + ".txt"
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.until(a.drive(servos(file, a.desc)), "a file is no port", nil, says("not a serial port"))
}

// A board on the network: a bridge carries the bytes to the simulated one.
func TestBoardByTCP(t *testing.T) {
	a := newArm(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go bridge(listener, a.port)
	d := a.drive(servos("tcp://"+listener.Addr().String(), a.desc))
	c := &robot.Command{Enable: true, Position: a.desc.Home()}
	a.until(d, "servos run", c, func(err error) bool { return err == nil && a.driven() })
}

func bridge(listener net.Listener, path string) {
	c, err := listener.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	tty, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer tty.Close()
	go io.Copy(tty, c)
	io.Copy(c, tty)
}

// Losing the board again and again costs no goroutines.
func TestReconnectingLeaksNothing(t *testing.T) {
	a := newArm(t)
	d := a.drive(servos(a.port, a.desc))
	a.until(d, "connected", nil, well)
	before := 0
	for i := range 3 {
		a.unplug()
		a.until(d, "lost", nil, func(err error) bool { return err != nil })
		a.plug()
		a.until(d, "connected again", nil, well)
		if i == 0 {
			before = runtime.NumGoroutine()
		}
	}
	// Gobot's handlers end a moment after the handshake.
	a.until(d, "goroutines end", nil, func(error) bool { return runtime.NumGoroutine() <= before })
}
