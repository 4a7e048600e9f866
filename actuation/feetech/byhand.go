package feetech

import (
	"errors"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// ByHand calibrates servos while a person moves their joints: Limp, then Counts
// again and again into one Sweep for each joint, Fit for each, and Keep.
type ByHand struct {
	bus    *Bus
	desc   *robot.Description
	servos []Servo
}

// NewByHand calibrates servos, of which joint and id are known, on bus.
func NewByHand(d *robot.Description, bus *Bus, servos []Servo) *ByHand {
	return &ByHand{bus: bus, desc: d, servos: servos}
}

// tries is how often a servo is asked before it counts as not there.
const tries = 3

// Limp cuts the torque of all servos. The error names each that does not answer.
func (h *ByHand) Limp() error {
	var errs []error
	for _, s := range h.servos {
		errs = append(errs, h.retry(&s, func() error { _, err := h.bus.Write(s.ID, RegTorque, 0); return err }))
	}
	return errors.Join(errs...)
}

// Counts reads where all servos stand.
func (h *ByHand) Counts(counts []int) error {
	for i := range h.servos {
		s := &h.servos[i]
		err := h.retry(s, func() error {
			var raw [2]byte
			_, err := h.bus.Read(s.ID, RegPosition, raw[:])
			counts[i] = Word(raw[:])
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (h *ByHand) retry(s *Servo, do func() error) (err error) {
	for range tries {
		if err = do(); err == nil || !errors.Is(err, ErrSilent) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("joint %s: %w", s.Joint, err)
	}
	return nil
}

// How well a sweep must fit.
const (
	// enough is the share of the described range that a turning joint must go.
	enough = 0.9
	// straight is the share of the whole range that must lie between the ends.
	straight = 0.9
	// aside is the share of the range by which the middle may be off.
	aside = 0.2
)

// Fit gives the calibration of servo i from a sweep that began at the joint's
// lowest position and ended at its highest, and by how much the servo's offset
// must be shifted. middle is the count in the middle of the range, as a person
// showed it before: a check that no end was missed.
func (h *ByHand) Fit(i int, sweep *Sweep, middle int) (fitted Servo, shift int, err error) {
	s := h.servos[i]
	limits := &h.desc.Joints[h.desc.Index(s.Joint)].Limits
	turning := h.desc.Joints[h.desc.Index(s.Joint)].Kind == robot.Revolute
	if shift, err = sweep.Offset(); err != nil {
		return s, 0, err
	}
	low, high := sweep.Range()
	span, want := float64(high-low), limits.MaxPosition-limits.MinPosition
	s.Reverse = sweep.Way() < 0
	if !turning && s.PerTurn == 0 {
		s.PerTurn = want / span * Counts
	}
	off := math.Abs(float64(wrap(middle - (low+high)/2)))
	switch moved := span * math.Abs(s.scale()); {
	case math.Abs(float64(sweep.Way())) < straight*span:
		return s, 0, errors.New("the sweep did not end at the other end (go from the lowest position to the highest, and stay there)")
	case moved < enough*want:
		return s, 0, fmt.Errorf("it moved %.2f of the %.2f that its limits allow (go to both ends, or narrow its limits in the description)", moved, want)
	case off > aside*span:
		return s, 0, fmt.Errorf("the middle that was shown lies %.0f %% of the range away from the middle of the sweep (was an end missed?)", 100*off/span)
	}
	s.Zero = Counts/2 - int(math.Round((limits.MinPosition+limits.MaxPosition)/2/s.scale()))
	return s, shift, s.check(&h.desc.Joints[h.desc.Index(s.Joint)])
}

// Keep writes the offset of a fitted servo into it, and its joint's limits as
// the range that it keeps by itself.
func (h *ByHand) Keep(s *Servo, shift int) error {
	limits := &h.desc.Joints[h.desc.Index(s.Joint)].Limits
	a, b := s.count(limits.MinPosition), s.count(limits.MaxPosition)
	err := h.bus.SetOffset(s.ID, shift)
	if err == nil {
		err = h.bus.SetRange(s.ID, min(a, b), max(a, b))
	}
	if err != nil {
		return fmt.Errorf("joint %s: %w", s.Joint, err)
	}
	return nil
}
