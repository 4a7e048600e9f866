package simavr_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"gobot.io/x/gobot/v2/platforms/firmata"

	"github.com/kuai-robot/kuai/firmware/simavr"
	"github.com/kuai-robot/kuai/robot"
)

// served is a board that lives in real time behind a pseudo-terminal.
type served struct {
	*simavr.Board
	clock robot.Clock
	port  string
}

func serve(t *testing.T) *served {
	t.Helper()
	s := &served{Board: simavr.NewBoard(t, simavr.Uno, nil), clock: robot.NewSystemClock(), port: filepath.Join(t.TempDir(), "ttyACM0")}
	if err := s.Plug(s.port); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, s.clock) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

// until waits until ok holds.
func (s *served) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	end := s.clock.Now().Add(10 * time.Second)
	for !ok() {
		if s.clock.Now() > end {
			t.Fatalf("not within 10 s: %s", what)
		}
		if err := s.clock.Wait(t.Context(), s.clock.Now().Add(time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
}

// lastPulse gives the newest pulse of a pin.
func (s *served) lastPulse(pin int) time.Duration {
	pulses := s.Pulses(pin)
	if len(pulses) == 0 {
		return 0
	}
	return pulses[len(pulses)-1].Width
}

func near(got, want time.Duration) bool { return (got - want).Abs() <= 15*time.Microsecond }

// Gobot's adaptor is used as it comes, without anything of kuai between.
func TestGobotDrivesTheBoard(t *testing.T) {
	s := serve(t)
	a := firmata.NewAdaptor(s.port)
	if err := a.Connect(); err != nil {
		t.Fatal(err)
	}
	connected := true
	defer func() {
		if connected {
			a.Finalize()
		}
	}()
	if n := len(a.Board.Pins()); n != simavr.Uno.Pins() {
		t.Errorf("Gobot sees %d pins", n)
	}
	// keep writes something every few milliseconds, as a control loop does.
	keep := func(what string, write func() error, ok func() bool) {
		t.Helper()
		s.until(t, what, func() bool {
			if err := write(); err != nil {
				t.Fatal(err)
			}
			return ok()
		})
	}
	if err := a.ServoConfig("9", 600, 2400); err != nil {
		t.Fatal(err)
	}
	for angle, want := range map[byte]time.Duration{0: 600, 90: 1500, 180: 2400} {
		keep("servo pulses", func() error { return a.ServoWrite("9", angle) }, func() bool { return near(s.lastPulse(9), want*time.Microsecond) })
	}
	keep("PWM", func() error { return a.PwmWrite("6", 100) }, func() bool { return near(s.lastPulse(6), 400*time.Microsecond) })
	keep("a high pin", func() error { return a.DigitalWrite("13", 1) }, func() bool { return s.Level(13) == simavr.High })
	keep("a low pin", func() error { return a.DigitalWrite("13", 0) }, func() bool { return s.Level(13) == simavr.Low })

	s.SetAnalog(1, 2.5)
	keep("an analog value", func() error { return a.ServoWrite("9", 90) }, func() bool {
		v, err := a.AnalogRead("1")
		return err == nil && v > 505 && v < 519
	})
	for _, level := range []int{1, 0} {
		s.SetPin(7, level == 1)
		keep("a digital input", func() error { return a.ServoWrite("9", 90) }, func() bool {
			v, err := a.DigitalRead("7")
			return err == nil && v == level
		})
	}
	// The host goes: Gobot is told nothing, the board stops by itself.
	connected = false
	if err := errors.Join(a.Finalize()); err != nil {
		t.Fatal(err)
	}
	s.until(t, "the outputs stop", func() bool {
		pulses := s.Pulses(9)
		return simavr.Duration(s.Cycles()-pulses[len(pulses)-1].Start) > 100*time.Millisecond && s.Level(6) == simavr.Low
	})
}
