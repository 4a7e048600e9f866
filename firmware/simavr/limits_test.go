package simavr_test

import (
	"testing"
	"time"

	"github.com/kuai-robot/kuai/firmware/simavr"
)

// limit gives the message that sets a pin's limit.
func limit(pin, mode, stop byte, low, high int) []byte {
	m := []byte{2, pin, mode, stop, byte(low & 0x7F), byte(low >> 7), byte(high & 0x7F), byte(high >> 7)}
	var sum byte
	for _, b := range m {
		sum += b
	}
	return command(append(m, sum&0x7F)...)
}

// stored asks for a pin's limit until it is in the EEPROM.
func stored(t *testing.T, b *simavr.Board, pin byte) []byte {
	t.Helper()
	for range 20 {
		b.Sent()
		say(t, b, command(3, pin)...)
		run(t, b, 50*time.Millisecond)
		sent := b.Sent()
		if n := len(sent); n >= 12 && sent[n-2] == 1 {
			return sent[n-12:]
		}
	}
	t.Fatalf("the limit of pin %d is not stored after a second", pin)
	return nil
}

// eepromBytes is more than the table of an Uno takes.
const eepromBytes = 128

func limited(t *testing.T) *simavr.Board {
	t.Helper()
	b := begin(t, simavr.Uno, nil)
	say(t, b, limit(9, modeServo, 0, 1000, 2000)...)
	say(t, b, limit(6, modePWM, 0, 20, 100)...)
	say(t, b, limit(12, modeOutput, 1, 0, 0)...)
	stored(t, b, 12)
	return b
}

func TestLimitsHoldAndOutliveAPowerCycle(t *testing.T) {
	first := limited(t)
	memory := first.EEPROM(eepromBytes)
	second := begin(t, simavr.Uno, func(o *simavr.Options) { o.EEPROM = memory })
	for name, b := range map[string]*simavr.Board{"at once": first, "after a power cycle": second} {
		// What a limit makes an output is at its stop level from the start.
		if l := b.Level(12); l != simavr.High {
			t.Errorf("%s: pin 12 is %v, its stop level is high", name, l)
		}
		say(t, b, setPin, 12, 0)
		for value, want := range map[int]time.Duration{500: 1000, 1500: 1500, 2500: 2000, 0: 1000, 180: 2000} {
			say(t, b, write(9, value)...)
			run(t, b, 25*time.Millisecond)
			b.Forget()
			run(t, b, 45*time.Millisecond)
			pulses := b.Pulses(9)
			if len(pulses) == 0 || !near(pulses[0].Width, want*time.Microsecond) {
				t.Errorf("%s: %d gives %v, want pulses of %d us", name, value, pulses, want)
			}
		}
		for value, want := range map[int]time.Duration{5: 80, 50: 200, 255: 400} {
			say(t, b, write(6, value)...)
			b.Forget()
			run(t, b, 5*time.Millisecond)
			if pulses := b.Pulses(6); len(pulses) < 2 || (pulses[1].Width-want*time.Microsecond).Abs() > time.Microsecond {
				t.Errorf("%s: duty %d gives %v, want %d us", name, value, pulses, want)
			}
		}
		// No other mode than the one of the limit.
		say(t, b, setMode, 9, modeOutput)
		say(t, b, setPin, 9, 1)
		if s := ask(t, b); s.Refused < 2 || s.Stopped != 0 {
			t.Errorf("%s: %+v", name, s)
		}
		// At a stop each goes to its level, the servo without a pulse.
		say(t, b, command(6)...)
		allOff(t, b)
		if l := b.Level(12); l != simavr.High {
			t.Errorf("%s: pin 12 is %v at a stop", name, l)
		}
	}
}

func TestInputOnALimitedOutputIsRest(t *testing.T) {
	b := limited(t)
	say(t, b, setMode, 9, modeServo)
	say(t, b, write(9, 1500)...)
	run(t, b, 45*time.Millisecond)
	say(t, b, setMode, 9, 0)
	run(t, b, 20*time.Millisecond)
	b.Forget()
	run(t, b, 60*time.Millisecond)
	if n := len(b.Edges(9)); n > 0 || b.Level(9) != simavr.Low {
		t.Errorf("%d edges, %v", n, b.Level(9))
	}
}

func TestLimitsThatMakeNoSenseAreRefused(t *testing.T) {
	b := begin(t, simavr.Uno, nil)
	wrongSum := limit(9, modeServo, 0, 1000, 2000)
	wrongSum[len(wrongSum)-2] ^= 1
	for name, m := range map[string][]byte{
		"wrong sum":         wrongSum,
		"no such pin":       limit(40, modeServo, 0, 1000, 2000),
		"the stop pin":      limit(2, modeOutput, 0, 0, 0),
		"the link":          limit(1, modeOutput, 0, 0, 0),
		"upside down":       limit(9, modeServo, 0, 2000, 1000),
		"beyond a servo":    limit(9, modeServo, 0, 400, 2000),
		"PWM where none is": limit(9, modePWM, 0, 0, 255),
		"beyond PWM":        limit(6, modePWM, 0, 0, 256),
		"no such mode":      limit(9, 9, 0, 0, 0),
		"no such level":     limit(9, modeOutput, 3, 0, 0),
		"short":             command(2, 9, modeServo),
		"erase without key": command(4, 0x2B),
	} {
		before := ask(t, b)
		say(t, b, m...)
		if s := ask(t, b); s.Refused != before.Refused+1 || s.Errors != before.Errors {
			t.Errorf("%s: %+v after %+v", name, s, before)
		}
	}
	for _, v := range b.EEPROM(eepromBytes) {
		if v != 0xFF {
			t.Fatal("a refused limit was stored")
		}
	}
	// Nor may a limit change beneath an output that runs.
	allOn(t, b)
	before := ask(t, b)
	say(t, b, limit(5, modePWM, 0, 0, 10)...)
	if s := ask(t, b); s.Refused != before.Refused+1 {
		t.Error("a limit was changed while outputs run")
	}
}

// Any byte of the table that changes stops the board until the limits are
// erased, which is a decision of the host.
func TestCorruptedEEPROM(t *testing.T) {
	good := limited(t).EEPROM(eepromBytes)
	const table = 6 + 20*6
	for _, at := range []int{0, 2, 3, 4 + 9*6, 4 + 9*6 + 2, table - 2, table - 1} {
		memory := append([]byte(nil), good...)
		memory[at] ^= 0x10
		b := begin(t, simavr.Uno, func(o *simavr.Options) { o.EEPROM = memory })
		allOn(t, b)
		allOff(t, b)
		say(t, b, command(1)...)
		say(t, b, limit(9, modeServo, 0, 1000, 2000)...)
		if s := ask(t, b); s.Stopped != stopLimits {
			t.Errorf("byte %d: %+v", at, s)
		}
	}
	// Half a table, as a loss of power in the middle of a write leaves it.
	memory := append([]byte(nil), good[:table/2]...)
	b := begin(t, simavr.Uno, func(o *simavr.Options) { o.EEPROM = memory })
	if s := ask(t, b); s.Stopped != stopLimits {
		t.Errorf("half a table: %+v", s)
	}
	say(t, b, command(4, 0x2A)...)
	say(t, b, setMode, 9, modeServo)
	say(t, b, write(9, 2400)...)
	b.Forget()
	run(t, b, 60*time.Millisecond)
	if pulses := b.Pulses(9); len(pulses) == 0 {
		t.Errorf("after the limits were erased: %+v", ask(t, b))
	}
}
