package simavr_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/firmware/simavr"
)

// longestPass is what a pass of the main loop may take: a hundredth of the
// watchdog's time, and less than the receive ring lasts at full rate.
const longestPass = 2500 // us

// Everything at once: every servo slot, PWM, all inputs reported at the highest
// rate, and a host that fills the line with the most expensive messages.
func TestLongestPass(t *testing.T) {
	for _, c := range []struct {
		model    *simavr.Model
		channels int
		ramEnd   uint16
	}{{simavr.Uno, 6, 0x8FF}, {simavr.Mega, 16, 0x21FF}} {
		b := begin(t, c.model, nil)
		boot := ask(t, b)
		random := rand.New(rand.NewPCG(5, 6))
		load(t, b, c.model, c.channels)
		for range 150 {
			messages := [][]byte{
				{0x90, 0x7F, 1}, {0x91, 0, 0}, {0x92, 0x7F, 1}, command(0), command(3, byte(random.IntN(c.model.Pins()))),
				{sysex, 0x6D, byte(random.IntN(c.model.Pins())), sysexEnd}, write(9, 500+random.IntN(2000)), {sysex, 0x6B, sysexEnd},
				{sysex, 0x69, sysexEnd}, {sysex, 0x79, sysexEnd}, oversized(40), limit(20, modeServo, 0, 1000, 2000),
			}
			if err := b.Feed(messages[random.IntN(len(messages))]...); err != nil {
				t.Fatal(err)
			}
			if b.Unread() > 64 {
				run(t, b, 10*time.Millisecond)
			}
		}
		run(t, b, 100*time.Millisecond)
		say(t, b, reset)
		s := ask(t, b)
		if s.loopMicros > longestPass || s.lost > 0 {
			t.Errorf("%s: %+v, a pass may take %d us", c.model.Name, s, longestPass)
		}
		stack := stackUsed(b, c.ramEnd)
		if stack > stackMost {
			t.Errorf("%s: %d bytes of stack were used", c.model.Name, stack)
		}
		t.Logf("%s: %d bytes of stack; longest pass %d us = %d cycles (to the first session %d us), %d refused, %d errors", c.model.Name, stack, s.loopMicros, 16*s.loopMicros, boot.loopMicros, s.refused, s.errors)
	}
}

// stackUsed gives how deep the stack has been: simavr's memory begins as zeros,
// and more than a few in a row lie in no frame.
func stackUsed(b *simavr.Board, ramEnd uint16) int {
	const gap = 64
	zeros := 0
	for at := ramEnd; at > 0x200; at-- {
		if zeros++; b.Data(at) != 0 {
			zeros = 0
		}
		if zeros == gap {
			return int(ramEnd-at) + 1 - gap
		}
	}
	return int(ramEnd)
}

// stackMost is far below the 1100 bytes that the variables leave of an Uno's RAM.
const stackMost = 300

func load(t *testing.T, b *simavr.Board, m *simavr.Model, channels int) {
	t.Helper()
	say(t, b, sysex, 0x7A, 10, 0, sysexEnd)
	for pin := 3; pin < m.Pins()-channels; pin++ {
		mode := byte(modeServo)
		if pin%2 == 0 {
			mode = modePWM
		}
		say(t, b, setMode, byte(pin), mode)
		say(t, b, sysex, 0x6F, byte(pin), 100, 0, sysexEnd)
	}
	for channel := range channels {
		say(t, b, setMode, byte(m.Pins()-channels+channel), 2)
	}
	for port := range (m.Pins() + 7) / 8 {
		say(t, b, 0xD0|byte(port), 1)
	}
}

// Every servo slot is used and its pulses are right; one more is refused.
func TestAllServos(t *testing.T) {
	b := begin(t, simavr.Uno, nil)
	pins := []byte{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	for i, pin := range pins {
		say(t, b, setMode, pin, modeServo)
		value := 1000 + 100*i
		say(t, b, sysex, 0x6F, pin, byte(value&0x7F), byte(value>>7), sysexEnd)
	}
	before := ask(t, b)
	say(t, b, setMode, 17, modeServo)
	say(t, b, sysex, 0x6F, 17, 90, 0, sysexEnd)
	if s := ask(t, b); s.refused != before.refused+1 {
		t.Errorf("a fifteenth servo: %+v after %+v", s, before)
	}
	run(t, b, 25*time.Millisecond)
	b.Forget()
	for range 6 {
		run(t, b, 20*time.Millisecond)
		say(t, b, 0xF9)
	}
	for i, pin := range pins {
		want := time.Duration(1000+100*i) * time.Microsecond
		pulses := b.Pulses(int(pin))
		if len(pulses) < 4 {
			t.Errorf("pin %d: %d pulses", pin, len(pulses))
		}
		for _, p := range pulses {
			if !near(p.Width, want) {
				t.Errorf("pin %d: a pulse of %v, want %v", pin, p.Width, want)
			}
		}
	}
}

// A pulse under way is finished when the outputs stop.
func TestAStopCutsNoPulseShort(t *testing.T) {
	for phase := range 8 {
		b := begin(t, simavr.Uno, nil)
		say(t, b, setMode, 9, modeServo)
		say(t, b, write(9, 2400)...)
		run(t, b, time.Duration(40_000+2_500*phase)*time.Microsecond)
		say(t, b, command(6)...)
		run(t, b, 30*time.Millisecond)
		for _, p := range b.Pulses(9) {
			if !near(p.Width, 2400*time.Microsecond) {
				t.Errorf("phase %d: a pulse of %v, want 2.4 ms", phase, p.Width)
			}
		}
	}
}
