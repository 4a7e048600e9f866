package control

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// Whatever a motion begins with, the cubic to its target takes no more than the
// acceleration that there is, and passes the target only when there is no room
// left to brake in.
func TestDurationKeepsTheLimits(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 200_000 {
		const fastest, acceleration, least = 2, 10, 0.02
		off := math.Pow(10, -4*random.Float64()) * (2*random.Float64() - 1)
		speed := math.Pow(10, -3*random.Float64()) * (2*random.Float64() - 1) * fastest
		over := duration(off, speed, fastest, acceleration, least)
		if !(over > 0) || off*speed >= 0 && over < least {
			t.Fatalf("from %g at %g within %g s", off, speed, over)
		}
		for _, a := range []float64{-6*off/over/over - 4*speed/over, 6*off/over/over + 2*speed/over} {
			if math.Abs(a) > acceleration*(1+1e-9) {
				t.Fatalf("from %g at %g within %g s: %g rad/s²", off, speed, over, a)
			}
		}
		// Braking at half the acceleration would end before the target.
		room := off*speed >= 0 || math.Abs(off) > speed*speed/acceleration
		if passes := off*speed < 0 && over*math.Abs(speed) > 3*math.Abs(off)*(1+1e-9); passes && room && over > least {
			t.Fatalf("from %g at %g within %g s: passes the target", off, speed, over)
		}
	}
}

func TestSetpointsAreBlendedByTheirDistance(t *testing.T) {
	const blend = 100 * time.Millisecond
	at := func(start time.Duration, actions int) *order {
		return &order{chunk: robot.Chunk{Start: robot.Time(start), Actions: make([]robot.Joints, actions)}}
	}
	for _, c := range []struct {
		before, now *order
		want        time.Duration
	}{
		{nil, at(time.Second, 1), blend},
		{at(time.Second, 2), at(time.Second+20*time.Millisecond, 1), blend},
		{at(time.Second, 1), at(time.Second+20*time.Millisecond, 2), blend},
		{at(time.Second, 1), at(time.Second+20*time.Millisecond, 1), 40 * time.Millisecond},
		{at(time.Second, 1), at(time.Second+time.Millisecond, 1), 20 * time.Millisecond},
		{at(time.Second, 1), at(time.Second+60*time.Millisecond, 1), blend},
		{at(time.Second, 1), at(2*time.Second, 1), blend},
		{at(time.Second, 1), at(time.Second, 1), blend},
	} {
		if got := (&motion{order: c.before}).least(c.now, blend); got != c.want {
			t.Errorf("from %+v to %+v: %v, want %v", c.before, c.now, got, c.want)
		}
	}
}
