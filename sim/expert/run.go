package expert

import (
	"math"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// task is what differs between skills.
type task interface {
	// plan looks for the motion that the skill needs from where the joints
	// stand, without beginning it.
	plan(a *arm, o *robot.Observation, from *robot.Joints) (plan, error)
	// next gives the next motion from rest, or how the skill ended.
	next(a *arm, o *robot.Observation, from *robot.Joints) (motion, robot.Outcome)
	// outdated says that the motion under way no longer fits the scene.
	outdated(o *robot.Observation) bool
}

// plan is what a skill would do first.
type plan struct {
	// gap is the room that the hand has, m; tilt how far it must lean.
	gap, tilt float64
	// doubt is taken off for what cannot be measured as room.
	doubt float64
}

// chance is the probability of success that goes with p, by rule of thumb.
func (p *plan) chance() float64 {
	const easy, tight, perRad = 0.98, 0.1, 0.1
	chance := easy - p.doubt
	if p.gap < easyM {
		chance -= tight * (easyM - max(p.gap, 0)) / easyM
	}
	return clamp(chance-perRad*math.Abs(p.tilt), 0.05, 1)
}

// motion is a path, and what to wait for at its end.
type motion struct {
	knots []robot.Joints
	// slowdown 1 is as fast as a trajectory may be.
	slowdown float64
	// wait is how long to stay at the end, unless until holds before.
	wait  time.Duration
	until func(o *robot.Observation) bool
}

// run is one skill under way.
type run struct {
	task   task
	began  robot.Time
	motion motion
	// slowdown is raised when the joints cannot follow.
	slowdown float64
	braking  bool
}

var running = robot.Outcome{Status: robot.Running}

func failed(reason string) robot.Outcome {
	return robot.Outcome{Status: robot.Failed, Reason: reason}
}

var succeeded = robot.Outcome{Status: robot.Succeeded}

// advance looks at o, lets the motion under way go on or brakes it, and at its
// end begins the next.
func (e *Expert) advance(o *robot.Observation) robot.Outcome {
	r := e.run
	if e.last == nil {
		e.rest(o)
	}
	if o.At.Sub(r.began) > maxTime {
		e.rest(o)
		return failed("it took too long")
	}
	planned, _ := e.last.at(o.At)
	if e.arm.lags(&planned, &o.State.Position, maxLagRad) {
		// Something holds the joints up: begin again from where they are, slower.
		e.rest(o)
		r.motion, r.braking = motion{}, false
		r.slowdown = min(2*r.slowdown, 8)
	}
	if o.At < e.last.end() {
		if !r.braking && r.task.outdated(o) {
			e.last = e.last.brake(o.At)
			r.motion, r.braking = motion{}, true
		}
		return running
	}
	if e.waiting(o) {
		return running
	}
	r.braking = false
	from := e.standing(o)
	m, outcome := r.task.next(e.arm, o, &from)
	if outcome.Status != robot.Running {
		return outcome
	}
	r.motion = m
	e.last = newTrajectory(e.arm.desc, append([]robot.Joints{from}, m.knots...), o.At, max(m.slowdown, 1)*r.slowdown)
	return running
}

// waiting says whether the joints still come to rest, or the motion still
// waits for what it is for.
func (e *Expert) waiting(o *robot.Observation) bool {
	m := &e.run.motion
	since := o.At.Sub(e.last.end())
	end, _ := e.last.at(o.At)
	if since < settleTime && e.arm.lags(&end, &o.State.Position, restLagRad) {
		return true
	}
	return since < m.wait && (m.until == nil || !m.until(o))
}

// rest brakes the joints from where and as fast as they really are.
func (e *Expert) rest(o *robot.Observation) {
	e.last = nil
	e.last = newCoast(e.arm.desc, e.standing(o), e.moving(o), o.At)
}

// stillShare of its greatest speed and less is what a joint at rest reports.
const stillShare = 0.02

// moving gives the joints' velocities, within their limits; that of the gripper
// is left out, which may be slipping along what it holds.
func (e *Expert) moving(o *robot.Observation) (v robot.Joints) {
	for _, i := range e.arm.chain {
		fastest := e.arm.desc.Joints[i].Limits.MaxVelocity
		if is := o.State.Velocity[i]; math.Abs(is) > stillShare*fastest {
			v[i] = clamp(is, -fastest, fastest)
		}
	}
	return v
}
