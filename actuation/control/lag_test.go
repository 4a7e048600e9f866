package control_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
)

// follow steers joint 0 by position along where, with a set-point every period,
// and gives the largest distance from it after the first second, and what jumps.
func (r *rig) follow(where func(seconds float64) float64, period time.Duration) (behind float64, j jumps) {
	origin := r.clock.Now()
	q := r.desc.Home()
	for k := range int(3 * time.Second / tick) {
		now := r.clock.Now()
		since := now.Sub(origin).Seconds()
		if k%int(period/tick) == 0 {
			q[0] = where(since)
			r.loop.Steer(control.Setpoint{At: now, Expires: now.Add(200 * time.Millisecond), Joints: q})
		}
		r.run(1)
		j.see(r.plant.Command())
		if since > 1 {
			behind = max(behind, math.Abs(where(since)-r.plant.Command().Position[0]))
		}
	}
	return behind, j
}

// How far a hand that steers by position is ahead of the joints, as time. It
// grows with the speed, for the joints can come to rest at every set-point.
func TestTeleoperationLag(t *testing.T) {
	for _, c := range []struct {
		rate   float64 // rad/s
		period time.Duration
		most   time.Duration
	}{
		{0.2, 20 * time.Millisecond, 60 * time.Millisecond},
		{0.5, 20 * time.Millisecond, 160 * time.Millisecond},
		{0.2, 50 * time.Millisecond, 130 * time.Millisecond},
		{0.4, 50 * time.Millisecond, 160 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%g rad a second every %v", c.rate, c.period), func(t *testing.T) {
			r := newRig(t, control.Config{})
			r.run(2)
			behind, j := r.follow(func(s float64) float64 { return c.rate * s }, c.period)
			lag := time.Duration(behind / c.rate * float64(time.Second))
			t.Logf("%v behind, the velocity jumps by %.3f rad/s in a tick", lag.Round(time.Millisecond), j.velocity)
			r.expect(safety.Moving, safety.OK)
			if lag > c.most {
				t.Errorf("%v behind, want %v at most", lag, c.most)
			}
			// What the safety core would allow in a tick is 0.1 rad/s.
			if j.velocity > 0.08 || j.position > 1e-9 {
				t.Errorf("jumps by %.3f rad/s and %g rad", j.velocity, j.position)
			}
		})
	}
}

// A hand that turns and halts as it likes: the joint never passes where the hand
// has been, and never jumps.
func TestTeleoperationStaysWhereTheHandWas(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	r := newRig(t, control.Config{})
	r.run(2)
	q := r.desc.Home()
	low, high, passed := q[0], q[0], 0.0
	var j jumps
	for range 400 {
		rate := 1.2 * random.Float64() * float64(random.IntN(3)-1)
		every := 1 + random.IntN(6) // ticks
		for range 1 + random.IntN(20) {
			q[0] = max(-1, min(1, q[0]+rate*float64(every)*tick.Seconds()))
			low, high = min(low, q[0]), max(high, q[0])
			now := r.clock.Now()
			r.loop.Steer(control.Setpoint{At: now, Expires: now.Add(200 * time.Millisecond), Joints: q})
			for range every {
				r.run(1)
				j.see(r.plant.Command())
				p := r.plant.Command().Position[0]
				passed = max(passed, p-high, low-p)
			}
		}
	}
	r.expect(safety.Moving, safety.OK)
	t.Logf("passes by %.2g rad, the velocity jumps by %.3f rad/s in a tick", passed, j.velocity)
	if passed > 2e-3 || j.velocity > 0.1+1e-9 || j.position > 1e-9 {
		t.Errorf("passes by %g rad, jumps by %g rad/s and %g rad", passed, j.velocity, j.position)
	}
}
