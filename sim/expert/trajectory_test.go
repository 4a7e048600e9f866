package expert

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// randomPath is a path as the skills plan them: dense along gentle curves, and
// a corner here and there.
func randomPath(rng *rand.Rand, a *arm) []robot.Joints {
	var knots []robot.Joints
	q := a.desc.Home()
	for range 2 + rng.IntN(4) {
		var to robot.Joints
		for j := range a.desc.Joints {
			to[j] = a.lower[j] + rng.Float64()*(a.upper[j]-a.lower[j])
		}
		for k := range 8 {
			share := float64(k) / 8
			knot := q
			for j := range a.desc.Joints {
				knot[j] += share * share * (3 - 2*share) * (to[j] - q[j])
			}
			knots = append(knots, knot)
		}
		q = to
	}
	return append(knots, q)
}

// checkMotion walks tr in millisecond steps and holds it against the limits.
func checkMotion(t *testing.T, d *robot.Description, tr *trajectory) {
	t.Helper()
	const step = time.Millisecond
	before, speedBefore := tr.at(tr.start)
	for at := tr.start.Add(step); at <= tr.end().Add(5*step); at = at.Add(step) {
		p, v := tr.at(at)
		for j := range d.Joints {
			l := &d.Joints[j].Limits
			speed := (p[j] - before[j]) / step.Seconds()
			accel := (v[j] - speedBefore[j]) / step.Seconds()
			if math.Abs(speed) > l.MaxVelocity || math.Abs(accel) > 1.05*l.MaxAcceleration {
				t.Fatalf("joint %d at %v: speed %.2f, acceleration %.2f, allowed %g and %g",
					j, at, speed, accel, l.MaxVelocity, l.MaxAcceleration)
			}
			if math.Abs(speed-(v[j]+speedBefore[j])/2) > 0.01*l.MaxVelocity {
				t.Fatalf("joint %d at %v: moves at %.4f but says %.4f", j, at, speed, v[j])
			}
		}
		before, speedBefore = p, v
	}
	if _, v := tr.at(tr.end()); v != (robot.Joints{}) {
		t.Fatalf("still moving at the end: %v", v)
	}
}

func TestTrajectoryStaysWithinTheLimits(t *testing.T) {
	a := benchArm(t)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		knots := randomPath(rng, a)
		tr := newTrajectory(a.desc, knots, robot.Time(time.Second), 1)
		checkMotion(t, a.desc, tr)
		if end, _ := tr.at(tr.end()); end != knots[len(knots)-1] {
			t.Fatalf("ends at %v, want %v", end, knots[len(knots)-1])
		}
		slow := newTrajectory(a.desc, knots, robot.Time(time.Second), 2)
		if took, slower := tr.end().Sub(tr.start), slow.end().Sub(slow.start); slower <= took {
			t.Fatalf("slowed down it takes %v, before %v", slower, took)
		}
	}
}

func TestBrakeLeavesThePathOnlyInTime(t *testing.T) {
	a := benchArm(t)
	rng := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		tr := newTrajectory(a.desc, randomPath(rng, a), robot.Time(time.Second), 1)
		at := tr.start.Add(time.Duration(rng.Float64() * float64(tr.end().Sub(tr.start))))
		b := tr.brake(at)
		p, v := tr.at(at)
		bp, bv := b.at(at)
		for j := range a.desc.Joints {
			if math.Abs(p[j]-bp[j]) > 1e-9 || math.Abs(v[j]-bv[j]) > 1e-9 {
				t.Fatalf("the seam jumps from %v, %v to %v, %v", p[:6], v[:6], bp[:6], bv[:6])
			}
		}
		checkMotion(t, a.desc, b)
		if b.end() > tr.end() {
			t.Fatalf("braking ends at %v, after the motion at %v", b.end(), tr.end())
		}
	}
}

func TestCoastTakesUpPositionAndVelocity(t *testing.T) {
	a := benchArm(t)
	q, v := a.desc.Home(), robot.Joints{1.5, -2, 0.3, 0, 2.9}
	c := newCoast(a.desc, q, v, robot.Time(time.Second))
	for _, at := range []time.Duration{-50, 0} {
		p, w := c.at(c.start.Add(at * time.Millisecond))
		for j := range a.desc.Joints {
			if want := q[j] + v[j]*float64(at)/1000; math.Abs(p[j]-want) > 1e-9 || math.Abs(w[j]-v[j]) > 1e-9 {
				t.Errorf("at %d ms joint %d is at %.4f with %.4f, want %.4f with %.4f", at, j, p[j], w[j], want, v[j])
			}
		}
	}
	checkMotion(t, a.desc, c)
	checkMotion(t, a.desc, c.brake(c.start.Add(30*time.Millisecond)))
	if still := newCoast(a.desc, q, robot.Joints{}, 7); still.end() != 7 {
		t.Errorf("at rest already, but it ends at %v", still.end())
	}
}

func TestTrajectoryOfOnePointRests(t *testing.T) {
	a := benchArm(t)
	home := a.desc.Home()
	tr := newTrajectory(a.desc, []robot.Joints{home, home}, 5, 1)
	if p, v := tr.at(1000); p != home || v != (robot.Joints{}) || tr.end() != 5 {
		t.Errorf("at %v with %v until %v, want home, at rest, 5ns", p[:6], v[:6], tr.end())
	}
}
