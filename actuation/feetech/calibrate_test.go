package feetech_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kuai-robot/kuai/actuation/feetech"
	"github.com/kuai-robot/kuai/actuation/feetech/emulator"
)

func TestSweepAcrossTheSeam(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.IntRange(0, 4095).Draw(t, "start")
		span := rapid.IntRange(64, 4000).Draw(t, "span")
		var s feetech.Sweep
		for q := 0; q <= span; q += 50 {
			s.Add((start + q) % feetech.Counts)
		}
		s.Add((start + span) % feetech.Counts)
		for q := span; q >= 0; q -= 70 {
			s.Add((start + q) % feetech.Counts)
		}
		if low, high := s.Range(); low != start || high != start+span {
			t.Fatalf("range %d to %d, want %d to %d", low, high, start, start+span)
		}
		offset, err := s.Offset()
		if err != nil || offset < -2047 || offset > 2047 {
			t.Fatalf("offset %d, %v", offset, err)
		}
		for q := 0; q <= span; q++ {
			count := ((start+q-offset)%feetech.Counts + feetech.Counts) % feetech.Counts
			if off := count - (2048 - span/2 + q); off < -1 || off > 1 {
				t.Fatalf("at %d of %d the count is %d", q, span, count)
			}
		}
	})
}

func TestSweepRefuses(t *testing.T) {
	for want, add := range map[string][]int{
		"was not read": {},
		"moved only 3": {100, 103},
		"than a turn":  {0, 2000, 4000, 1900, 3900},
	} {
		var s feetech.Sweep
		for _, c := range add {
			s.Add(c)
		}
		if _, err := s.Offset(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", add, err, want)
		}
	}
}

func TestCalibrationMovesTheSeam(t *testing.T) {
	e := emulator.New(7)
	bus := feetech.NewBus(e.Port(), time.Millisecond)
	read := func() int {
		t.Helper()
		var raw [2]byte
		if _, err := bus.Read(7, feetech.RegPosition, raw[:]); err != nil {
			t.Fatal(err)
		}
		return feetech.Word(raw[:])
	}
	e.Turn(7, 1700) // stands at 3748, its range is 3748 to 5748: across the seam
	var s feetech.Sweep
	for range 20 {
		s.Add(read())
		e.Turn(7, 100)
	}
	s.Add(read())
	offset, err := s.Offset()
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.SetOffset(7, offset); err != nil {
		t.Fatal(err)
	}
	if got := read(); got != 3048 {
		t.Errorf("at the upper end the count is %d, want 2048 + 1000", got)
	}
	e.Turn(7, -2000)
	if got := read(); got != 1048 {
		t.Errorf("at the lower end the count is %d, want 2048 − 1000", got)
	}
	if e.Byte(7, feetech.RegLock) != 1 || e.Byte(7, feetech.RegTorque) != 0 {
		t.Error("the memory is not locked again")
	}
	// Once more, it is already right; the offset there is counts.
	if err := bus.SetOffset(7, 0); err != nil || read() != 1048 {
		t.Errorf("a second time: %d, %v", read(), err)
	}
	e.Silence(7, true)
	if err := bus.SetOffset(7, 0); err == nil || !strings.Contains(err.Error(), "servo 7: no answer") {
		t.Errorf("of a silent servo: %v", err)
	}
}

func TestSignBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bit := rapid.SampledFrom([]int{10, 11, 15}).Draw(t, "bit")
		v := rapid.IntRange(-(1<<bit)+1, 1<<bit-1).Draw(t, "v")
		if got := feetech.Signed(feetech.SignBit(v, bit), bit); got != v {
			t.Fatalf("%d comes back as %d", v, got)
		}
	})
	if math.Signbit(float64(feetech.Signed(1<<10, 10))) {
		t.Error("minus zero")
	}
}
