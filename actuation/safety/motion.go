package safety

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// motion is the decision of how fast each joint goes for one tick. Position
// advances by velocity · dt, so a velocity is what the tick's mean will be.
type motion struct {
	l  *Limits
	dt float64 // s, above 0
	// from and speed are the position and velocity of the tick before.
	from, speed *robot.Joints
	// wish is the velocity that is wanted of each joint and that its own limits
	// allow; brake is the one that brakes it hardest.
	wish, brake robot.Joints
	limited     Limit
}

// follow lets joint i meet a target that is at position when the tick ends and
// moves at velocity. Within the limits it is met exactly, without lag; a
// farther one is approached in the shortest time and without overshoot.
func (m *motion) follow(i int, position, velocity, share float64) {
	limits := &m.l.desc.Joints[i].Limits
	target := clamp(position, limits.MinPosition, limits.MaxPosition)
	if target != position {
		m.limited |= LimitPosition
		velocity = 0
	}
	velocity = clamp(velocity, -limits.MaxVelocity, limits.MaxVelocity)
	err := target - m.from[i] - velocity*m.dt
	m.steer(i, velocity+approach(err, limits.MaxAcceleration, m.dt), share)
}

// steer lets joint i go at velocity as nearly as its limits allow; share is
// the part of its maximum velocity that it may use.
func (m *motion) steer(i int, velocity, share float64) {
	joint := &m.l.desc.Joints[i]
	fastest := joint.Limits.MaxVelocity
	if abs(velocity) > fastest {
		m.limited |= LimitVelocity
	}
	if share < 1 && abs(velocity) > share*fastest {
		m.limited |= LimitDerated
	}
	velocity = clamp(velocity, -share*fastest, share*fastest)

	// What the acceleration allows comes after the derated speed: a joint that
	// is suddenly too fast slows down, it does not halt.
	change := joint.Limits.MaxAcceleration * m.dt
	wish := clamp(velocity, m.speed[i]-change, m.speed[i]+change)
	if wish != velocity {
		m.limited |= LimitAcceleration
	}
	m.brake[i] = clamp(0, m.speed[i]-change, m.speed[i]+change)
	if joint.Kind != robot.Wheel {
		inside := m.inside(i, wish)
		if inside != wish {
			m.limited |= LimitPosition
		}
		wish = inside
	}
	m.wish[i] = wish
}

// inside cuts velocity so that joint i can come to rest before its limits.
// Once that holds, braking at the maximum acceleration keeps it true for any
// length of the ticks that follow.
func (m *motion) inside(i int, velocity float64) float64 {
	limits := &m.l.desc.Joints[i].Limits
	down := max(0, m.from[i]-limits.MinPosition)
	up := max(0, limits.MaxPosition-m.from[i])
	return clamp(velocity, -stoppable(down, limits.MaxAcceleration, m.dt), stoppable(up, limits.MaxAcceleration, m.dt))
}

// at is where joint i is after the tick at velocity: never farther outside
// its limits than before.
func (m *motion) at(i int, velocity float64) float64 {
	limits := &m.l.desc.Joints[i].Limits
	low := min(limits.MinPosition, m.from[i])
	high := max(limits.MaxPosition, m.from[i])
	return clamp(m.from[i]+velocity*m.dt, low, high)
}

// approach gives the velocity of the tick that begins the fastest way to a
// point at distance err that ends there at rest, when every later tick is as
// long as this one and slows down by at most a·dt: with n ticks of braking
// after it, err = dt·((n+1)·v − a·dt·n·(n+1)/2).
func approach(err, a, dt float64) float64 {
	step := a * dt * dt
	distance := abs(err)
	n := math.Floor((math.Sqrt(1+8*distance/step) - 1) / 2)
	return math.Copysign(distance/(dt*(n+1))+a*dt*n/2, err)
}

// stoppable gives the largest velocity v with v·dt + v²/2a ≤ distance: after
// this tick the joint can stop in what is left, whatever the ticks' lengths.
func stoppable(distance, a, dt float64) float64 {
	return 2 * distance / (dt + math.Sqrt(dt*dt+2*distance/a))
}

// braking gives the way that joint i goes in k ticks after one at velocity,
// slowing down as hard as it may.
func (m *motion) braking(i, k int, velocity float64) float64 {
	change := m.l.desc.Joints[i].Limits.MaxAcceleration * m.dt
	n := min(float64(k), math.Floor(abs(velocity)/change))
	return math.Copysign(m.dt*n*(abs(velocity)-change*(n+1)/2), velocity)
}

func clamp(v, low, high float64) float64 { return max(low, min(high, v)) }

func abs(v float64) float64 { return math.Abs(v) }
