package expert

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
)

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
}

// newBody pairs the capsules of links that are at least two joints apart,
// except those that are that near by construction: at home.
func newBody(d *robot.Description) body {
	b := body{boxed: d.WorkspaceMin != d.WorkspaceMax}
	for _, c := range d.Capsules {
		b.capsules = append(b.capsules, capsule{d.Index(c.Link), c.A, c.B, c.Radius})
	}
	home := d.Home()
	var poses [robot.MaxJoints]robot.Pose
	links := poses[:len(d.Joints)]
	d.LinkPoses(&home, links)
	for j := range b.capsules {
		for i := range j {
			if jointsApart(d, b.capsules[i].link, b.capsules[j].link) >= 2 && b.distance(i, j, links) >= selfM {
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

// ends gives the axis of capsule i in the base frame.
func (b *body) ends(i int, links []robot.Pose) (p, q robot.Vec3) {
	c := &b.capsules[i]
	if c.link < 0 {
		return c.a, c.b
	}
	return links[c.link].Transform(c.a), links[c.link].Transform(c.b)
}

func (b *body) distance(i, j int, links []robot.Pose) float64 {
	p, q := b.ends(i, links)
	r, s := b.ends(j, links)
	return segmentDistance(p, q, r, s) - b.capsules[i].radius - b.capsules[j].radius
}

// clear says whether the robot, its links where links has them, keeps off
// itself and the sides of its workspace.
func (a *arm) clear(links []robot.Pose) bool {
	b := &a.body
	for _, p := range b.pairs {
		if b.distance(p[0], p[1], links) < selfM {
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
		p, q := b.ends(i, links)
		keep := b.capsules[i].radius + selfM
		for k := range p {
			if min(p[k], q[k]) < a.desc.WorkspaceMin[k]+keep || max(p[k], q[k]) > a.desc.WorkspaceMax[k]-keep {
				return false
			}
		}
	}
	return true
}

// segmentDistance gives the least distance between the segments pq and rs, by
// turns: the point of one nearest to the other's line, cut to the segment.
func segmentDistance(p, q, r, s robot.Vec3) float64 {
	u, v, w := q.Sub(p), s.Sub(r), p.Sub(r)
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
	return math.Min(math.Max(n/d, 0), 1)
}
