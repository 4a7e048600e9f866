package feetech_test

import (
	"math"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/feetech"
	"github.com/kuai-robot/kuai/robot"
)

// hostile is a wire at whose other end anything may be. It says data over and
// over, whatever it is asked.
type hostile struct {
	data  []byte
	at    int
	reads int
}

func (h *hostile) Write(p []byte) (int, error) { return len(p), nil }
func (h *hostile) Flush() error                { return nil }
func (h *hostile) Close() error                { return nil }

func (h *hostile) ReadFor(p []byte, _ time.Duration) (int, error) {
	h.reads++
	if len(h.data) == 0 {
		return 0, nil
	}
	n := copy(p[:min(len(p), 1+h.reads%13)], h.data[h.at:])
	h.at = (h.at + n) % len(h.data)
	return n, nil
}

// What is read of such a wire is no state, or one that the joints could be in;
// nothing is waited for without end, and a command is written or refused.
func FuzzAnswers(f *testing.F) {
	var good []byte
	for id := byte(1); id <= 6; id++ {
		good = feetech.Packet{ID: id, Params: []byte{0, 8, 0x10, 0x80, 0xF4, 0x05}}.Append(good)
	}
	wellbeing := feetech.Packet{ID: 1, Params: []byte{74, 30, 0, 0, 0, 0, 0, 255, 255}}.Append(nil)
	for _, seed := range [][]byte{
		nil, good, append(good, wellbeing...), good[3:], {0xFF}, {0xFF, 0xFF, 1, 2, 0x20, 0xDC}, {0xFF, 0xFF, 0xFE, 250, 0x83},
		feetech.Packet{ID: 3, Code: 0xFF, Params: []byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}}.Append(nil),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h := &hostile{data: data}
		clock := robot.NewManualClock(time.Unix(0, 0), robot.Time(time.Second))
		desc := drivertest.Arm()
		driver, err := feetech.New(desc, clock, config(), func() (feetech.Port, error) { return h, nil })
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			clock.Advance(10 * time.Millisecond)
			before := h.reads
			s, err := driver.Read()
			if h.reads-before > 500 {
				t.Fatalf("one Read waited %d times", h.reads-before)
			}
			if err == nil {
				sane(t, desc, &s, clock.Now())
			}
			if err := driver.Write(&robot.Command{Enable: true, Position: desc.Home()}); err != nil {
				t.Fatal(err)
			}
		}
		if r := driver.Report(); len(r.Servos) != 6 {
			t.Fatalf("%+v", r)
		}
	})
}

// sane fails if a joint is said to be where a servo cannot be.
func sane(t *testing.T, d *robot.Description, s *robot.State, now robot.Time) {
	t.Helper()
	if s.At > now {
		t.Fatalf("a state of %v at %v", s.At, now)
	}
	for i := range d.Joints {
		l := &d.Joints[i].Limits
		middle := (l.MinPosition + l.MaxPosition) / 2
		// Half a turn either side of the middle, and a count for rounding.
		if off := math.Abs(s.Position[i] - middle); !(off <= math.Pi+0.01) {
			t.Fatalf("joint %d is at %g", i, s.Position[i])
		}
		if !(math.Abs(s.Velocity[i]) <= 51) || !(math.Abs(s.Effort[i]) <= 2.1) || !(s.Temperature[i] >= 0 && s.Temperature[i] <= 255) {
			t.Fatalf("joint %d: %g rad/s, %g N·m, %g °C", i, s.Velocity[i], s.Effort[i], s.Temperature[i])
		}
	}
}
