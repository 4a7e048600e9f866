package simavr_test

import (
	"testing"
	"time"

	"github.com/kuai-robot/kuai/firmware/simavr"
)

// Bytes of the protocol that the tests send.
const (
	reset    = 0xFF
	setMode  = 0xF4
	setPin   = 0xF5
	analog   = 0xE0
	digital  = 0x90
	sysex    = 0xF0
	sysexEnd = 0xF7
	kuai     = 0x0A

	modeOutput = 1
	modePWM    = 3
	modeServo  = 4
)

// Reasons to stand still.
const (
	stopBoot = 1 << iota
	stopSilence
	stopHost
	stopPin
	stopLimits
	stopNoise
)

func run(t *testing.T, b *simavr.Board, d time.Duration) {
	t.Helper()
	if err := b.RunFor(d); err != nil {
		t.Fatal(err)
	}
}

// say feeds a message and runs until the board has dealt with it.
func say(t *testing.T, b *simavr.Board, bytes ...byte) {
	t.Helper()
	if err := b.Feed(bytes...); err != nil {
		t.Fatal(err)
	}
	for b.Unread() > 0 {
		run(t, b, time.Millisecond)
	}
	run(t, b, 2*time.Millisecond)
}

func write(pin byte, value int) []byte {
	return []byte{analog | pin, byte(value & 0x7F), byte(value >> 7)}
}

func command(bytes ...byte) []byte {
	return append(append([]byte{sysex, kuai}, bytes...), sysexEnd)
}

// status is the board's answer to the status query.
type status struct{ stopped, cause, active, loopMicros, errors, refused, lost int }

func ask(t *testing.T, b *simavr.Board) status {
	t.Helper()
	b.Sent()
	say(t, b, command(0)...)
	var sent []byte
	for range 100 {
		run(t, b, 5*time.Millisecond)
		sent = append(sent, b.Sent()...)
		for i := len(sent) - 16; i >= 0; i-- {
			m := sent[i:]
			if m[0] == sysex && m[1] == kuai && m[2] == 0 && m[15] == sysexEnd {
				two := func(at int) int { return int(m[at]) | int(m[at+1])<<7 }
				return status{two(3), int(m[5]), int(m[6]), two(7), two(9), two(11), two(13)}
			}
		}
	}
	t.Fatalf("no status within half a second among % X", sent)
	return status{}
}

// begin powers a board up and begins a session.
func begin(t *testing.T, m *simavr.Model, change func(*simavr.Options), macros ...string) *simavr.Board {
	t.Helper()
	b := simavr.NewBoard(t, m, change, macros...)
	run(t, b, 50*time.Millisecond)
	say(t, b, reset)
	return b
}
