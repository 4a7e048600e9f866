package household

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// How much of a joint's limits a motion uses: below 1, so that the safety core
// has nothing to clip and the servos can follow.
const (
	speedShare = 0.9
	accelShare = 0.75
)

// motion follows a path of joint positions from rest to rest. Along the path
// runs a parameter in which every stretch takes as long as its slowest joint
// needs at full speed.
type motion struct {
	knots []robot.Joints
	at    []float64 // parameter of each knot
	start robot.Time
	// speed is what the parameter grows by in a second on the way, accel how fast
	// that comes and goes, full the time at speed, ramp that of each ramp.
	speed, accel, full, ramp float64
}

// newMotion begins at start; slowdown 1 is as fast as it may be.
func newMotion(d *robot.Description, knots []robot.Joints, start robot.Time, slowdown float64) *motion {
	m := &motion{knots: knots[:1], at: []float64{0}, start: start, speed: speedShare / slowdown}
	m.accel = math.Inf(1)
	for _, q := range knots[1:] {
		before := &m.knots[len(m.knots)-1]
		long := 0.0
		for j := range d.Joints {
			long = max(long, math.Abs(q[j]-before[j])/d.Joints[j].Limits.MaxVelocity)
		}
		if long < 1e-6 {
			continue
		}
		for j := range d.Joints {
			if grows := math.Abs(q[j]-before[j]) / long; grows > 1e-9 {
				m.accel = min(m.accel, accelShare*d.Joints[j].Limits.MaxAcceleration/grows/slowdown)
			}
		}
		m.knots, m.at = append(m.knots, q), append(m.at, m.at[len(m.at)-1]+long)
	}
	way := m.at[len(m.at)-1]
	if way == 0 {
		return m
	}
	m.speed = min(m.speed, math.Sqrt(m.accel*way))
	m.ramp = m.speed / m.accel
	m.full = way/m.speed - m.ramp
	return m
}

// end is when it comes to rest.
func (m *motion) end() robot.Time {
	return m.start + robot.Time((m.full+2*m.ramp)*1e9)
}

// position gives where it is at an instant.
func (m *motion) position(now robot.Time) robot.Joints {
	t := float64(now-m.start) / 1e9
	total := m.full + 2*m.ramp
	way := m.at[len(m.at)-1]
	s := way
	switch {
	case t <= 0:
		s = 0
	case t < m.ramp:
		s = m.accel * t * t / 2
	case t < m.ramp+m.full:
		s = m.speed * (t - m.ramp/2)
	case t < total:
		s = way - m.accel*(total-t)*(total-t)/2
	}
	for k := 1; k < len(m.at); k++ {
		if s <= m.at[k] {
			share := (s - m.at[k-1]) / (m.at[k] - m.at[k-1])
			q := m.knots[k-1]
			for j := range q {
				q[j] += share * (m.knots[k][j] - q[j])
			}
			return q
		}
	}
	return m.knots[len(m.knots)-1]
}
