package expert

import "github.com/kuai-robot/kuai/robot"

// maxCapsules are looked at; a description with more is not served.
const maxCapsules = 32

// selfM is kept between two parts of the robot, and between each and the sides
// of the workspace: a little more than the safety core insists on.
const selfM = 0.0115

// body is what the description says of the robot's shape.
type body struct {
	capsules []capsule
	pairs    [][2]int // capsules that must stay apart
	boxed    bool
}

// capsule is fixed to the link of a joint; −1 is the base.
type capsule struct {
	link   int
	a, b   robot.Vec3
	radius float64
	half   float64 // of its axis' length
}

// newBody pairs the capsules of links that are at least two joints apart,
// except those that are that near by construction: at home.
func newBody(d *robot.Description) body {
	b := body{boxed: d.WorkspaceMin != d.WorkspaceMax}
	for _, c := range d.Capsules {
		b.capsules = append(b.capsules, capsule{d.Index(c.Link), c.A, c.B, c.Radius, c.B.Sub(c.A).Norm() / 2})
	}
	home := d.Home()
	var poses [robot.MaxJoints]robot.Pose
	links := poses[:len(d.Joints)]
	d.LinkPoses(&home, links)
	axes := make([]axis, len(b.capsules))
	b.place(links, axes)
	for j := range b.capsules {
		for i := range j {
			if jointsApart(d, b.capsules[i].link, b.capsules[j].link) >= 2 && b.apart(i, j, axes, selfM) {
				b.pairs = append(b.pairs, [2]int{i, j})
			}
		}
	}
	return b
}

// jointsApart counts the joints on the way from one link to another.
func jointsApart(d *robot.Description, a, b int) int {
	n := 0
	for ; a != b; n++ {
		// Parents come first, so the later one is farther out.
		a, b = min(a, b), d.Index(d.Joints[max(a, b)].Parent)
	}
	return n
}

// axis is the two ends of a capsule's axis in the base frame.
type axis [2]robot.Vec3

// place writes the axes of all capsules to axes, which has room for them.
func (b *body) place(links []robot.Pose, axes []axis) {
	for i := range b.capsules {
		c := &b.capsules[i]
		axes[i] = axis{c.a, c.b}
		if c.link >= 0 {
			axes[i] = axis{links[c.link].Transform(c.a), links[c.link].Transform(c.b)}
		}
	}
}

// apart says whether capsules i and j keep the distance.
func (b *body) apart(i, j int, axes []axis, distance float64) bool {
	p, q := &axes[i], &axes[j]
	keep := b.capsules[i].radius + b.capsules[j].radius + distance
	// Two spheres around them may tell it at once.
	middle := p[0].Add(p[1]).Sub(q[0]).Sub(q[1]).Norm() / 2
	if middle > keep+b.capsules[i].half+b.capsules[j].half {
		return true
	}
	return segmentDistance(p, q) >= keep
}

// clear says whether the robot, its links where links has them, keeps off
// itself and the sides of its workspace.
func (a *arm) clear(links []robot.Pose) bool {
	b := &a.body
	var room [maxCapsules]axis
	axes := room[:len(b.capsules)]
	b.place(links, axes)
	for _, p := range b.pairs {
		if !b.apart(p[0], p[1], axes, selfM) {
			return false
		}
	}
	if !b.boxed {
		return true
	}
	for i := range b.capsules {
		if b.capsules[i].link < 0 {
			continue
		}
		keep := b.capsules[i].radius + selfM
		for k := range 3 {
			p, q := axes[i][0][k], axes[i][1][k]
			if min(p, q) < a.desc.WorkspaceMin[k]+keep || max(p, q) > a.desc.WorkspaceMax[k]-keep {
				return false
			}
		}
	}
	return true
}

// segmentDistance gives the least distance between two segments, by turns: the
// point of one nearest to the other's line, cut to the segment.
func segmentDistance(p, q *axis) float64 {
	u, v, w := p[1].Sub(p[0]), q[1].Sub(q[0]), p[0].Sub(q[0])
	uu, vv, uv, uw, vw := u.Dot(u), v.Dot(v), u.Dot(v), u.Dot(w), v.Dot(w)
	along := fraction(uv*vw-uw*vv, uu*vv-uv*uv)
	other := fraction(vw+along*uv, vv)
	along = fraction(other*uv-uw, uu)
	return w.Add(u.Scale(along)).Sub(v.Scale(other)).Norm()
}

// fraction gives n/d within 0..1, and 0 where there is no direction.
func fraction(n, d float64) float64 {
	if d < 1e-15 {
		return 0
	}
	return clamp(n/d, 0, 1)
}
