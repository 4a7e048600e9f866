package simavr_test

import (
	"testing"
	"time"

	"github.com/kuai-robot/kuai/firmware/simavr"
)

// longestPass is what a pass of the main loop may take: a hundredth of the
// watchdog's time, and less than the receive ring lasts at full rate.
const longestPass = 2500 * time.Microsecond

// Everything at once; then the host falls silent.
func TestLongestPass(t *testing.T) {
	for _, m := range []*simavr.Model{simavr.Uno, simavr.Mega} {
		l, err := simavr.Measure(simavr.NewBoard(t, m, nil))
		if err != nil {
			t.Fatal(err)
		}
		if l.LongestPass > longestPass || l.LongestPass == 0 || l.Status.Lost > 0 {
			t.Errorf("%s: %+v, a pass may take %v", m.Name, l, longestPass)
		}
		if l.Stack > stackMost {
			t.Errorf("%s: %d bytes of stack were used", m.Name, l.Stack)
		}
		if off := l.Off - deadMan; off.Abs() > tolerance {
			t.Errorf("%s: outputs off %v after the last byte", m.Name, l.Off)
		}
		t.Logf("%s: %+v", m.Name, l)
	}
}

// stackMost is far below the 1100 bytes that the variables leave of an Uno's RAM.
const stackMost = 300

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
	if s := ask(t, b); s.Refused != before.Refused+1 {
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
