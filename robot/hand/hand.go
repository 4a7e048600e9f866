package hand

import (
	"fmt"
	"math"
	"slices"

	"github.com/kuai-robot/kuai/robot"
)

// Hand is where the hand is.
type Hand struct {
	// X, Y, Z of the point between the fingertips in the base frame, m.
	X, Y, Z float64
	// Tilt is how far the fingers lean outward from straight down, rad.
	Tilt float64
	// Roll is the position of the wrist's last joint, rad; Grip the gripper's, m.
	Roll, Grip float64
}

// Size is how many numbers a Hand is.
const Size = 6

// Vector gives h as numbers in the order of its fields.
func (h Hand) Vector() [Size]float64 { return [Size]float64{h.X, h.Y, h.Z, h.Tilt, h.Roll, h.Grip} }

// Of is the way back from Vector.
func Of(v [Size]float64) Hand { return Hand{v[0], v[1], v[2], v[3], v[4], v[5]} }

// Position gives the point between the fingertips.
func (h Hand) Position() robot.Vec3 { return robot.Vec3{h.X, h.Y, h.Z} }

// maxChain bounds the joints between base and tool.
const maxChain = 12

// Arm is what is needed of a description.
type Arm struct {
	desc          *robot.Description
	chain         []int // joints that place the hand, base first, without the roll
	roll, gripper int
	approach      robot.Vec3 // in the roll's link
	pivot         robot.Vec3
}

// New reads the arm that d, which must have passed Validate, describes. It must
// be a chain of revolute joints whose last one rolls the hand about the direction
// in which the fingers point, with a gripper.
func New(d *robot.Description) (*Arm, error) {
	a := &Arm{desc: d, roll: d.Index(d.ToolLink), gripper: d.Index(d.Gripper)}
	if a.roll < 0 || a.gripper < 0 {
		return nil, fmt.Errorf("robot %s: has no tool_link or no gripper, so it has no hand", d.Name)
	}
	for i := a.roll; i >= 0; i = d.Index(d.Joints[i].Parent) {
		if d.Joints[i].Kind != robot.Revolute {
			return nil, fmt.Errorf("robot %s: joint %s is %s, the joints of an arm are revolute", d.Name, d.Joints[i].Name, d.Joints[i].Kind)
		}
		if i != a.roll {
			a.chain = append([]int{i}, a.chain...)
		}
	}
	if len(a.chain) < rows || len(a.chain) > maxChain {
		return nil, fmt.Errorf("robot %s: %d joints before the wrist's roll, want %d to %d", d.Name, len(a.chain), rows, maxChain)
	}
	axis := d.Joints[a.roll].Axis
	along := d.Tool.Position.Dot(axis)
	if across := d.Tool.Position.Sub(axis.Scale(along)).Norm(); math.Abs(along) < 1e-4 || across > 1e-3 {
		return nil, fmt.Errorf("robot %s: the tool does not lie on the axis of %s, so its roll would move it", d.Name, d.ToolLink)
	}
	a.approach = axis.Scale(math.Copysign(1, along))
	a.pivot = d.Joints[a.chain[0]].Origin.Position
	return a, nil
}

// Hand gives where the hand is at q.
func (a *Arm) Hand(q *robot.Joints) Hand {
	var poses [robot.MaxJoints]robot.Pose
	return a.at(q, poses[:len(a.desc.Joints)])
}

func (a *Arm) at(q *robot.Joints, links []robot.Pose) Hand {
	a.desc.LinkPoses(q, links)
	p := links[a.roll].Transform(a.desc.Tool.Position)
	approach := links[a.roll].Orientation.Rotate(a.approach)
	out := approach.Dot(a.outward(p))
	return Hand{X: p[0], Y: p[1], Z: p[2], Tilt: math.Atan2(out, -approach[2]), Roll: q[a.roll], Grip: q[a.gripper]}
}

// outward is the horizontal direction from the arm's first axis to p.
func (a *Arm) outward(p robot.Vec3) robot.Vec3 {
	s, c := math.Sincos(math.Atan2(p[1]-a.pivot[1], p[0]-a.pivot[0]))
	return robot.Vec3{c, s, 0}
}

// Turning lists the joints that place and roll the hand, base first.
func (a *Arm) Turning() []int { return append(slices.Clone(a.chain), a.roll) }

// Azimuth gives the direction of p about the arm's first axis, rad, and Radius
// its distance from it, m.
func (a *Arm) Azimuth(p robot.Vec3) float64 { return math.Atan2(p[1]-a.pivot[1], p[0]-a.pivot[0]) }

// Radius gives the distance of p from the arm's first axis, m.
func (a *Arm) Radius(p robot.Vec3) float64 { return math.Hypot(p[0]-a.pivot[0], p[1]-a.pivot[1]) }

const (
	rows    = 4 // x, y, z and tilt
	steps   = 30
	near    = 5e-5 // m
	radM    = 0.1  // what a radian of tilt weighs, m
	maxStep = 0.3  // rad, any joint in one step
	damping = 2e-3 // m
	margin  = 0.005
)

// Joints gives the joint positions for h nearest to from: within the limits,
// and off by so many metres, a radian of tilt counting 0.1 m. Joints that are
// not the arm's stay as they are in from.
func (a *Arm) Joints(h Hand, from *robot.Joints) (q robot.Joints, off float64) {
	var poses [robot.MaxJoints]robot.Pose
	links := poses[:len(a.desc.Joints)]
	q = *from
	q[a.roll] = a.bounded(a.roll, h.Roll)
	q[a.gripper] = min(max(h.Grip, a.desc.Joints[a.gripper].Limits.MinPosition), a.desc.Joints[a.gripper].Limits.MaxPosition)
	for i := range a.chain {
		q[a.chain[i]] = a.bounded(a.chain[i], q[a.chain[i]])
	}
	e := a.error(&q, links, h)
	off = norm(e)
	lambda := damping
	for range steps {
		if off < near {
			break
		}
		next := a.step(&q, links, e, lambda)
		ne := a.error(&next, links, h)
		if n := norm(ne); n < off {
			q, e, off, lambda = next, ne, n, max(lambda/2, damping/8)
			continue
		}
		if lambda *= 4; lambda > 1 {
			break
		}
		a.at(&q, links) // the step is not taken
	}
	return q, off
}

func (a *Arm) bounded(joint int, v float64) float64 {
	l := &a.desc.Joints[joint].Limits
	return min(max(v, l.MinPosition+margin), l.MaxPosition-margin)
}

// error gives what is left to go, and leaves the links' poses at q.
func (a *Arm) error(q *robot.Joints, links []robot.Pose, h Hand) [rows]float64 {
	now := a.at(q, links)
	return [rows]float64{h.X - now.X, h.Y - now.Y, h.Z - now.Z, radM * math.Remainder(h.Tilt-now.Tilt, 2*math.Pi)}
}

func norm(e [rows]float64) float64 {
	return math.Sqrt(e[0]*e[0] + e[1]*e[1] + e[2]*e[2] + e[3]*e[3])
}

// step is one damped step from q, whose links' poses are given.
func (a *Arm) step(q *robot.Joints, links []robot.Pose, e [rows]float64, lambda float64) robot.Joints {
	p := links[a.roll].Transform(a.desc.Tool.Position)
	out := a.outward(p)
	normal := robot.Vec3{-out[1], out[0], 0}
	var jacobian [rows][maxChain]float64
	for k, i := range a.chain {
		axis := links[i].Orientation.Rotate(a.desc.Joints[i].Axis)
		lever := axis.Cross(p.Sub(links[i].Position))
		jacobian[0][k], jacobian[1][k], jacobian[2][k] = lever[0], lever[1], lever[2]
		// Turning about the plane's normal leans a hand that points down inward.
		jacobian[3][k] = -radM * axis.Dot(normal)
	}
	dq := damped(&jacobian, len(a.chain), &e, lambda*lambda)
	scale := 1.0
	for k := range a.chain {
		scale = min(scale, maxStep/max(maxStep, math.Abs(dq[k])))
	}
	next := *q
	for k, i := range a.chain {
		next[i] = a.bounded(i, q[i]+scale*dq[k])
	}
	return next
}

// damped gives Jᵀ(JJᵀ + λ²I)⁻¹e for the first n columns.
func damped(j *[rows][maxChain]float64, n int, e *[rows]float64, lambda2 float64) (dq [maxChain]float64) {
	var m [rows][rows + 1]float64
	for r := range rows {
		for c := range rows {
			for k := range n {
				m[r][c] += j[r][k] * j[c][k]
			}
		}
		m[r][r] += lambda2
		m[r][rows] = e[r]
	}
	// The matrix is positive definite, so elimination needs no pivoting.
	for r := range rows {
		for below := r + 1; below < rows; below++ {
			f := m[below][r] / m[r][r]
			for c := r; c <= rows; c++ {
				m[below][c] -= f * m[r][c]
			}
		}
	}
	var y [rows]float64
	for r := rows - 1; r >= 0; r-- {
		y[r] = m[r][rows]
		for c := r + 1; c < rows; c++ {
			y[r] -= m[r][c] * y[c]
		}
		y[r] /= m[r][r]
	}
	for k := range n {
		for r := range rows {
			dq[k] += j[r][k] * y[r]
		}
	}
	return dq
}
