package safety

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// maxCapsules bounds the capsules of one robot, so that a pose lies on the stack.
const maxCapsules = 32

// shape is where the capsules of a robot are and which of them may touch.
type shape struct {
	links     []link
	capsules  []capsule
	pairs     []pair
	clearance float64
	boxed     bool
	low, high robot.Vec3
}

// link is the frame of one joint.
type link struct {
	parent int // -1: the base
	origin robot.Pose
	axis   robot.Vec3
	slides bool
}

// capsule is fixed to a link; -1 is the base.
type capsule struct {
	link   int
	a, b   robot.Vec3
	radius float64
}

// pair is two capsules to keep apart. Where their middles are farther from each
// other than reach, there is no need to look closer.
type pair struct {
	i, j  int
	reach float64
}

// segments holds the ends of every capsule's axis in the base frame.
type segments [maxCapsules][2]robot.Vec3

func newShape(d *robot.Description, clearance float64) (shape, error) {
	s := shape{clearance: clearance, low: d.WorkspaceMin, high: d.WorkspaceMax}
	if len(d.Capsules) > maxCapsules {
		return s, fmt.Errorf("%d capsules, at most %d are checked in time", len(d.Capsules), maxCapsules)
	}
	s.boxed = s.low != robot.Vec3{} || s.high != robot.Vec3{}
	for i := range 3 {
		if s.boxed && !(s.low[i] < s.high[i]) {
			return s, fmt.Errorf("workspace_min %v is not below workspace_max %v", s.low, s.high)
		}
	}
	for i := range d.Joints {
		j := &d.Joints[i]
		s.links = append(s.links, link{d.Index(j.Parent), j.Origin, j.Axis, j.Kind == robot.Prismatic})
	}
	for _, c := range d.Capsules {
		s.capsules = append(s.capsules, capsule{d.Index(c.Link), c.A, c.B, c.Radius})
	}
	return s, s.pair(d)
}

// pair lists the capsules that are kept apart. Those of one link or of
// neighbours are not, nor those two joints apart that touch in the resting
// position: that is how the robot is built. Farther ones must be clear there.
func (s *shape) pair(d *robot.Description) error {
	home := d.Home()
	var at segments
	s.place(&home, &at)
	for i := range s.capsules {
		if s.outside(i, &at) > 0 {
			return fmt.Errorf("capsule %d (%s) leaves the workspace in the resting position", i, d.Capsules[i].Link)
		}
		for j := range i {
			apart := s.apart(s.capsules[i].link, s.capsules[j].link)
			near := s.distance(i, j, &at) < s.clearance
			if apart <= 1 || apart == 2 && near {
				continue
			}
			if near {
				return fmt.Errorf("capsules %d (%s) and %d (%s) are nearer than %g m in the resting position",
					j, d.Capsules[j].Link, i, d.Capsules[i].Link, s.clearance)
			}
			a, b := &s.capsules[i], &s.capsules[j]
			reach := a.b.Sub(a.a).Norm()/2 + a.radius + b.b.Sub(b.a).Norm()/2 + b.radius + s.clearance + foresight
			s.pairs = append(s.pairs, pair{i, j, reach})
		}
	}
	return nil
}

// apart counts the joints on the way from one link to another.
func (s *shape) apart(a, b int) int {
	n := 0
	for ; a != b; n++ {
		// Parents have lower indices, so the higher one is the farther out.
		a, b = min(a, b), s.links[max(a, b)].parent
	}
	return n
}

// place gives the capsules at joint position q.
func (s *shape) place(q *robot.Joints, out *segments) {
	var poses [robot.MaxJoints]robot.Pose
	for i := range s.links {
		l := &s.links[i]
		pose := l.origin
		if l.parent >= 0 {
			pose = poses[l.parent].Mul(l.origin)
		}
		if l.slides {
			pose.Position = pose.Transform(l.axis.Scale(q[i]))
		} else {
			pose.Orientation = pose.Orientation.Mul(robot.AxisAngle(l.axis, q[i]))
		}
		poses[i] = pose
	}
	for i := range s.capsules {
		c := &s.capsules[i]
		out[i] = [2]robot.Vec3{c.a, c.b}
		if c.link >= 0 {
			out[i] = [2]robot.Vec3{poses[c.link].Transform(c.a), poses[c.link].Transform(c.b)}
		}
	}
}

// pose is a joint position whose capsules are placed when they are first asked
// for.
type pose struct {
	q      *robot.Joints
	placed bool
	at     segments
}

func (p *pose) segments(s *shape) *segments {
	if !p.placed {
		s.place(p.q, &p.at)
		p.placed = true
	}
	return &p.at
}

// check says which limits the pose at breaks, with margin to spare (at most
// foresight), and breaks by more than the pose before.
func (s *shape) check(at *segments, before *pose, margin float64) Limit {
	var broken Limit
	for _, p := range s.pairs {
		if p.farApart(at) {
			continue
		}
		d := s.distance(p.i, p.j, at)
		if d < s.clearance+margin && d < s.distance(p.i, p.j, before.segments(s)) {
			broken |= LimitCollision
		}
	}
	for i := range s.capsules {
		if d := s.outside(i, at); d > -margin && d > s.outside(i, before.segments(s)) {
			broken |= LimitWorkspace
		}
	}
	return broken
}

func (p *pair) farApart(at *segments) bool {
	a, b := &at[p.i], &at[p.j]
	middle := a[0].Add(a[1]).Sub(b[0]).Sub(b[1]).Scale(0.5)
	return middle.Dot(middle) > p.reach*p.reach
}

// distance is that between the surfaces of two capsules, negative inside.
func (s *shape) distance(i, j int, at *segments) float64 {
	return segmentDistance(&at[i], &at[j]) - s.capsules[i].radius - s.capsules[j].radius
}

// outside is how far a capsule reaches out of the workspace, negative inside. The
// base cannot move, so it never counts as outside.
func (s *shape) outside(i int, at *segments) float64 {
	if !s.boxed || s.capsules[i].link < 0 {
		return math.Inf(-1)
	}
	worst := math.Inf(-1)
	for axis := range 3 {
		a, b := at[i][0][axis], at[i][1][axis]
		worst = max(worst, s.low[axis]-min(a, b), max(a, b)-s.high[axis])
	}
	return worst + s.capsules[i].radius
}

// segmentDistance gives the least distance between two segments (C. Ericson,
// Real-Time Collision Detection, section 5.1.9): the nearest point of the
// first line, then that of the second segment to it, then back.
func segmentDistance(p, q *[2]robot.Vec3) float64 {
	u, v, r := p[1].Sub(p[0]), q[1].Sub(q[0]), p[0].Sub(q[0])
	uu, vv, uv, ur, vr := u.Dot(u), v.Dot(v), u.Dot(v), u.Dot(r), v.Dot(r)
	s := part(uv*vr-ur*vv, uu*vv-uv*uv)
	t := part(uv*s+vr, vv)
	s = part(uv*t-ur, uu)
	return r.Add(u.Scale(s)).Sub(v.Scale(t)).Norm()
}

// part gives n/d cut to 0..1; 0 for a segment that is a point.
func part(n, d float64) float64 {
	if d <= 0 {
		return 0
	}
	return clamp(n/d, 0, 1)
}
