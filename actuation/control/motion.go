package control

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
)

// order is what a source wants: a chunk, or a set-point as a chunk of one
// action. It is never written after it was put, but for taken.
type order struct {
	number     uint64
	chunk      robot.Chunk
	issued     robot.Time
	byVelocity bool
	taken      atomic.Bool
}

// motion is the order of one source as a motion: the order's own curve plus an
// offset that leads there from where the robot was commanded before and dies
// away.
type motion struct {
	order *order
	// from is when the offset began, over how many seconds it lasts, off and
	// speed its value and rate of change then.
	from             robot.Time
	over, off, speed robot.Joints
}

// take makes o the order to follow from now on.
func (m *motion) take(o *order) {
	m.order = o
	if o != nil {
		o.taken.Store(true)
	}
}

// blend begins the offset at the instant at, when the robot was commanded
// position q at velocity v. It lasts least, or longer where a joint needs it.
func (m *motion) blend(l *safety.Limits, at robot.Time, q, v *robot.Joints, least time.Duration) {
	m.from = at
	for i := range l.Joints() {
		if l.Wheel(i) {
			continue
		}
		target, rate := m.order.at(at, i)
		m.off[i], m.speed[i] = q[i]-target, v[i]-rate
		fastest, acceleration := l.Motion(i)
		m.over[i] = duration(m.off[i], m.speed[i], fastest, acceleration, least.Seconds())
	}
}

// duration gives the seconds for the cubic from (off, speed) to rest at zero.
// Over T it begins with the acceleration −6·off/T² − 4·speed/T, ends with
// 6·off/T² + 2·speed/T and goes at 1.5·off/T + speed at most; it may take half
// the acceleration there is. It overshoots when it comes in with
// T·speed > 3·off.
func duration(off, speed, fastest, acceleration, least float64) float64 {
	way, rate := math.Abs(off), math.Abs(speed)
	least = max(least, 1.5*way/fastest)
	if off*speed >= 0 {
		return max(least, (4*rate+math.Sqrt(16*rate*rate+12*acceleration*way))/acceleration)
	}
	over := max(least, (math.Sqrt(4*rate*rate+12*acceleration*way)-2*rate)/acceleration)
	if clear := 3 * way / rate; over > clear {
		over = min(over, max(clear, 4*rate/acceleration))
	}
	if (4*rate-6*way/over)/over > acceleration {
		return 4 * rate / acceleration // too near to come to rest before zero
	}
	return over
}

// least is the time over which o at least turns what m follows into its own.
// Set-points that follow each other fast have twice their distance: enough not
// to halt at each of them, and no more, since a hand that steers waits for it.
func (m *motion) least(o *order, blend time.Duration) time.Duration {
	const fastest = 5 // how often it fits into blend, however fast they come
	if m.order == nil || len(o.chunk.Actions) != 1 || len(m.order.chunk.Actions) != 1 {
		return blend
	}
	apart := o.chunk.Start.Sub(m.order.chunk.Start)
	if apart <= 0 || apart > blend {
		return blend
	}
	return min(max(2*apart, blend/fastest), blend)
}

// target gives what the motion wants of the joints at now.
func (m *motion) target(l *safety.Limits, now robot.Time, t *safety.Target) {
	o := m.order
	t.Issued, t.ObservedAt, t.Expires, t.ByVelocity = o.issued, o.chunk.ObservedAt, o.chunk.Expires, o.byVelocity
	for i := range l.Joints() {
		switch {
		case o.byVelocity:
			t.Velocity[i] = o.chunk.Actions[0][i]
		case l.Wheel(i):
			t.Velocity[i] = o.rate(now, i)
		default:
			off, speed := m.offset(now, i)
			position, velocity := o.at(now, i)
			t.Position[i], t.Velocity[i] = position+off, velocity+speed
		}
	}
}

// offset gives what is left of the offset, and how fast it changes: the cubic
// from (off, speed) to (0, 0).
func (m *motion) offset(now robot.Time, i int) (off, speed float64) {
	since := now.Sub(m.from).Seconds()
	if since >= m.over[i] {
		return 0, 0
	}
	return hermite(since/m.over[i], m.over[i], m.off[i], m.speed[i], 0, 0)
}

// at gives the position and velocity of joint i at t: the first action before
// Start, the last one after the end, between them a cubic curve through the
// actions.
func (o *order) at(t robot.Time, i int) (position, velocity float64) {
	actions := o.chunk.Actions
	k, s := o.find(t)
	if k < 0 {
		return actions[0][i], 0
	}
	if k >= len(actions)-1 {
		return actions[len(actions)-1][i], 0
	}
	step := o.chunk.Step.Seconds()
	return hermite(s, step, actions[k][i], o.slope(k, i), actions[k+1][i], o.slope(k+1, i))
}

// rate gives the velocity of wheel i at t, linear between the actions.
func (o *order) rate(t robot.Time, i int) float64 {
	actions := o.chunk.Actions
	k, s := o.find(t)
	if k < 0 {
		return actions[0][i]
	}
	if k >= len(actions)-1 {
		return actions[len(actions)-1][i]
	}
	return actions[k][i] + s*(actions[k+1][i]-actions[k][i])
}

// find gives the action before t and the share of the step that has passed
// since; −1 before the first.
func (o *order) find(t robot.Time) (k int, s float64) {
	since := t.Sub(o.chunk.Start)
	if since < 0 {
		return -1, 0
	}
	if len(o.chunk.Actions) == 1 {
		return 0, 0
	}
	return int(since / o.chunk.Step), float64(since%o.chunk.Step) / float64(o.chunk.Step)
}

// slope gives the velocity at action k: the harmonic mean of the slopes to
// either side (Fritsch and Butland 1984, monotone: the curve never leaves the
// range of the actions around it), zero at a turning point and at the end,
// where the joint is to rest.
func (o *order) slope(k, i int) float64 {
	actions, step := o.chunk.Actions, o.chunk.Step.Seconds()
	if k == len(actions)-1 {
		return 0
	}
	after := (actions[k+1][i] - actions[k][i]) / step
	if k == 0 {
		return after
	}
	before := (actions[k][i] - actions[k-1][i]) / step
	if before*after <= 0 {
		return 0
	}
	return 2 * before * after / (before + after)
}

// hermite gives the cubic with values p, q and slopes u, v at the ends of an
// interval of length T, at the share s of it, and its slope there.
func hermite(s, T, p, u, q, v float64) (value, slope float64) {
	r := 1 - s
	value = p*r*r*(1+2*s) + q*s*s*(3-2*s) + T*s*r*(u*r-v*s)
	slope = 6*s*r*(q-p)/T + u*r*(1-3*s) + v*s*(3*s-2)
	return value, slope
}
