package gobot_test

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/gobot"
	"github.com/kuai-robot/kuai/firmware/simavr"
	"github.com/kuai-robot/kuai/robot"
)

// arm is drivertest's arm on servos of a simulated Arduino.
type arm struct {
	*simavr.Board
	t        *testing.T
	desc     *robot.Description
	clock    *robot.ManualClock
	real     robot.Clock
	driver   *gobot.Driver
	wrote    robot.Time // the newest command; 0: none since a change of the cable
	limp     bool       // it had the torque off
	away     bool       // unplugged, or the host is frozen
	port     string
	position robot.Joints
	garbled  bool
	noise    *rand.Rand
}

// servoPins are those of the six joints.
var servoPins = []int{3, 5, 6, 9, 10, 11}

const (
	shortest = 600.0 // µs, at the lower limits
	longest  = 2400.0
)

func servos(port string, d *robot.Description) *gobot.Config {
	c := &gobot.Config{Boards: []gobot.Board{{Name: "uno", Adaptor: gobot.AdaptorFirmata, Port: port}}}
	for i := range d.Joints {
		c.Joints = append(c.Joints, gobot.Joint{
			Name: d.Joints[i].Name, Kind: gobot.KindServo, Pin: strconv.Itoa(servoPins[i]),
			MinPulse: shortest, MaxPulse: longest, Inverted: i%2 == 1,
		})
	}
	return c
}

func newArm(t *testing.T) *arm {
	t.Helper()
	a := &arm{
		Board: simavr.NewBoard(t, simavr.Uno, nil), t: t, desc: drivertest.Arm(), real: robot.NewSystemClock(),
		clock: robot.NewManualClock(time.Unix(0, 0), robot.Time(time.Second)),
		port:  filepath.Join(t.TempDir(), "ttyACM0"), noise: rand.New(rand.NewPCG(1, 2)),
	}
	a.position = a.desc.Home()
	if err := a.Plug(a.port); err != nil {
		t.Fatal(err)
	}
	return a
}

// pass lets time go by for the board and the driver.
func (a *arm) pass(d time.Duration) {
	a.t.Helper()
	const step = 2 * time.Millisecond
	for ; d > 0; d -= step {
		if a.garbled {
			for range 6 {
				a.Babble(byte(a.noise.Uint32()))
			}
		}
		if err := a.RunFor(step); err != nil {
			a.t.Fatal(err)
		}
		a.clock.Advance(step)
		a.keepStep(step)
	}
}

// keepStep gives the kernel, the driver and Gobot, which live in real time, the
// turn that they need on a busy machine. A driver that is well is waited for
// when it falls behind, but not for long, since an answer may be on the line
// still; one that connects gets as much real time as simulated; one whose board
// is away needs little.
func (a *arm) keepStep(step time.Duration) {
	a.t.Helper()
	if a.driver == nil {
		return
	}
	begin := a.real.Now()
	asked := a.limp || a.wrote == 0 || a.clock.Now().Sub(a.wrote) <= drivertest.Period
	const abreast = 14 * time.Millisecond
	for {
		s, err := a.driver.Read()
		spent := a.real.Now().Sub(begin)
		switch {
		case a.away:
			if spent >= step/8 {
				return
			}
		case err == nil && asked && !a.garbled:
			if a.clock.Now().Sub(s.At) <= abreast || spent > 2*step {
				return
			}
		case spent >= step:
			return
		}
		if err := a.real.Wait(a.t.Context(), a.real.Now().Add(50*time.Microsecond)); err != nil {
			a.t.Fatal(err)
		}
	}
}

// watched notes what the driver is told, for keepStep.
type watched struct {
	*gobot.Driver
	arm *arm
}

func (w watched) Write(c *robot.Command) error {
	w.arm.note(c)
	return w.Driver.Write(c)
}

func (a *arm) note(c *robot.Command) { a.wrote, a.limp = a.clock.Now(), !c.Enable }

// The cable and the host, as keepStep has to know them.

func (a *arm) unplug() {
	a.Unplug()
	a.away = true
}

func (a *arm) plug() {
	a.t.Helper()
	if err := a.Plug(a.port); err != nil {
		a.t.Fatal(err)
	}
	a.away, a.wrote = false, 0
}

func (a *arm) freeze(on bool) {
	a.FreezeHost(on)
	a.away = on
}

// where gives the position that the newest pulse of each servo stands for.
func (a *arm) where() robot.Joints {
	for i := range a.desc.Joints {
		pulses := a.Pulses(servoPins[i])
		if len(pulses) == 0 {
			continue
		}
		share := (float64(pulses[len(pulses)-1].Width)/float64(time.Microsecond) - shortest) / (longest - shortest)
		if i%2 == 1 {
			share = 1 - share
		}
		l := &a.desc.Joints[i].Limits
		a.position[i] = l.MinPosition + share*(l.MaxPosition-l.MinPosition)
	}
	return a.position
}

// driven says whether any servo has had a pulse in the last frame.
func (a *arm) driven() bool {
	for _, pin := range servoPins {
		pulses := a.Pulses(pin)
		if n := len(pulses); n > 0 && simavr.Duration(a.Cycles()-pulses[n-1].Start) < 25*time.Millisecond {
			return true
		}
	}
	return false
}

func TestConformanceOnASimulatedBoard(t *testing.T) {
	drivertest.Run(t, func(t *testing.T) *drivertest.Rig {
		a := newArm(t)
		return &drivertest.Rig{
			Driver: watched{a.drive(servos(a.port, a.desc)), a}, Description: a.desc, Clock: a.clock, Advance: a.pass,
			Position: a.where, Enabled: a.driven,
			// A pulse is a few microseconds off, and comes every 20 ms.
			Resolution: math.Pi * 12 / (longest - shortest), Settle: 40 * time.Millisecond,
			Unplug: a.unplug, Plug: a.plug, Slow: a.freeze,
			Garble: func(on bool) { a.garbled = on },
		}
	})
}
