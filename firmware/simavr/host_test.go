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
	if err := (simavr.Host{Board: b}).Say(bytes...); err != nil {
		t.Fatal(err)
	}
}

func write(pin byte, value int) []byte {
	return []byte{analog | pin, byte(value & 0x7F), byte(value >> 7)}
}

func command(bytes ...byte) []byte {
	return append(append([]byte{sysex, kuai}, bytes...), sysexEnd)
}

func ask(t *testing.T, b *simavr.Board) simavr.Status {
	t.Helper()
	s, err := simavr.Host{Board: b}.Ask()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// begin powers a board up and begins a session.
func begin(t *testing.T, m *simavr.Model, change func(*simavr.Options), macros ...string) *simavr.Board {
	t.Helper()
	b := simavr.NewBoard(t, m, change, macros...)
	run(t, b, 50*time.Millisecond)
	say(t, b, reset)
	return b
}
