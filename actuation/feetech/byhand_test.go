package feetech_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/feetech"
	"github.com/kuai-robot/kuai/actuation/feetech/emulator"
	"github.com/kuai-robot/kuai/robot"
)

// hand is one joint that is calibrated by hand: elbow_flex, servo 3.
type hand struct {
	desc *robot.Description
	bus  *emulator.Bus
	*feetech.ByHand
}

func newHand(change func(*robot.Joint, *feetech.Servo)) *hand {
	h := &hand{desc: drivertest.Arm(), bus: emulator.New(3)}
	s := feetech.Servo{Joint: "elbow_flex", ID: 3}
	if change != nil {
		change(&h.desc.Joints[h.desc.Index("elbow_flex")], &s)
	}
	h.ByHand = feetech.NewByHand(h.desc, feetech.NewBus(h.bus.Port(), time.Millisecond), []feetech.Servo{s})
	return h
}

// joint gives the elbow and how many counts its range is.
func (h *hand) joint() (*robot.Joint, float64) {
	j := &h.desc.Joints[h.desc.Index("elbow_flex")]
	return j, (j.Limits.MaxPosition - j.Limits.MinPosition) * feetech.Counts / (2 * math.Pi)
}

func (h *hand) sweep(t *testing.T, way float64) *feetech.Sweep {
	t.Helper()
	s, counts := &feetech.Sweep{}, make([]int, 1)
	for n := 0; n <= 20; n++ {
		if n > 0 {
			h.bus.Turn(3, way/20)
		}
		if err := h.Counts(counts); err != nil {
			t.Fatal(err)
		}
		s.Add(counts[0])
	}
	return s
}

// Wherever the servo was screwed on and however it turns, a driver afterwards
// reads the joint's positions, and the servo keeps its range.
func TestByHandFitsAnyMounting(t *testing.T) {
	for _, reverse := range []float64{1, -1} {
		for turned := -2000.0; turned <= 2000; turned += 500 {
			h := newHand(nil)
			j, span := h.joint()
			if err := h.Limp(); err != nil {
				t.Fatal(err)
			}
			h.bus.Turn(3, turned) // stands in the middle now
			middle := h.bus.Word(3, feetech.RegPosition)
			h.bus.Turn(3, -reverse*span/2)
			s, shift, err := h.Fit(0, h.sweep(t, reverse*span), middle)
			if err != nil || s.Reverse != (reverse < 0) {
				t.Fatalf("turned by %g: %+v, %v", turned, s, err)
			}
			if err := h.Keep(&s, shift); err != nil {
				t.Fatal(err)
			}
			position := func(count int) float64 {
				q := float64(count-s.Zero) * 2 * math.Pi / feetech.Counts
				return reverse * q
			}
			if q := position(h.bus.Word(3, feetech.RegPosition)); math.Abs(q-j.Limits.MaxPosition) > 0.01 {
				t.Errorf("turned by %g: at the highest position it reads %g, want %g", turned, q, j.Limits.MaxPosition)
			}
			h.bus.Turn(3, -reverse*span)
			if q := position(h.bus.Word(3, feetech.RegPosition)); math.Abs(q-j.Limits.MinPosition) > 0.01 {
				t.Errorf("turned by %g: at the lowest position it reads %g, want %g", turned, q, j.Limits.MinPosition)
			}
			low, high := h.bus.Word(3, feetech.RegMinAngle), h.bus.Word(3, feetech.RegMaxAngle)
			if math.Abs(float64(high-low)-span) > 2 || low < 0 || high > 4095 {
				t.Errorf("turned by %g: the servo keeps %d to %d, want %g counts", turned, low, high, span)
			}
			h.bus.Set(3, feetech.RegTorque, 1)
			h.bus.Set(3, feetech.RegGoal, 0)
			h.bus.Set(3, feetech.RegGoal+1, 0)
			h.bus.Advance(3 * time.Second)
			if got := h.bus.Word(3, feetech.RegPosition); got != low {
				t.Errorf("turned by %g: told to go to 0 it went to %d, want %d", turned, got, low)
			}
		}
	}
}

func TestByHandMeasuresATurnThatIsNone(t *testing.T) {
	h := newHand(func(j *robot.Joint, _ *feetech.Servo) {
		j.Kind, j.Limits.MinPosition, j.Limits.MaxPosition, j.Home = robot.Prismatic, 0, 0.035, 0.01
	})
	s, _, err := h.Fit(0, h.sweep(t, 1400), 2748)
	if err != nil || math.Abs(s.PerTurn-0.035*4096/1400) > 1e-9 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestByHandRefuses(t *testing.T) {
	h := newHand(nil)
	_, span := h.joint()
	for want, fit := range map[string]func() error{
		"moved only": func() error { _, _, err := h.Fit(0, h.sweep(t, 10), 2048); return err },
		"of the": func() error {
			_, _, err := h.Fit(0, h.sweep(t, span/2), h.bus.Word(3, feetech.RegPosition)-int(span/4))
			return err
		},
		"an end missed?": func() error {
			at := h.bus.Word(3, feetech.RegPosition)
			_, _, err := h.Fit(0, h.sweep(t, span), at)
			return err
		},
		"did not end": func() error {
			s := h.sweep(t, span)
			for q := h.bus.Word(3, feetech.RegPosition); q > 0 && s.Way() > int(span/2); q -= 50 {
				s.Add(((q-50)%4096 + 4096) % 4096)
			}
			_, _, err := h.Fit(0, s, 0)
			return err
		},
	} {
		if err := fit(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	h.bus.Spoil(2) // asked for again
	if err := h.Counts(make([]int, 1)); err != nil {
		t.Error(err)
	}
	h.bus.Silence(3, true)
	for name, err := range map[string]error{"Limp": h.Limp(), "Counts": h.Counts(make([]int, 1)), "Keep": h.Keep(&feetech.Servo{Joint: "elbow_flex", ID: 3}, 0)} {
		if err == nil || !strings.Contains(err.Error(), "joint elbow_flex: servo 3: no answer") {
			t.Errorf("%s of a silent servo: %v", name, err)
		}
	}
}
