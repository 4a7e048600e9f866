package simavr_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/firmware/simavr"
)

func TestStopPinStopsAndLatches(t *testing.T) {
	b := begin(t, simavr.Uno, nil)
	allOn(t, b)
	b.Forget()
	opened := b.Cycles()
	b.SetPin(simavr.StopPin, true)
	run(t, b, 5*time.Millisecond)
	if at := since(lastEdge(t, b, 13), opened); at > 2*time.Millisecond {
		t.Errorf("the output went off %v after the stop switch opened", at)
	}
	// Neither a closed switch nor a new session is a reset.
	b.SetPin(simavr.StopPin, false)
	say(t, b, reset)
	say(t, b, setPin, 13, 1)
	allOff(t, b)
	if s := ask(t, b); s.Stopped != stopPin {
		t.Errorf("%+v", s)
	}
	b.SetPin(simavr.StopPin, true)
	say(t, b, command(1)...)
	if s := ask(t, b); s.Stopped != stopPin {
		t.Errorf("reset with the switch open: %+v", s)
	}
	b.SetPin(simavr.StopPin, false)
	say(t, b, command(1)...)
	say(t, b, setPin, 13, 1)
	if b.Level(13) != simavr.High {
		t.Error("after the reset nothing can be driven")
	}
}

func TestStopSwitchOpenAtPowerOn(t *testing.T) {
	b := begin(t, simavr.Uno, func(o *simavr.Options) { o.StopOpen = true })
	allOn(t, b)
	allOff(t, b)
	if s := ask(t, b); s.Stopped&stopPin == 0 {
		t.Errorf("%+v", s)
	}
}

func TestHostStops(t *testing.T) {
	b := begin(t, simavr.Uno, nil)
	allOn(t, b)
	b.Sent()
	say(t, b, command(6)...)
	allOff(t, b)
	// The board says why, in words too.
	text := strings.ReplaceAll(string(b.Sent()), "\x00", "")
	if !strings.Contains(text, "stopped host") {
		t.Errorf("the board says %q", text)
	}
	say(t, b, reset)
	say(t, b, setPin, 13, 1)
	allOff(t, b)
	say(t, b, command(1)...)
	if s := ask(t, b); s.Stopped != 0 {
		t.Errorf("after the reset: %+v", s)
	}
}

// Before a host has begun a session nothing is driven.
func TestNothingIsDrivenAfterPowerOn(t *testing.T) {
	b := simavr.NewBoard(t, simavr.Uno, nil)
	run(t, b, 50*time.Millisecond)
	allOn(t, b)
	allOff(t, b)
	for pin := range simavr.Uno.Pins() {
		if l := b.Level(pin); l == simavr.High || l == simavr.Low && pin != 1 && pin != 9 && pin != 6 {
			t.Errorf("pin %d is driven %v", pin, l)
		}
	}
	if s := ask(t, b); s.Stopped != stopBoot {
		t.Errorf("%+v", s)
	}
}

// A build of its own hangs on demand: in a loop, or with interrupts off.
func TestWatchdog(t *testing.T) {
	for _, how := range []byte{0, 1} {
		b := begin(t, simavr.Uno, nil, "-DKUAI_TEST_HANG")
		allOn(t, b)
		run(t, b, time.Millisecond)
		hung := b.Cycles()
		if err := b.Feed(command(0x7E, how)...); err != nil {
			t.Fatal(err)
		}
		// A reset of the processor lets the pins go without an edge that simavr
		// tells of, so they are looked at.
		at := time.Duration(0)
		for ; at < time.Second && b.Level(13) == simavr.High; at = since(b.Cycles(), hung) {
			run(t, b, 500*time.Microsecond)
		}
		if at < 200*time.Millisecond || at > 300*time.Millisecond {
			t.Errorf("hang %d: the output went off after %v, want the 250 ms of the watchdog", how, at)
		}
		t.Logf("hang %d: outputs off after %.1f ms", how, at.Seconds()*1e3)
		run(t, b, 100*time.Millisecond)
		const watchdogReset = 8
		if s := ask(t, b); s.Cause&watchdogReset == 0 || s.Stopped != stopBoot {
			t.Errorf("hang %d: the board comes up with %+v", how, s)
		}
		allOff(t, b)
	}
}
