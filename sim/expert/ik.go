package expert

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// poseRows are what a reach fixes: three of position, the lean of the fingers
// in the arm's vertical plane, and the turn about the direction they point in.
const poseRows = 5

const (
	ikSteps     = 40
	ikPatience  = 8 // steps in which half of the way must be made
	ikSeeds     = 4
	ikPosition  = 2e-5 // m
	ikAngle     = 5e-4 // rad
	ikRadM      = 0.1  // what a radian weighs, m
	ikDamping   = 1e-3 // m, at the target
	ikDampAway  = 0.05 // of the distance to it
	ikMaxStep   = 0.4  // rad, any joint in one step
	maxLeanSide = 0.1  // rad, how far the fingers may lean out of the arm's plane
)

// solve finds the joint positions at which the hand is as r asks, by damped
// least squares (Nakamura and Hanafusa 1986) from seed and then from a few
// other starts. Joints outside of the chain keep the seed's value. It allocates
// nothing.
func (a *arm) solve(r reach, seed *robot.Joints) (robot.Joints, bool) {
	want, normal := a.handFor(r)
	for s := range ikSeeds {
		for _, t := range [...]turn{asNear, turnedRound} {
			q := *seed
			if s > 0 {
				a.otherSeed(s, r, &q)
			}
			if a.descend(&q, want, normal, t) {
				return q, true
			}
		}
	}
	return robot.Joints{}, false
}

// turn says which way round the fingers close: their two sides are alike.
type turn uint8

const (
	// asNear is the way round that the seed is nearer to.
	asNear turn = iota
	// turnedRound is the other.
	turnedRound
	// asAsked is the one that the target names.
	asAsked
	// anyTurn leaves the roll of the wrist where it is.
	anyTurn
)

// otherSeed spreads starts over the range of the joints, the first turned
// towards the target.
func (a *arm) otherSeed(s int, r reach, q *robot.Joints) {
	_, azimuth := a.polar(r.position)
	for k, i := range a.chain {
		share := math.Mod(0.5+float64(s-1)*[3]float64{0.618, 0.755, 0.57}[k%3], 1)
		if s <= 2 {
			q[i] = a.desc.Joints[i].Home
		} else {
			q[i] = a.lower[i] + share*(a.upper[i]-a.lower[i])
		}
	}
	first := a.chain[0]
	q[first] = clamp(azimuth, a.lower[first], a.upper[first])
}

// descend runs Newton steps from q until the hand is as wanted; no when it does
// not come there, or the robot would be too near to itself or its bounds.
func (a *arm) descend(q *robot.Joints, want hand, normal robot.Vec3, t turn) bool {
	var poses [robot.MaxJoints]robot.Pose
	links := poses[:len(a.desc.Joints)]
	now := a.at(q, links)
	if t != asAsked && (now.closing.Dot(want.closing) < 0) != (t == turnedRound) {
		want.closing = want.closing.Scale(-1)
	}
	before := math.Inf(1)
	for n := range ikSteps {
		e := poseError(&now, &want, normal)
		if t == anyTurn {
			e[poseRows-1] = 0
		}
		if small(&e) {
			lean := now.approach.Dot(normal)
			return math.Abs(lean) < maxLeanSide && a.clear(links)
		}
		if n%ikPatience == ikPatience-1 {
			left := squares(&e)
			if left > before/4 {
				return false // it must halve the way in so many steps, or it is stuck
			}
			before = left
		}
		if !a.step(q, links, &now, normal, &e, t) {
			return false
		}
		now = a.at(q, links)
	}
	return false
}

// poseError gives what is left to go, angles weighed as metres.
func poseError(now, want *hand, normal robot.Vec3) (e [poseRows]float64) {
	d := want.position.Sub(now.position)
	lean := math.Atan2(now.approach.Cross(want.approach).Dot(normal), now.approach.Dot(want.approach))
	turn := math.Atan2(now.closing.Cross(want.closing).Dot(now.approach), now.closing.Dot(want.closing))
	return [poseRows]float64{d[0], d[1], d[2], ikRadM * lean, ikRadM * turn}
}

func small(e *[poseRows]float64) bool {
	return e[0]*e[0]+e[1]*e[1]+e[2]*e[2] < ikPosition*ikPosition &&
		math.Abs(e[3]) < ikRadM*ikAngle && math.Abs(e[4]) < ikRadM*ikAngle
}

func squares(e *[poseRows]float64) (sum float64) {
	for _, v := range e {
		sum += v * v
	}
	return sum
}

// step moves q by one damped step, or says that the limits leave no way.
// A joint that the step would push past its limit is set on it and taken out,
// and the rest is solved again.
func (a *arm) step(q *robot.Joints, links []robot.Pose, now *hand, normal robot.Vec3, e *[poseRows]float64, t turn) bool {
	var jacobian [poseRows][maxChain]float64
	moving := len(a.chain)
	if t == anyTurn {
		moving-- // the last joint is the roll
	}
	for k, i := range a.chain[:moving] {
		axis := links[i].Orientation.Rotate(a.desc.Joints[i].Axis)
		lever := axis.Cross(now.position.Sub(links[i].Position))
		jacobian[0][k], jacobian[1][k], jacobian[2][k] = lever[0], lever[1], lever[2]
		jacobian[3][k], jacobian[4][k] = ikRadM*axis.Dot(normal), ikRadM*axis.Dot(now.approach)
	}
	if t == anyTurn {
		jacobian[poseRows-1] = [maxChain]float64{}
	}
	damping := ikDamping + ikDampAway*math.Sqrt(squares(e))
	for free := moving; free > 0; {
		dq := dampedStep(&jacobian, moving, e, damping*damping)
		scale := 1.0
		for k := range moving {
			scale = min(scale, ikMaxStep/max(ikMaxStep, math.Abs(dq[k])))
		}
		blocked := false
		for k, i := range a.chain[:moving] {
			to := q[i] + scale*dq[k]
			if dq[k] != 0 && (to < a.lower[i] && q[i] <= a.lower[i] || to > a.upper[i] && q[i] >= a.upper[i]) {
				for row := range jacobian {
					jacobian[row][k] = 0
				}
				blocked = true
				free--
			}
		}
		if blocked {
			continue
		}
		most := 0.0
		for k, i := range a.chain[:moving] {
			to := clamp(q[i]+scale*dq[k], a.lower[i], a.upper[i])
			most = max(most, math.Abs(to-q[i]))
			q[i] = to
		}
		return most > 1e-6
	}
	return false
}

// dampedStep gives Jᵀ(JJᵀ + λ²I)⁻¹e for the first n columns, by Cholesky.
func dampedStep(jacobian *[poseRows][maxChain]float64, n int, e *[poseRows]float64, lambda2 float64) (dq [maxChain]float64) {
	var l [poseRows][poseRows]float64
	var y [poseRows]float64
	for r := range poseRows {
		for c := range r + 1 {
			sum := 0.0
			for k := range n {
				sum += jacobian[r][k] * jacobian[c][k]
			}
			if r == c {
				sum += lambda2
			}
			for k := range c {
				sum -= l[r][k] * l[c][k]
			}
			if r == c {
				l[r][r] = math.Sqrt(max(sum, 1e-12))
			} else {
				l[r][c] = sum / l[c][c]
			}
		}
		y[r] = e[r]
		for k := range r {
			y[r] -= l[r][k] * y[k]
		}
		y[r] /= l[r][r]
	}
	for r := poseRows - 1; r >= 0; r-- {
		for k := r + 1; k < poseRows; k++ {
			y[r] -= l[k][r] * y[k]
		}
		y[r] /= l[r][r]
	}
	for k := range n {
		for r := range poseRows {
			dq[k] += jacobian[r][k] * y[r]
		}
	}
	return dq
}

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }
