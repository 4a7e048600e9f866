package simavr_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/firmware/simavr"
)

const (
	deadMan   = 500 * time.Millisecond
	tolerance = 20 * time.Millisecond
)

// allOn drives a servo, a PWM and a digital pin, and gives the cycle at which
// the last byte had arrived.
func allOn(t *testing.T, b *simavr.Board) (lastByte uint64) {
	t.Helper()
	say(t, b, setMode, 9, modeServo)
	say(t, b, write(9, 1500)...)
	say(t, b, setMode, 6, modePWM)
	say(t, b, write(6, 128)...)
	say(t, b, setMode, 13, modeOutput)
	if err := b.Feed(setPin, 13, 1); err != nil {
		t.Fatal(err)
	}
	for b.Unread() > 0 {
		run(t, b, 100*time.Microsecond)
	}
	// The last byte has begun within these 100 us, and takes less than 200.
	run(t, b, 200*time.Microsecond)
	return b.Cycles()
}

// lastEdge gives when a pin changed last.
func lastEdge(t *testing.T, b *simavr.Board, pin int) uint64 {
	t.Helper()
	edges := b.Edges(pin)
	if len(edges) == 0 {
		t.Fatalf("pin %d never changed", pin)
	}
	return edges[len(edges)-1].Cycle
}

func since(cycle, from uint64) time.Duration {
	if cycle < from {
		return -simavr.Duration(from - cycle)
	}
	return simavr.Duration(cycle - from)
}

// allOff says that nothing is driven, and has not been for a while.
func allOff(t *testing.T, b *simavr.Board) {
	t.Helper()
	run(t, b, 30*time.Millisecond)
	b.Forget()
	run(t, b, 60*time.Millisecond)
	for _, pin := range []int{6, 9, 13} {
		if n := len(b.Edges(pin)); n > 0 || b.Level(pin) == simavr.High {
			t.Errorf("pin %d is still driven: %d edges, %v", pin, n, b.Level(pin))
		}
	}
}

func TestSilenceStopsEveryOutput(t *testing.T) {
	for _, m := range []*simavr.Model{simavr.Uno, simavr.Mega} {
		t.Run(m.Name, func(t *testing.T) {
			b := begin(t, m, nil)
			last := allOn(t, b)
			run(t, b, 600*time.Millisecond)
			for pin, what := range map[int]string{13: "the digital output", 6: "the PWM", 9: "the servo"} {
				at := since(lastEdge(t, b, pin), last)
				// A servo pulse begins every 20 ms, so the last one may be that old.
				least := deadMan - tolerance
				if pin == 9 {
					least -= 20 * time.Millisecond
				}
				if at < least || at > deadMan+tolerance {
					t.Errorf("%s stopped %v after the last byte", what, at)
				}
				if pin == 13 {
					t.Logf("%s: outputs off %.2f ms after the last byte", m.Name, at.Seconds()*1e3)
				}
			}
			if s := ask(t, b); s.Stopped != stopSilence || s.Active != 0 {
				t.Errorf("after the silence the board says %+v", s)
			}
			// Only a new session drives again.
			say(t, b, setPin, 13, 1)
			allOff(t, b)
			say(t, b, reset)
			say(t, b, setPin, 13, 1)
			if b.Level(13) != simavr.High {
				t.Error("a new session does not drive")
			}
		})
	}
}

func TestAnyValidMessageHoldsTheDeadManOff(t *testing.T) {
	for name, message := range map[string][]byte{
		"version query": {0xF9}, "alive": command(5), "servo": write(9, 1500), "report": {0xC0, 0},
	} {
		b := begin(t, simavr.Uno, nil)
		allOn(t, b)
		for range 2 {
			run(t, b, 450*time.Millisecond)
			say(t, b, message...)
		}
		if s := ask(t, b); s.Stopped != 0 || b.Level(13) != simavr.High {
			t.Errorf("%s every 450 ms: %+v, %v", name, s, b.Level(13))
		}
	}
}

// A host that babbles is no host: neither lone data bytes nor broken or refused
// messages hold the dead-man off.
func TestNonsenseDoesNotHoldTheDeadManOff(t *testing.T) {
	for name, message := range map[string][]byte{
		"data bytes":       {1, 2, 3, 4},
		"undefined status": {0xF1},
		"oversized sysex":  oversized(300),
		"unknown sysex":    {sysex, 0x55, 1, 2, sysexEnd},
		"no such pin":      {setMode, 77, 1},
		"senseless value":  write(9, 300),
		"cut message":      {setPin},
	} {
		b := begin(t, simavr.Uno, nil)
		last := allOn(t, b)
		for since(b.Cycles(), last) < 700*time.Millisecond {
			if err := b.Feed(message...); err != nil {
				t.Fatal(err)
			}
			run(t, b, 90*time.Millisecond)
		}
		if at := since(lastEdge(t, b, 13), last); at > deadMan+tolerance {
			t.Errorf("%s: outputs off after %v", name, at)
		}
		allOff(t, b)
	}
}

func oversized(n int) []byte {
	m := []byte{sysex, 0x71}
	for range n {
		m = append(m, 0x11)
	}
	return append(m, sysexEnd)
}

func TestOversizedSysexDoesNothingAndTheNextMessageCounts(t *testing.T) {
	b := begin(t, simavr.Uno, nil)
	for _, n := range []int{60, 63, 64, 65, 5000} {
		say(t, b, oversized(n)...)
		run(t, b, 30*time.Millisecond) // the quarantine after an error
		say(t, b, setPin, 13, 1)
		if b.Level(13) != simavr.High {
			t.Errorf("after a sysex of %d bytes pin 13 is %v", n, b.Level(13))
		}
		say(t, b, setPin, 13, 0)
	}
	if s := ask(t, b); s.Errors == 0 || s.Stopped != 0 {
		t.Errorf("%+v", s)
	}
}

// Random bytes at full rate: nothing moves for long, and the board lives.
func TestGarbage(t *testing.T) {
	b := begin(t, simavr.Uno, nil)
	allOn(t, b)
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		noise := make([]byte, 25)
		for i := range noise {
			noise[i] = byte(random.Uint32())
		}
		if err := b.Feed(noise...); err != nil {
			t.Fatal(err)
		}
		run(t, b, 5*time.Millisecond)
	}
	run(t, b, 600*time.Millisecond)
	allOff(t, b)
	s := ask(t, b)
	if s.Errors == 0 || s.Active != 0 {
		t.Errorf("after garbage: %+v", s)
	}
	say(t, b, command(1)...)
	say(t, b, reset)
	say(t, b, setPin, 13, 1)
	if b.Level(13) != simavr.High {
		t.Errorf("after garbage and a new session pin 13 is %v: %+v", b.Level(13), ask(t, b))
	}
}
