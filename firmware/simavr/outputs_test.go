package simavr_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/firmware/simavr"
)

// The firmware leaves room: a Nano has as little memory as an Uno.
func TestSize(t *testing.T) {
	for _, m := range []*simavr.Model{simavr.Uno, simavr.Mega} {
		_, printed := simavr.Build(t, m)
		var name, mcu string
		var flash, flashRoom, ram, ramRoom int
		_, err := fmt.Sscanf(printed, "firmware %s (%s flash %d of %d bytes, RAM %d of %d bytes", &name, &mcu, &flash, &flashRoom, &ram, &ramRoom)
		if err != nil {
			t.Fatalf("%v: the build printed %q", err, printed)
		}
		t.Log(strings.TrimSpace(printed))
		// The stack takes what is left of the RAM: see TestLongestPass.
		if flash > flashRoom/2 || ram > ramRoom-1000 {
			t.Errorf("%s: %d of %d bytes of flash, %d of %d of RAM", name, flash, flashRoom, ram, ramRoom)
		}
	}
}

func TestServoPulses(t *testing.T) {
	b := begin(t, simavr.Uno, nil)
	say(t, b, setMode, 9, modeServo)
	for _, want := range []int{544, 1500, 2400, 2500, 500} {
		say(t, b, write(9, want)...)
		run(t, b, 25*time.Millisecond)
		b.Forget()
		run(t, b, 100*time.Millisecond)
		pulses := b.Pulses(9)
		if len(pulses) < 4 {
			t.Fatalf("%d us: %d pulses in 100 ms", want, len(pulses))
		}
		for i, p := range pulses {
			if off := p.Width - time.Duration(want)*time.Microsecond; off.Abs() > 15*time.Microsecond {
				t.Errorf("a pulse of %d us took %v", want, p.Width)
			}
			if i > 0 {
				if frame := simavr.Duration(p.Start - pulses[i-1].Start); (frame - 20*time.Millisecond).Abs() > 100*time.Microsecond {
					t.Errorf("pulses %v apart", frame)
				}
			}
		}
	}
}

func TestPWM(t *testing.T) {
	for _, c := range []struct {
		model *simavr.Model
		pins  []int
	}{{simavr.Uno, []int{3, 5, 6, 11}}, {simavr.Mega, []int{3, 4, 5, 6, 7, 8, 9, 10, 13}}} {
		b := begin(t, c.model, nil)
		for _, pin := range c.pins {
			say(t, b, setMode, byte(pin), modePWM)
			say(t, b, write(byte(pin), 64)...)
			b.Forget()
			run(t, b, 10*time.Millisecond)
			pulses := b.Pulses(pin)
			if len(pulses) < 8 || len(pulses) > 11 {
				t.Errorf("%s pin %d: %d pulses in 10 ms, want about 10", c.model.Name, pin, len(pulses))
				continue
			}
			if off := pulses[1].Width - 256*time.Microsecond; off.Abs() > time.Microsecond {
				t.Errorf("%s pin %d: a duty of 64 is high for %v, want 256 us", c.model.Name, pin, pulses[1].Width)
			}
			for value, level := range map[int]simavr.Level{255: simavr.High, 0: simavr.Low} {
				say(t, b, write(byte(pin), value)...)
				b.Forget()
				run(t, b, 5*time.Millisecond)
				if n := len(b.Edges(pin)); n > 0 || b.Level(pin) != level {
					t.Errorf("%s pin %d: duty %d is %v with %d edges", c.model.Name, pin, value, b.Level(pin), n)
				}
			}
		}
	}
}
