package arduino_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/firmware/arduino"
)

// What a script does beside feeding bytes, with bytes that Firmata never uses.
const (
	doWait    = 0xF8 // and three times as many ms as the next byte says
	doSwitch  = 0xFA // the stop switch changes
	doPower   = 0xFB // off and on again
	doCorrupt = 0xFC // the EEPROM byte at the next byte
)

// play carries a script out on a new board.
func play(t *testing.T, script []byte) {
	t.Helper()
	b := arduino.New()
	open := false
	for i := 0; i < len(script); i++ {
		var next byte
		if i+1 < len(script) {
			next = script[i+1]
		}
		switch script[i] {
		case doWait:
			b.Wait(3 * time.Millisecond * time.Duration(next))
			i++
		case doSwitch:
			open = !open
			b.StopSwitch(open)
		case doPower:
			b.Power()
		case doCorrupt:
			b.Corrupt(uint16(next), 1<<(i%8))
			i++
		default:
			b.Feed(script[i])
		}
		if err := b.Err(); err != nil {
			t.Fatalf("after %d of % X: %v", i+1, script, err)
		}
	}
	b.StopSwitch(false)
	b.Wait(time.Second)
	if err := b.Err(); err != nil {
		t.Fatalf("a second after % X: %v", script, err)
	}
}

func FuzzFirmware(f *testing.F) {
	for _, script := range []string{
		"\xFF\xF4\x09\x04\xE9\x5C\x0B\xF8\x40\xE9\x00\x00",                                 // a servo, a pause, a servo
		"\xFF\xF4\x06\x03\xE6\x40\x00\xFA\xE6\x50\x00\xFA\xF0\x0A\x01\xF7\xE6\x50\x00",     // PWM, stop switch, reset
		"\xFF\x91\x7F\x01\xF0\x0A\x06\xF7\x91\x7F\x01",                                     // a port, a host's stop
		"\xFF\xF0\x0A\x02\x09\x04\x00\x68\x07\x50\x0F\x5D\xF7\xF8\xFF\xFB\xFF\xE9\x5C\x0B", // a limit, power
		"\xFF\xF8\xFF\xFC\x20\xFB\xFF\x91\x7F\x01\xF0\x0A\x04\x2A\xF7\xFF\x91\x7F\x01",     // a corrupt limit, erased
		"\xFF\xF5\x0D\x01\xF0\x71\x01\xFE\x00\xF0\xF0\xF7\xE9\xF5\x0D\x01",                 // noise
		"\xFF\xF0\x6B\xF7\xF0\x69\xF7\xF0\x79\xF7\xF0\x6D\x09\xF7\xC0\x01\xD1\x01\xF8\x20", // every query
	} {
		f.Add([]byte(script))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 512 {
			t.Skip("takes too long: half of it may be pauses")
		}
		play(t, script)
	})
}

// random makes a script of mostly sensible messages, so that outputs do run,
// with everything that can go wrong between.
func random(r *rand.Rand, messages int) []byte {
	script := []byte{0xFF}
	pin := func() byte { return byte(r.IntN(22)) }
	seven := func() byte { return byte(r.IntN(128)) }
	for range messages {
		switch r.IntN(24) {
		case 0, 1, 2, 3:
			script = append(script, 0xF4, pin(), []byte{0, 1, 2, 3, 4, 4, 4, 11}[r.IntN(8)])
		case 4, 5, 6, 7, 8:
			value := 400 + r.IntN(2200)
			script = append(script, 0xE0|pin()&15, byte(value&0x7F), byte(value>>7))
		case 9, 10, 11:
			script = append(script, 0xE0|pin()&15, seven(), byte(r.IntN(2)))
		case 12, 13:
			script = append(script, 0x90|byte(r.IntN(3)), seven(), byte(r.IntN(2)))
		case 14:
			script = append(script, 0xF5, pin(), byte(r.IntN(2)))
		case 15:
			script = append(script, limit(r, pin())...)
		case 16:
			script = append(script, doWait, byte(r.IntN(180)))
		case 17:
			script = append(script, 0xF0, 0x70, pin(), seven(), byte(r.IntN(20)), seven(), byte(r.IntN(20)), 0xF7)
		case 18:
			script = append(script, byte(r.IntN(256)))
		case 19:
			script = append(script, [][]byte{{doSwitch}, {doPower}, {doCorrupt, seven()}, {doSwitch, doWait, 1, doSwitch}}[r.IntN(4)]...)
		case 20:
			script = append(script, 0xF0, 0x0A, 4, 0x2A, 0xF7)
		default:
			script = append(script, []byte{0xF0, 0x0A, 1, 0xF7, 0xFF}[r.IntN(2)*4:]...)
		}
	}
	return script
}

func limit(r *rand.Rand, pin byte) []byte {
	low, high := 500+r.IntN(1000), 1500+r.IntN(1000)
	mode := []byte{1, 3, 4, 4, 0x7F}[r.IntN(5)]
	if mode == 3 {
		low, high = r.IntN(100), 100+r.IntN(155)
	}
	m := []byte{2, pin, mode, byte(r.IntN(3)), byte(low & 0x7F), byte(low >> 7), byte(high & 0x7F), byte(high >> 7)}
	var sum byte
	for _, b := range m {
		sum += b
	}
	return append(append([]byte{0xF0, 0x0A}, m...), sum&0x7F, 0xF7)
}

// TestRandomStreams holds the checks of host.c over a million bytes or so.
func TestRandomStreams(t *testing.T) {
	before := arduino.Driven()
	n := 0
	for seed := range uint64(400) {
		script := random(rand.New(rand.NewPCG(seed, 1)), 400)
		n += len(script)
		play(t, script)
	}
	driven := arduino.Driven() - before
	t.Logf("%d bytes, outputs found driven %d times, never against a limit or a reason to stand still", n, driven)
	if driven < 100_000 {
		t.Errorf("outputs ran only %d times: the checks prove little", driven)
	}
}

// At the edges of the guard's times.
func TestEdges(t *testing.T) {
	b := arduino.New()
	b.Feed(0xFF, 0xF5, 13, 1)
	if b.Reasons() != 0 {
		t.Fatalf("reasons %#x", b.Reasons())
	}
	b.Wait(499 * time.Millisecond)
	if b.Reasons() != 0 {
		t.Error("stopped before 500 ms")
	}
	b.Wait(2 * time.Millisecond)
	if b.Reasons() != arduino.StopSilence {
		t.Errorf("reasons %#x after 501 ms", b.Reasons())
	}
	b.Feed(0xFF)
	for range 8 {
		b.Feed(0xF1)
	}
	b.Wait(time.Millisecond)
	if b.Reasons() != arduino.StopNoise {
		t.Errorf("reasons %#x after noise", b.Reasons())
	}
	// In quarantine a reset is not believed, 20 ms later it is.
	b.Feed(0xFF)
	if b.Reasons() != arduino.StopNoise {
		t.Error("a reset was believed right after noise")
	}
	b.Wait(25 * time.Millisecond)
	b.Feed(0xFF)
	if b.Reasons() != 0 {
		t.Errorf("reasons %#x after a reset", b.Reasons())
	}
	if err := b.Err(); err != nil {
		t.Error(err)
	}
}
