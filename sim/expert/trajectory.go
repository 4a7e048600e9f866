package expert

import (
	"math"
	"sort"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// How much of a joint's limits a trajectory uses: below 1, so that the safety
// core has nothing to clip and the servos can follow.
const (
	speedShare = 0.85
	accelShare = 0.7
	// bendShare of the acceleration may go into following a bend at speed; the
	// rest is left for speeding up and braking on it.
	bendShare = 0.6
	// gridPerKnot is how finely the speed along the path is planned.
	gridPerKnot = 4
)

// trajectory is a spline with a speed along it: at rest where it begins (unless
// it brakes) and where it ends.
type trajectory struct {
	curve *spline
	start robot.Time
	// At parameter s[i], reached t[i] seconds after start, the parameter grows
	// by speed[i] a second, and that may change by accel[i] a second.
	s, speed, t []float64
	// before is the motion that this one brakes; nil: rest.
	before *trajectory
	accel  []float64
}

// newTrajectory times a path through knots, as fast as the limits divided by
// slowdown allow: a forward and a backward pass over the speed along the path
// (after Bobrow, Dubowsky and Gibson 1985).
func newTrajectory(d *robot.Description, knots []robot.Joints, start robot.Time, slowdown float64) *trajectory {
	tr := &trajectory{curve: newSpline(d, knots), start: start}
	n := (len(tr.curve.at)-1)*gridPerKnot + 1
	tr.s, tr.speed, tr.accel = make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		knot, part := i/gridPerKnot, float64(i%gridPerKnot)/gridPerKnot
		tr.s[i] = tr.curve.at[knot]
		if part > 0 {
			tr.s[i] += part * (tr.curve.at[knot+1] - tr.curve.at[knot])
		}
		tr.speed[i] = tr.fastest(d, tr.s[i], slowdown)
	}
	tr.speed[0], tr.speed[n-1] = 0, 0
	for i := range n {
		tr.accel[i] = tr.strongest(d, i, slowdown)
	}
	for i := 1; i < n; i++ {
		tr.speed[i] = min(tr.speed[i], tr.reachable(i-1, i))
	}
	for i := n - 2; i >= 0; i-- {
		tr.speed[i] = min(tr.speed[i], tr.reachable(i+1, i))
	}
	tr.findTimes()
	return tr
}

// fastest gives the greatest speed at s that keeps every joint under its speed
// limit and leaves acceleration to spare.
func (tr *trajectory) fastest(d *robot.Description, s, slowdown float64) float64 {
	_, d1, d2 := tr.curve.eval(s)
	fastest := math.Inf(1)
	for j := range d.Joints {
		l := &d.Joints[j].Limits
		fastest = min(fastest, speedShare*l.MaxVelocity/slowdown/max(math.Abs(d1[j]), 1e-9))
		fastest = min(fastest, math.Sqrt(bendShare*accelShare*l.MaxAcceleration/slowdown/max(math.Abs(d2[j]), 1e-9)))
	}
	return fastest
}

// strongest gives the change of speed along the path that the joints can
// follow at grid point i at its fastest.
func (tr *trajectory) strongest(d *robot.Description, i int, slowdown float64) float64 {
	_, d1, d2 := tr.curve.eval(tr.s[i])
	strongest := math.Inf(1)
	for j := range d.Joints {
		spare := accelShare*d.Joints[j].Limits.MaxAcceleration/slowdown - math.Abs(d2[j])*tr.speed[i]*tr.speed[i]
		strongest = min(strongest, max(spare, 0)/max(math.Abs(d1[j]), 1e-9))
	}
	return strongest
}

// reachable gives the greatest speed at grid point to when coming from point
// from, forwards or backwards in time.
func (tr *trajectory) reachable(from, to int) float64 {
	accel := min(tr.accel[from], tr.accel[to])
	return math.Sqrt(tr.speed[from]*tr.speed[from] + 2*accel*math.Abs(tr.s[to]-tr.s[from]))
}

func (tr *trajectory) findTimes() {
	tr.t = make([]float64, len(tr.s))
	for i := 1; i < len(tr.s); i++ {
		tr.t[i] = tr.t[i-1] + 2*(tr.s[i]-tr.s[i-1])/max(tr.speed[i]+tr.speed[i-1], 1e-9)
	}
}

// end is when the motion has come to rest.
func (tr *trajectory) end() robot.Time {
	return tr.start.Add(seconds(tr.t[len(tr.t)-1]))
}

// newCoast comes to rest from position q at velocity v, all joints alike and
// as soon as the limits allow.
func newCoast(d *robot.Description, q, v robot.Joints, start robot.Time) *trajectory {
	over := 0.0 // s
	for j := range d.Joints {
		over = max(over, math.Abs(v[j])/(accelShare*d.Joints[j].Limits.MaxAcceleration))
	}
	to := q
	for j := range d.Joints {
		l := &d.Joints[j].Limits
		to[j] = clamp(q[j]+v[j]*over/2, min(q[j], l.MinPosition), max(q[j], l.MaxPosition))
	}
	tr := &trajectory{curve: newSpline(d, []robot.Joints{q, to}), start: start, s: []float64{0}, speed: []float64{0}, accel: []float64{0}}
	if length := tr.curve.length(); length > 0 {
		fastest := 2 * length / over
		tr.s, tr.speed = append(tr.s, length), []float64{fastest, 0}
		tr.accel = []float64{fastest / over, fastest / over}
	}
	tr.findTimes()
	return tr
}

// at gives position and velocity at time t; before the start there is the
// motion that it brakes, or one as fast as it begins; after the end rest.
func (tr *trajectory) at(t robot.Time) (position, velocity robot.Joints) {
	if t < tr.start && tr.before != nil {
		return tr.before.at(t)
	}
	s, speed := tr.along(t)
	p, d1, _ := tr.curve.eval(s)
	early := min(t.Sub(tr.start).Seconds(), 0)
	for j := range tr.curve.joints {
		velocity[j] = d1[j] * speed
		p[j] += velocity[j] * early
	}
	return p, velocity
}

// along gives parameter and speed at time t.
func (tr *trajectory) along(t robot.Time) (s, speed float64) {
	after := t.Sub(tr.start).Seconds()
	last := len(tr.t) - 1
	if after >= tr.t[last] {
		return tr.s[last], 0
	}
	if after <= 0 {
		return tr.s[0], tr.speed[0]
	}
	i := sort.SearchFloat64s(tr.t, after) - 1
	span, part := tr.t[i+1]-tr.t[i], after-tr.t[i]
	accel := (tr.speed[i+1] - tr.speed[i]) / span
	return tr.s[i] + tr.speed[i]*part + accel*part*part/2, tr.speed[i] + accel*part
}

// brake gives the trajectory that follows the same path from time t but comes
// to rest on it as soon as the limits allow.
func (tr *trajectory) brake(t robot.Time) *trajectory {
	s, speed := tr.along(t)
	b := &trajectory{curve: tr.curve, start: t, s: []float64{s}, speed: []float64{speed}, before: tr}
	for i := sort.SearchFloat64s(tr.s, s); i < len(tr.s) && speed > 0; i++ {
		step := tr.s[i] - s
		if step <= 0 {
			continue
		}
		accel := min(tr.accel[max(i-1, 0)], tr.accel[i])
		if left := speed*speed - 2*accel*step; left > 0 && i < len(tr.s)-1 {
			speed = math.Sqrt(left)
		} else {
			step, speed = min(step, speed*speed/(2*max(accel, 1e-9))), 0
		}
		s += step
		b.s, b.speed = append(b.s, s), append(b.speed, speed)
	}
	b.findTimes()
	return b
}

// seconds rounds up, so that a motion is over when its last nanosecond is.
func seconds(s float64) time.Duration { return time.Duration(math.Ceil(s * float64(time.Second))) }
