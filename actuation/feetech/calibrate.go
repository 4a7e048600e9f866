package feetech

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// Servo says which servo moves a joint and how their numbers belong together.
type Servo struct {
	// Joint names the joint, ID its servo, 0 to 253.
	Joint string `yaml:"joint"`
	ID    byte   `yaml:"id"`
	// Zero is the count at which the joint stands at 0.
	Zero int `yaml:"zero"`
	// Reverse: counts grow when the joint's position falls.
	Reverse bool `yaml:"reverse"`
	// PerTurn is how far the joint goes in a turn of the servo, rad or m;
	// default 2π.
	PerTurn float64 `yaml:"per_turn"`
	// StallEffort is what the servo exerts at full load; default the joint's
	// maximum. The servo reports its load, so effort is an estimate.
	StallEffort float64 `yaml:"stall_effort"`
}

// scale is rad or m for a count, with its sign.
func (s *Servo) scale() float64 {
	turn := 2 * math.Pi
	if s.PerTurn != 0 {
		turn = s.PerTurn
	}
	if s.Reverse {
		return -turn / Counts
	}
	return turn / Counts
}

// count gives the count at position q, which may lie outside 0 to 4095.
func (s *Servo) count(q float64) int { return s.Zero + int(math.Round(q/s.scale())) }

// position gives the position at a count: of the turns that come into question
// the one nearest to middle.
func (s *Servo) position(count int, middle float64) float64 {
	around := s.count(middle)
	return float64(around+wrap(count-around)-s.Zero) * s.scale()
}

// wrap brings a difference of counts into −2048 to 2047: the short way.
func wrap(d int) int {
	d = (d + Counts/2) % Counts
	if d < 0 {
		d += Counts
	}
	return d - Counts/2
}

// check says whether every position of the joint has a count of its own.
func (s *Servo) check(j *robot.Joint) error {
	if s.ID >= Broadcast {
		return fmt.Errorf("id %d is not 0 to 253", s.ID)
	}
	if math.IsNaN(s.PerTurn) || math.IsInf(s.PerTurn, 0) || s.PerTurn < 0 || !(s.StallEffort >= 0) || math.IsInf(s.StallEffort, 0) {
		return errors.New("per_turn and stall_effort must be numbers of at least 0")
	}
	if j.Kind == robot.Wheel {
		return errors.New("wheels are not driven by this bus yet; use position joints")
	}
	if span := (j.Limits.MaxPosition - j.Limits.MinPosition) / math.Abs(s.scale()); span >= Counts {
		return fmt.Errorf("its range is %.0f counts, a turn has %d", span, Counts)
	}
	low, high := s.count(j.Limits.MinPosition), s.count(j.Limits.MaxPosition)
	if min(low, high) < 0 || max(low, high) >= Counts {
		return fmt.Errorf("its range is count %d to %d, but a servo takes 0 to %d (calibrate it, which moves the seam out of the way)", low, high, Counts-1)
	}
	return nil
}

// Sweep follows a joint that is moved through its range by hand.
type Sweep struct {
	begun     bool
	last      int
	first     int
	unwrapped int
	low, high int
}

// Add takes a count. Two in a row must be less than half a turn apart.
func (s *Sweep) Add(count int) {
	if !s.begun {
		*s = Sweep{begun: true, last: count, first: count, unwrapped: count, low: count, high: count}
	}
	s.unwrapped += wrap(count - s.last)
	s.last = count
	s.low, s.high = min(s.low, s.unwrapped), max(s.high, s.unwrapped)
}

// Range gives the lowest and highest count met; outside 0 to 4095 where the
// joint passed the seam.
func (s *Sweep) Range() (low, high int) { return s.low, s.high }

// Offset gives how far counts must be shifted down so that the middle of the
// range becomes 2048 and the seam lies outside it, −2047 to 2047.
func (s *Sweep) Offset() (int, error) {
	switch span := s.high - s.low; {
	case !s.begun:
		return 0, errors.New("the joint was not read")
	case span < Counts/64:
		return 0, fmt.Errorf("the joint moved only %d of %d counts (move it from one end to the other)", span, Counts)
	case span >= Counts:
		return 0, fmt.Errorf("the joint moved %d counts, more than a turn (is it a wheel?)", span)
	}
	return max(wrap((s.low+s.high)/2-Counts/2), -Counts/2+1), nil
}

// Way gives how far the joint has come since the first count, up or down.
func (s *Sweep) Way() int { return s.unwrapped - s.first }

// SetOffset writes the offset of one servo into the memory that keeps. The
// torque goes off; shift is added to the offset there was, which counts that
// were read contain already.
func (b *Bus) SetOffset(id byte, shift int) error {
	var raw [2]byte
	if _, err := b.Read(id, RegOffset, raw[:]); err != nil {
		return err
	}
	offset := wrap(Signed(Word(raw[:]), offsetSign) + shift)
	PutWord(raw[:], SignBit(max(offset, -Counts/2+1), offsetSign))
	return b.keep(id, RegOffset, raw[:])
}

// SetRange writes the counts beyond which a servo itself does not go.
func (b *Bus) SetRange(id byte, low, high int) error {
	var raw [4]byte
	PutWord(raw[:], max(low, 0))
	PutWord(raw[2:], min(high, Counts-1))
	return b.keep(id, RegMinAngle, raw[:])
}

// keep writes registers of the memory that keeps, torque off.
func (b *Bus) keep(id, address byte, data []byte) error {
	for _, w := range []struct {
		address byte
		data    []byte
	}{{RegTorque, []byte{0}}, {RegLock, []byte{0}}, {address, data}, {RegLock, []byte{1}}} {
		if _, err := b.Write(id, w.address, w.data...); err != nil {
			return fmt.Errorf("servo %d: register %d: %w", id, w.address, err)
		}
	}
	return nil
}

// usualTimeout is how long an answer may take: a servo's own 0.5 ms and what a
// USB adapter adds (set its latency timer to 1 ms).
const usualTimeout = 5 * time.Millisecond
