package gobot_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	upstream "gobot.io/x/gobot/v2"

	"github.com/kuai-robot/kuai/actuation/gobot"
	"github.com/kuai-robot/kuai/robot"
)

// pins is a Gobot adaptor that keeps what it is told. full has pulses, PWM,
// servos and digital outputs; plain only what embeds it adds.
type pins struct {
	mu     sync.Mutex
	told   map[string]string
	failed error
	opened int
}

func (p *pins) Connect() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened++
	p.told = map[string]string{}
	return nil
}
func (p *pins) Finalize() error { return nil }

func (p *pins) tell(pin, format string, args ...any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil {
		p.told[pin] = fmt.Sprintf(format, args...)
	}
	return p.failed
}

func (p *pins) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = err
}

func (p *pins) at(pin string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.told[pin]
}

type full struct{ pins }

func (p *full) ServoWrite(pin string, v byte) error   { return p.tell(pin, "%d degrees", v) }
func (p *full) PwmWrite(pin string, v byte) error     { return p.tell(pin, "%d of 255", v) }
func (p *full) DigitalWrite(pin string, v byte) error { return p.tell(pin, "level %d", v) }
func (p *full) PWMPin(id string) (upstream.PWMPinner, error) {
	return &pulsePin{pins: &p.pins, id: id}, nil
}

// pulsePin is one of a full adaptor's pins.
type pulsePin struct {
	upstream.PWMPinner
	pins *pins
	id   string
}

func (p *pulsePin) SetDutyCycle(ns uint32) error { return p.pins.tell(p.id, "%d ns", ns) }

func header(t *testing.T, a gobot.Adaptor, joints []gobot.Joint) (*gobot.Driver, *robot.ManualClock) {
	t.Helper()
	d := &robot.Description{Name: "robot"}
	for i := range joints {
		j := robot.Joint{Name: joints[i].Name, Kind: robot.Revolute, Axis: robot.Vec3{0, 0, 1}, Limits: robot.Limits{MinPosition: -1, MaxPosition: 1, MaxVelocity: 2, MaxAcceleration: 9, MaxEffort: 1, MaxTemperature: 60}}
		if joints[i].Kind == gobot.KindMotor {
			j.Kind = robot.Wheel
		}
		d.Joints = append(d.Joints, j)
	}
	clock := robot.NewManualClock(time.Unix(0, 0), robot.Time(time.Second))
	driver, err := gobot.New(gobot.Options{
		Config:      &gobot.Config{Boards: []gobot.Board{{Name: "head", Adaptor: "own"}}, Joints: joints},
		Description: d, Clock: clock,
		Adaptors: map[string]gobot.NewAdaptor{"own": func(*gobot.Board, []string) (gobot.Adaptor, error) { return a, nil }},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { driver.Close() })
	return driver, clock
}

// eventually lets time pass until ok holds.
func eventually(t *testing.T, clock *robot.ManualClock, what string, ok func() bool) {
	t.Helper()
	real := robot.NewSystemClock()
	for range 5000 {
		if ok() {
			return
		}
		clock.Advance(time.Millisecond)
		if err := real.Wait(t.Context(), real.Now().Add(100*time.Microsecond)); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("not within 5 s: %s", what)
}

func TestHeader(t *testing.T) {
	a := &full{}
	d, clock := header(t, a, []gobot.Joint{
		{Name: "pan", Kind: gobot.KindServo, Pin: "33", MinPulse: 1000, MaxPulse: 2000},
		{Name: "tilt", Kind: gobot.KindServo, Pin: "32", MinAngle: 30, MaxAngle: 150, Inverted: true},
		{Name: "lift", Kind: gobot.KindPWM, Pin: "12", MaxDuty: 0.5},
		{Name: "drive", Kind: gobot.KindMotor, Pin: "13", DirectionPin: "15"},
	})
	write := func(enable bool, want map[string]string) {
		t.Helper()
		eventually(t, clock, fmt.Sprint(want), func() bool {
			c := &robot.Command{At: clock.Now(), Enable: enable, Position: robot.Joints{0.5, 0.5, 1}, Velocity: robot.Joints{3: -1}}
			if d.Write(c) != nil {
				return false
			}
			for pin, told := range want {
				if a.at(pin) != told {
					return false
				}
			}
			return true
		})
	}
	write(true, map[string]string{"33": "1750000 ns", "32": "60 degrees", "12": "128 of 255", "13": "128 of 255", "15": "level 1"})
	write(false, map[string]string{"33": "0 ns", "32": "0 of 255", "12": "0 of 255", "13": "0 of 255"})
	write(true, map[string]string{"33": "1750000 ns", "13": "128 of 255"})
	// The loop falls silent.
	eventually(t, clock, "the outputs are let go", func() bool {
		return a.at("33") == "0 ns" && a.at("32") == "0 of 255" && a.at("13") == "0 of 255"
	})
	a.fail(errors.New("no such device"))
	eventually(t, clock, "the failure is told", func() bool {
		err := d.Write(&robot.Command{Enable: true})
		return err != nil && strings.Contains(err.Error(), "board head: joint pan, pin 33: no such device")
	})
	a.fail(nil)
	eventually(t, clock, "it is opened again", func() bool { _, err := d.Read(); return err == nil && a.opened > 1 })
}

// less is an adaptor that can do nothing but open.
type less struct{ pins }

func TestAdaptorThatCannot(t *testing.T) {
	for want, j := range map[string]gobot.Joint{
		"cannot set the width of a pulse": {Name: "j", Kind: gobot.KindServo, Pin: "1"},
		"has no servos":                   {Name: "j", Kind: gobot.KindServo, Pin: "1", MinAngle: 10},
		"has no PWM":                      {Name: "j", Kind: gobot.KindPWM, Pin: "1"},
		"has no digital outputs":          {Name: "j", Kind: gobot.KindMotor, Pin: "1", DirectionPin: "2"},
	} {
		d, clock := header(t, &less{}, []gobot.Joint{j})
		eventually(t, clock, want, func() bool { _, err := d.Read(); return err != nil && strings.Contains(err.Error(), want) })
	}
}

// On a machine that is no Jetson and no Raspberry Pi their adaptors say so.
func TestBuiltInHeaders(t *testing.T) {
	for adaptor, pin := range map[string]string{gobot.AdaptorJetson: "33", gobot.AdaptorRaspi: "12"} {
		d := &robot.Description{Name: "r", Joints: []robot.Joint{{Name: "j", Kind: robot.Revolute, Axis: robot.Vec3{0, 0, 1}, Limits: robot.Limits{MinPosition: -1, MaxPosition: 1, MaxVelocity: 2, MaxAcceleration: 9, MaxEffort: 1, MaxTemperature: 60}}}}
		for _, c := range []struct{ pin, want string }{{pin, "board head: joint j, pin " + pin}, {"99", "pin 99"}} {
			clock := robot.NewManualClock(time.Unix(0, 0), robot.Time(time.Second))
			driver, err := gobot.New(gobot.Options{
				Config:      &gobot.Config{Boards: []gobot.Board{{Name: "head", Adaptor: adaptor}}, Joints: []gobot.Joint{{Name: "j", Kind: gobot.KindServo, Pin: c.pin}}},
				Description: d, Clock: clock,
			})
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, clock, adaptor, func() bool { _, err := driver.Read(); return err != nil && strings.Contains(err.Error(), c.want) })
			_, err = driver.Read()
			t.Log(err)
			driver.Close()
		}
	}
}

func TestNewRefuses(t *testing.T) {
	d := &robot.Description{Name: "r", Joints: []robot.Joint{{Name: "j", Kind: robot.Revolute, Limits: robot.Limits{MinPosition: -1, MaxPosition: 1}}}}
	joint := gobot.Joint{Name: "j", Board: "a", Kind: gobot.KindServo, Pin: "1"}
	for want, c := range map[string]*gobot.Config{
		"no board":                        {},
		`no adaptor is called "firmatta"`: {Boards: []gobot.Board{{Name: "a", Adaptor: "firmatta"}}, Joints: []gobot.Joint{joint}},
		"board b moves no joint":          {Boards: []gobot.Board{{Name: "a", Adaptor: "jetson"}, {Name: "b", Adaptor: "jetson"}}, Joints: []gobot.Joint{joint}},
	} {
		if _, err := gobot.New(gobot.Options{Config: c, Description: d, Clock: robot.NewSystemClock()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
