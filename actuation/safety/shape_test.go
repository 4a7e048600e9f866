package safety

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/kuai-robot/kuai/robot"
)

func drawPoint(t *rapid.T, name string) robot.Vec3 {
	x := rapid.Float64Range(-1, 1)
	return robot.Vec3{x.Draw(t, name+" x"), x.Draw(t, name+" y"), x.Draw(t, name+" z")}
}

func TestSegmentDistanceAgainstSearch(t *testing.T) {
	check := func(t interface {
		Fatalf(string, ...any)
	}, p, q [2]robot.Vec3) {
		got := segmentDistance(&p, &q)
		best := math.Inf(1)
		const n = 60
		for i := range n + 1 {
			a := p[0].Add(p[1].Sub(p[0]).Scale(float64(i) / n))
			for j := range n + 1 {
				best = min(best, a.Sub(q[0].Add(q[1].Sub(q[0]).Scale(float64(j)/n))).Norm())
			}
		}
		// A grid point lies within half a cell of the nearest pair. Segments that
		// are all but parallel cost the closed form half its digits.
		const eps = 1e-7
		cell := (p[1].Sub(p[0]).Norm() + q[1].Sub(q[0]).Norm()) / n / 2
		if got > best+eps || got < best-cell-eps {
			t.Fatalf("distance of %v and %v = %g, a search finds %g", p, q, got, best)
		}
	}
	x, y, z := robot.Vec3{1, 0, 0}, robot.Vec3{0, 1, 0}, robot.Vec3{0, 0, 1}
	o := robot.Vec3{}
	for _, c := range []struct {
		p, q [2]robot.Vec3
		want float64
	}{
		{[2]robot.Vec3{o, x}, [2]robot.Vec3{z, z.Add(x)}, 1},                                     // parallel
		{[2]robot.Vec3{o, x}, [2]robot.Vec3{x.Scale(3), x.Scale(5)}, 2},                          // in line
		{[2]robot.Vec3{o, x}, [2]robot.Vec3{x.Scale(5), x.Scale(3)}, 2},                          // in line, turned
		{[2]robot.Vec3{o, o}, [2]robot.Vec3{z, z}, 1},                                            // points
		{[2]robot.Vec3{o, o}, [2]robot.Vec3{z.Sub(x), z.Add(x)}, 1},                              // point and segment
		{[2]robot.Vec3{z.Sub(x), z.Add(x)}, [2]robot.Vec3{o, o}, 1},                              // segment and point
		{[2]robot.Vec3{x.Scale(-1), x}, [2]robot.Vec3{z.Sub(y), z.Add(y)}, 1},                    // crossing
		{[2]robot.Vec3{x.Scale(-1), x}, [2]robot.Vec3{y.Scale(-1), y}, 0},                        // meeting
		{[2]robot.Vec3{o, x}, [2]robot.Vec3{x.Scale(2).Add(y), x.Scale(2).Sub(y)}, 1},            // beside
		{[2]robot.Vec3{o, x}, [2]robot.Vec3{x.Scale(2).Add(y), x.Scale(4).Add(y)}, math.Sqrt2},   // end to end
		{[2]robot.Vec3{o, x}, [2]robot.Vec3{x.Scale(-1).Add(y), x.Scale(-4)}, math.Sqrt(9. / 5)}, // see the search below
	} {
		check(t, c.p, c.q)
		if got := segmentDistance(&c.p, &c.q); math.Abs(got-c.want) > 0.1 {
			t.Errorf("distance of %v and %v = %g, want %g", c.p, c.q, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, [2]robot.Vec3{drawPoint(t, "p0"), drawPoint(t, "p1")}, [2]robot.Vec3{drawPoint(t, "q0"), drawPoint(t, "q1")})
	})
}

func TestPlaceAgreesWithLinkPoses(t *testing.T) {
	d := testArm()
	d.Joints[3].Kind, d.Joints[3].Limits.MinPosition, d.Joints[3].Limits.MaxPosition, d.Joints[3].Home = robot.Prismatic, 0, 0.1, 0
	d.Joints[2].Origin.Orientation = robot.AxisAngle(robot.Vec3{0, 0, 1}, 0.4)
	d.Capsules = append(d.Capsules, robot.Capsule{Link: "shoulder_pan", A: robot.Vec3{0.01, 0, 0.02}, B: robot.Vec3{0, 0.03, 0.02}, Radius: 0.01})
	s, err := newShape(d, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := pose{q: &robot.Joints{0.5}}
	first := *p.segments(&s)
	if p.q[0] = 0.6; *p.segments(&s) != first {
		t.Error("a pose is placed twice")
	}
	rapid.Check(t, func(t *rapid.T) {
		var q robot.Joints
		for i := range d.Joints {
			q[i] = rapid.Float64Range(-2, 2).Draw(t, "q")
		}
		var poses [robot.MaxJoints]robot.Pose
		d.LinkPoses(&q, poses[:len(d.Joints)])
		var at segments
		s.place(&q, &at)
		for i, c := range d.Capsules {
			pose := robot.IdentityPose
			if c.Link != "" {
				pose = poses[d.Index(c.Link)]
			}
			if at[i][0].Sub(pose.Transform(c.A)).Norm() > 1e-12 || at[i][1].Sub(pose.Transform(c.B)).Norm() > 1e-12 {
				t.Fatalf("capsule %d at %v, LinkPoses says %v", i, at[i], [2]robot.Vec3{pose.Transform(c.A), pose.Transform(c.B)})
			}
		}
	})
}

func TestPairs(t *testing.T) {
	s, err := newShape(testArm(), 0.01)
	if err != nil {
		t.Fatal(err)
	}
	// Capsules 0 base, 1 shoulder_lift, 2 elbow_flex, 3 wrist_flex, 4 wrist_roll,
	// 5 gripper.
	want := [][2]int{{1, 0}, {2, 0}, {3, 0}, {3, 1}, {4, 0}, {4, 1}, {4, 2}, {5, 0}, {5, 1}, {5, 2}, {5, 3}}
	if len(s.pairs) != len(want) {
		t.Fatalf("pairs %v, want %v", s.pairs, want)
	}
	for i, p := range want {
		a, b := s.capsules[p[0]], s.capsules[p[1]]
		reach := (a.a.Sub(a.b).Norm()+b.a.Sub(b.b).Norm())/2 + a.radius + b.radius + 0.01 + 0.001
		if math.Abs(s.pairs[i].reach-reach) > 1e-12 {
			t.Errorf("pair %d has reach %g, want %g", i, s.pairs[i].reach, reach)
		}
		if got := s.pairs[i]; got.i != p[0] || got.j != p[1] {
			t.Errorf("pair %d is %v, want %v", i, got, p)
		}
	}
	for _, c := range []struct{ a, b, want int }{{-1, -1, 0}, {-1, 0, 1}, {0, -1, 1}, {5, 3, 2}, {2, 2, 0}, {5, -1, 6}} {
		if got := s.apart(c.a, c.b); got != c.want {
			t.Errorf("apart(%d, %d) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
	d := testArm()
	d.Joints[1].Origin.Position = robot.Vec3{} // the shoulder on the base, two joints apart: as built
	d.Joints[1].Home = -1.6
	if s, err = newShape(d, 0.01); err != nil || len(s.pairs) != len(want)-1 || s.pairs[0].i != 2 {
		t.Errorf("pairs %v, %v; want all but the first of %v", s.pairs, err, want)
	}
	d = testArm()
	d.Joints[4].Parent = "elbow_flex" // beside wrist_flex
	d.Capsules = d.Capsules[:5]
	if s, err = newShape(d, 0); err != nil || s.apart(3, 4) != 2 {
		t.Errorf("siblings are %d apart, %v; want 2", s.apart(3, 4), err)
	}
}

func TestFarApartNeverHidesAContact(t *testing.T) {
	s, err := newShape(testArm(), 0.01)
	if err != nil {
		t.Fatal(err)
	}
	skipped := 0
	rapid.Check(t, func(t *rapid.T) {
		var q robot.Joints
		for i := range s.links {
			q[i] = rapid.Float64Range(-2, 2).Draw(t, "q")
		}
		var at segments
		s.place(&q, &at)
		for _, p := range s.pairs {
			middle := func(i int) robot.Vec3 { return at[i][0].Add(at[i][1]).Scale(0.5) }
			away := middle(p.i).Sub(middle(p.j)).Norm()
			if p.farApart(&at) != (away > p.reach) && math.Abs(away-p.reach) > 1e-12 {
				t.Fatalf("capsules %d and %d: middles %g m apart, reach %g, farApart %v", p.i, p.j, away, p.reach, p.farApart(&at))
			}
			if d := s.distance(p.i, p.j, &at); p.farApart(&at) {
				skipped++
				if d < s.clearance+foresight {
					t.Fatalf("capsules %d and %d are %g m apart and skipped", p.i, p.j, d)
				}
			}
		}
	})
	if skipped == 0 {
		t.Error("no pair was ever skipped")
	}
}

func TestBoundsMayBeTouchedInTheRestingPosition(t *testing.T) {
	d := testArm()
	for i := range d.Joints {
		d.Joints[i].Origin, d.Joints[i].Home = robot.IdentityPose, 0
	}
	// Powers of two, so that the sums are exact.
	d.Capsules = []robot.Capsule{{Radius: 0.25}, {Link: "wrist_flex", A: robot.Vec3{1, 0, 0.5}, B: robot.Vec3{1, 0, 0}, Radius: 0.25}}
	d.WorkspaceMin, d.WorkspaceMax = robot.Vec3{0, -4, -4}, robot.Vec3{4, 4, 0.75}
	if _, err := newShape(d, 0.5); err != nil {
		t.Error(err)
	}
	for _, box := range [][2]robot.Vec3{{{}, {0.5, 0.5, 0.5}}, {{-0.5, -0.5, -0.5}, {}}} {
		d.WorkspaceMin, d.WorkspaceMax = box[0], box[1]
		if _, err := newShape(d, 0.5); err == nil {
			t.Errorf("the box %v has no effect", box)
		}
	}
}

func TestOutside(t *testing.T) {
	s, err := newShape(testArm(), 0.01)
	if err != nil {
		t.Fatal(err)
	}
	// Capsule 2 has radius 0.02; the box is ±0.5, ±0.5, 0 to 0.6.
	for _, c := range []struct {
		a, b robot.Vec3
		want float64
	}{
		{robot.Vec3{0, 0, 0.02}, robot.Vec3{0, 0, 0.3}, 0},
		{robot.Vec3{0, 0, 0.3}, robot.Vec3{0, 0, 0.01}, 0.01},
		{robot.Vec3{0, 0, 0.3}, robot.Vec3{0, 0, 0.6}, 0.02},
		{robot.Vec3{0.7, 0, 0.3}, robot.Vec3{0, 0, 0.3}, 0.22},
		{robot.Vec3{0, 0, 0.3}, robot.Vec3{-0.7, 0, 0.3}, 0.22},
		{robot.Vec3{0, 0.6, 0.3}, robot.Vec3{0, 0, 0.3}, 0.12},
		{robot.Vec3{0, 0, 0.3}, robot.Vec3{0, -0.6, 0.3}, 0.12},
		{robot.Vec3{0, 0, 0.3}, robot.Vec3{0, 0, 0.3}, -0.28},
	} {
		at := segments{2: {c.a, c.b}}
		if got := s.outside(2, &at); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v to %v is %g outside, want %g", c.a, c.b, got, c.want)
		}
		s.capsules[2].link = 0
		if got := s.outside(2, &at); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("on the first link %v to %v is %g outside, want %g", c.a, c.b, got, c.want)
		}
	}
	if got := s.outside(0, &segments{0: {{0, 0, -1}, {0, 0, -1}}}); !math.IsInf(got, -1) {
		t.Errorf("the base is %g outside", got)
	}
	s.boxed = false
	if got := s.outside(2, &segments{2: {{9, 9, 9}, {9, 9, 9}}}); !math.IsInf(got, -1) {
		t.Errorf("without a workspace %g outside", got)
	}
}

func TestCheckLetsOnlyComeApart(t *testing.T) {
	d := testArm()
	d.Capsules = d.Capsules[:4]
	s, err := newShape(d, 0.01) // pairs 2-0, 3-0 and 3-1
	if err != nil {
		t.Fatal(err)
	}
	// Points at height z above the base's capsule, whose top sphere is at 0.04.
	with := func(gap, down float64) *segments {
		return &segments{
			0: {{0, 0, 0.02}, {0, 0, 0.04}}, 1: {{0.3, 0.3, 0.3}, {0.3, 0.3, 0.3}},
			2: {{0, 0, 0.1 + gap}, {0, 0, 0.1 + gap}}, 3: {{-0.3, 0, 0.02 - down}, {-0.3, 0, 0.02 - down}},
		}
	}
	far := with(0.2, -0.1)
	for _, c := range []struct {
		name       string
		at, before *segments
		margin     float64
		want       Limit
	}{
		{"free", far, far, 0, 0},
		{"clear", with(0.0101, -0.1), far, 0, 0},
		{"near", with(0.0099, -0.1), far, 0, LimitCollision},
		{"within the margin", with(0.0105, -0.1), far, 0.001, LimitCollision},
		{"coming apart", with(0.005, -0.1), with(0.004, -0.1), 0, 0},
		{"as near as it was", with(0.005, -0.1), with(0.005, -0.1), 0, 0},
		{"coming nearer", with(0.005, -0.1), with(0.006, -0.1), 0, LimitCollision},
		{"on the floor", with(0.2, 0), far, 0, 0},
		{"under the floor", with(0.2, 0.0001), far, 0, LimitWorkspace},
		{"near the floor", with(0.2, -0.0005), far, 0.001, LimitWorkspace},
		{"coming up", with(0.2, 0.004), with(0.2, 0.005), 0, 0},
		{"as deep as it was", with(0.2, 0.005), with(0.2, 0.005), 0, 0},
		{"going deeper", with(0.2, 0.006), with(0.2, 0.005), 0, LimitWorkspace},
		{"both", with(0.005, 0.006), far, 0, LimitCollision | LimitWorkspace},
	} {
		if got := s.check(c.at, &pose{placed: true, at: *c.before}, c.margin); got != c.want {
			t.Errorf("%s: %b, want %b", c.name, got, c.want)
		}
	}
	at := with(0.0101, -0.1)
	s.clearance = s.distance(2, 0, at)
	if got := s.check(at, &pose{placed: true, at: *far}, 0); got != 0 {
		t.Errorf("exactly at the clearance: %b", got)
	}
	s.boxed = false
	if got := s.check(with(0.2, 1), &pose{placed: true, at: *far}, 0); got != 0 {
		t.Errorf("without a workspace: %b", got)
	}
}
