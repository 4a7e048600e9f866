package simavr_test

import (
	"testing"
	"time"

	"github.com/kuai-robot/kuai/firmware/simavr"
)

func TestServoPulses(t *testing.T) {
	b := begin(t, nil)
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
	t.Log(ask(t, b))
}

func TestPWM(t *testing.T) {
	b := begin(t, nil)
	for _, pin := range []byte{3, 5, 6, 11} {
		say(t, b, setMode, pin, modePWM)
		say(t, b, write(pin, 64)...)
		b.Forget()
		run(t, b, 50*time.Millisecond)
		pulses := b.Pulses(int(pin))
		t.Log(pin, len(pulses), b.Level(int(pin)))
		if len(pulses) > 2 {
			t.Log(pulses[1].Width, simavr.Duration(pulses[2].Start-pulses[1].Start))
		}
	}
}
