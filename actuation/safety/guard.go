package safety

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
)

const (
	// foresight is how much farther than the clearance a motion that is still
	// to be decided keeps off, m: room for ticks of unequal length.
	foresight = 0.001
	// spacing is how far a joint goes, rad or m, between two looks at its way to
	// rest, about: an arm of half a metre then strays from what is seen by less
	// than the foresight.
	spacing = 0.04
	// halvings of the way between braking and the wish before settling.
	halvings = 4
)

// guard changes wish so that the robot stays clear: it only takes up a motion
// out of which braking leads to rest without a contact. It is false when not
// even braking does.
func (m *motion) guard() bool {
	s := &m.l.shape
	before := pose{q: m.from}
	broken := m.foresee(&m.wish, &before)
	if broken == 0 {
		return true
	}
	m.limited |= broken
	wish := m.wish
	m.yield(&wish, &before)
	var next segments
	m.coast(&m.wish, 0, &next)
	return s.check(&next, &before, 0) == 0
}

// yield gives up as little of wish as it can: first of all joints alike, then
// each joint gets back what does no harm, so that the robot slides along what
// it may not pass.
func (m *motion) yield(wish *robot.Joints, before *pose) {
	low, high := 0.0, 1.0
	m.wish = m.brake
	for range halvings {
		try, share := m.brake, (low+high)/2
		for i := range m.l.desc.Joints {
			try[i] += share * (wish[i] - m.brake[i])
		}
		if m.foresee(&try, before) == 0 {
			low, m.wish = share, try
		} else {
			high = share
		}
	}
	for i := range m.l.desc.Joints {
		try := m.wish
		try[i] = wish[i]
		if try != m.wish && m.foresee(&try, before) == 0 {
			m.wish = try
		}
	}
}

// foresee says which limits are broken after a tick at velocities v or on the
// way to rest from there. The end comes first: it is the likeliest to fail.
func (m *motion) foresee(v *robot.Joints, before *pose) Limit {
	var at segments
	ticks, looks := 0, 1
	for i := range m.l.desc.Joints {
		ticks = max(ticks, int(abs(v[i])/(m.l.desc.Joints[i].Limits.MaxAcceleration*m.dt)))
		looks = max(looks, int(abs(m.braking(i, math.MaxInt, v[i]))/spacing))
	}
	for look := looks; look >= 0; look-- {
		m.coast(v, ticks*look/looks, &at)
		if broken := m.l.shape.check(&at, before, foresight); broken != 0 {
			return broken
		}
	}
	return 0
}

// coast gives the capsules k ticks of braking after one at velocities v.
func (m *motion) coast(v *robot.Joints, k int, out *segments) {
	var q robot.Joints
	for i := range m.l.desc.Joints {
		if m.l.desc.Joints[i].Kind != robot.Wheel {
			q[i] = m.at(i, v[i]) + m.braking(i, k, v[i])
		}
	}
	m.l.shape.place(&q, out)
}
