package expert

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// How a path keeps away from things, m and rad.
const (
	// overM is kept between what the hand carries and what it passes over.
	overM = 0.015
	// riseM is the least straight way up from and down to a target.
	riseM = 0.04
	// cornerM is how far before a corner the path begins to round it.
	cornerM = 0.03
	// Knots are at most so far apart.
	knotM, knotRad = 0.02, 0.15
	// maxTilt is the most the fingers may lean outward or inward while they
	// travel.
	maxTilt = 1.2
)

// via is a point of a path: the tool about the arm's axis, how the fingers
// lean, the roll of the wrist, and the gripper.
type via struct {
	radius, azimuth, z, tilt, roll, grip float64
}

// viaAt reads a via off a position of the joints.
func (a *arm) viaAt(q *robot.Joints) via {
	var poses [robot.MaxJoints]robot.Pose
	h := a.at(q, poses[:len(a.desc.Joints)])
	radius, azimuth := a.polar(h.position)
	s, c := math.Sincos(azimuth)
	out := h.approach.Dot(robot.Vec3{c, s, 0})
	return via{
		radius: radius, azimuth: azimuth, z: h.position[2], tilt: math.Atan2(out, -h.approach[2]),
		roll: q[a.tool], grip: q[a.gripper],
	}
}

// mix gives the point share of the way from v to w.
func (v via) mix(w via, share float64) via {
	m := func(x, y float64) float64 { return x + share*(y-x) }
	return via{
		radius: m(v.radius, w.radius), azimuth: m(v.azimuth, w.azimuth), z: m(v.z, w.z),
		tilt: m(v.tilt, w.tilt), roll: m(v.roll, w.roll), grip: m(v.grip, w.grip),
	}
}

// way gives the metres and the radians from v to w.
func (v via) way(w via) (m, rad float64) {
	side := (v.radius + w.radius) / 2 * (w.azimuth - v.azimuth)
	m = math.Sqrt((w.radius-v.radius)*(w.radius-v.radius) + side*side + (w.z-v.z)*(w.z-v.z))
	return m, max(math.Abs(w.tilt-v.tilt), math.Abs(w.roll-v.roll), math.Abs(w.azimuth-v.azimuth))
}

// solveVia finds joint positions for v near seed: as solve does, but with the
// roll of the wrist given in place of a direction to close along.
func (a *arm) solveVia(v via, seed *robot.Joints) (robot.Joints, bool) {
	q := *seed
	q[a.tool], q[a.gripper] = v.roll, v.grip
	want, normal := a.handFor(reach{position: a.fromPolar(v.radius, v.azimuth, v.z), tilt: v.tilt})
	ok := a.descend(&q, want, normal, anyTurn)
	return q, ok
}

// rounded puts points on the straight lines between vias and on parabolas
// that cut the corners, close enough for a spline.
func rounded(vias []via) []via {
	out := vias[:1:1]
	at := vias[0]
	line := func(to via) {
		m, rad := at.way(to)
		n := math.Ceil(max(m/knotM, rad/knotRad, 1))
		for k := 1.0; k <= n; k++ {
			out = append(out, at.mix(to, k/n))
		}
		at = to
	}
	for i := 1; i < len(vias)-1; i++ {
		before, _ := vias[i].way(vias[i-1])
		after, _ := vias[i].way(vias[i+1])
		cut := min(cornerM, before/2, after/2)
		if cut < 1e-3 {
			line(vias[i])
			continue
		}
		in, leave := vias[i].mix(vias[i-1], cut/before), vias[i].mix(vias[i+1], cut/after)
		line(in)
		for _, share := range []float64{0.25, 0.5, 0.75, 1} {
			out = append(out, in.mix(vias[i], share).mix(vias[i].mix(leave, share), share))
		}
		at = leave
	}
	line(vias[len(vias)-1])
	return out
}

// follow turns vias into joint positions from q on, which must be at the first.
func (a *arm) follow(q robot.Joints, vias []via) ([]robot.Joints, bool) {
	knots := []robot.Joints{q}
	for _, v := range rounded(vias)[1:] {
		next, ok := a.solveVia(v, &q)
		if !ok {
			return nil, false
		}
		knots = append(knots, next)
		q = next
	}
	return knots, true
}

// above gives the via straight above q at height z; the fingers may have to
// lean farther outward for the arm to get there.
func (a *arm) above(q *robot.Joints, z float64) (via, bool) {
	v := a.viaAt(q)
	v.z = max(z, v.z)
	for _, extra := range [...]float64{0, 0.2, 0.4, 0.6, 0.8} {
		up := v
		if up.tilt += extra; up.tilt > maxTilt {
			break
		}
		if _, ok := a.solveVia(up, q); ok {
			return up, true
		}
	}
	return via{}, false
}

// over gives the height at which the tool may travel from a to b: hang is how
// far it, or what it carries, reaches below the tool point, wide how far to a side.
func (a *arm) over(l layout, from, to via, hang, wide float64) float64 {
	const samples = 12
	top := 0.0
	for k := range samples + 1 {
		v := from.mix(to, float64(k)/samples)
		p := a.fromPolar(v.radius, v.azimuth, 0)
		disc := footprint{round: true, x: p[0], y: p[1], halfX: wide}
		top = max(top, l.topNear(&disc, 0))
	}
	return top + hang + overM
}

// travel plans from the position from to the position to: straight up, over
// everything in l, and straight down. It says no when the arm cannot.
func (a *arm) travel(from, to *robot.Joints, l layout, hang, wide float64) ([]robot.Joints, bool) {
	start, end := a.viaAt(from), a.viaAt(to)
	z := max(a.over(l, start, end, hang, wide), end.z+riseM)
	down, ok := a.above(to, z)
	if !ok {
		return nil, false
	}
	if math.Abs(start.tilt) > maxTilt {
		return a.join(*from, []via{down, end}, to)
	}
	vias := []via{start}
	if start.z < z {
		up, ok := a.above(from, z)
		if !ok {
			return nil, false
		}
		vias = append(vias, up)
	}
	knots, ok := a.follow(*from, append(vias, down, end))
	if !ok {
		return a.join(*from, []via{down, end}, to)
	}
	return a.arrive(knots, to)
}

// join goes to the first via in joint space and follows the rest: the way out
// of a posture in which the fingers do not point down.
func (a *arm) join(from robot.Joints, vias []via, to *robot.Joints) ([]robot.Joints, bool) {
	first, ok := a.solveVia(vias[0], to)
	if !ok {
		return nil, false
	}
	knots, ok := a.follow(first, vias)
	if !ok {
		return nil, false
	}
	return a.arrive(append([]robot.Joints{from}, knots...), to)
}

// arrive sets the last knot to the position that was asked for, which the
// path must have come to.
func (a *arm) arrive(knots []robot.Joints, to *robot.Joints) ([]robot.Joints, bool) {
	last := &knots[len(knots)-1]
	for _, i := range a.chain {
		if math.Abs(last[i]-to[i]) > 0.05 {
			return nil, false
		}
	}
	*last = *to
	return knots, true
}
