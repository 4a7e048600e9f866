package control_test

import (
	"math"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
)

// jumps measures the largest change of joint 0's velocity from tick to tick, in
// rad/s, and of its position beyond what its velocity explains, in rad.
type jumps struct {
	last               robot.Command
	velocity, position float64
}

func (j *jumps) see(c robot.Command) {
	if j.last.At != 0 {
		dt := c.At.Sub(j.last.At).Seconds()
		j.velocity = max(j.velocity, math.Abs(c.Velocity[0]-j.last.Velocity[0]))
		j.position = max(j.position, math.Abs(c.Position[0]-j.last.Position[0]-c.Velocity[0]*dt))
	}
	j.last = c
}

// Chunks of a policy do not quite fit each other: every 100 ms a new one comes
// that lies 20 mrad beside the old one. Without blending the command would
// jump by that.
func TestSeamsAreContinuous(t *testing.T) {
	r := newRig(t, control.Config{})
	r.run(2)
	origin := r.clock.Now()
	var j jumps
	limited := 0
	for k := range 30 {
		shift := 0.01 * float64(1-2*(k%2))
		r.loop.Submit(r.swing(uint64(k), origin, 20, 20*time.Millisecond, shift))
		for i := range 10 {
			if s := r.run(1); s.Verdict.Limited != 0 {
				limited++
				t.Logf("tick %d of chunk %d: limited %b", i, k, s.Verdict.Limited)
			}
			j.see(r.plant.Command())
		}
	}
	r.expect(safety.Moving, safety.OK)
	t.Logf("largest jump at 30 seams of 20 mrad: %.4f rad/s a tick, %.2g rad", j.velocity, j.position)
	// Where nothing was limited, what was asked for was continuous by itself.
	if limited > 0 || j.velocity > 0.1 {
		t.Errorf("%d of 300 ticks were limited, the velocity jumps by %.4f rad/s in a tick", limited, j.velocity)
	}
	if j.position > 1e-9 {
		t.Errorf("the position jumps by %g rad", j.position)
	}
}

func TestSeamIsNotFeltWhenChunksFit(t *testing.T) {
	r := newRig(t, control.Config{})
	r.run(2)
	origin := r.clock.Now()
	var j jumps
	for k := range 30 {
		r.loop.Submit(r.swing(uint64(k), origin, 30, 10*time.Millisecond, 0))
		for range 10 {
			r.run(1)
			x := r.clock.Now().Sub(origin).Seconds()
			if got, want := r.plant.Command().Position[0], 0.15*(1-math.Cos(4*x)); math.Abs(got-want) > 1e-3 {
				t.Fatalf("at %.2f s %.5f, want %.5f", x, got, want)
			}
			j.see(r.plant.Command())
		}
	}
	if j.velocity > 0.03 {
		t.Errorf("the velocity jumps by %.4f rad/s in a tick, the motion's own change is 0.024", j.velocity)
	}
}

func TestFarChunkIsApproachedGently(t *testing.T) {
	r := newRig(t, control.Config{})
	r.run(2)
	var j jumps
	far := r.desc.Home()
	far[0] = 1
	for range 20 {
		now := r.clock.Now()
		r.loop.Submit(robot.Chunk{Source: robot.SourceSkill, ObservedAt: now, Start: now, Step: 50 * time.Millisecond, Actions: []robot.Joints{far, far, far}, Expires: now.Add(time.Second)})
		for range 10 {
			r.run(1)
			j.see(r.plant.Command())
			if p := r.plant.Command().Position[0]; p > 1+1e-9 {
				t.Fatalf("overshoots to %g", p)
			}
		}
	}
	if p := r.plant.Command().Position[0]; math.Abs(p-1) > 1e-3 {
		t.Errorf("after 2 s at %.4f, want 1", p)
	}
	if j.velocity > 0.1+1e-9 {
		t.Errorf("the velocity jumps by %g in a tick, the limit is 0.1", j.velocity)
	}
}

func TestTeleoperation(t *testing.T) {
	r := newRig(t, control.Config{})
	r.run(2)
	steer := func(q robot.Joints, byVelocity bool) {
		now := r.clock.Now()
		r.loop.Steer(control.Setpoint{At: now, Expires: now.Add(150 * time.Millisecond), Joints: q, ByVelocity: byVelocity})
	}
	// 20 Hz by position: smooth although the set-points are steps of 20 mrad.
	var j jumps
	q := r.desc.Home()
	for range 40 {
		q[0] += 0.02
		steer(q, false)
		for range 5 {
			r.run(1)
			j.see(r.plant.Command())
		}
	}
	if s := r.expect(safety.Moving, safety.OK); s.Verdict.Source != robot.SourceTeleop {
		t.Errorf("source %v", s.Verdict.Source)
	}
	if lag := q[0] - r.plant.Command().Position[0]; lag > 0.09 || j.velocity > 0.08 {
		t.Errorf("lags %.3f rad, jumps by %.3f rad/s", lag, j.velocity)
	}
	for range 20 {
		steer(robot.Joints{-0.5}, true)
		r.run(5)
	}
	if v := r.plant.Command().Velocity[0]; math.Abs(v+0.5) > 1e-9 {
		t.Errorf("by velocity %g, want -0.5", v)
	}
	r.run(9)
	r.expect(safety.Moving, safety.OK)
	r.run(2)
	r.expect(safety.Held, safety.SourceExpired)
	if v := r.plant.Command().Velocity[0]; v <= -0.5 {
		t.Errorf("still %g rad/s after the set-point expired", v)
	}
}

func TestTeleoperatorTakesOverFromThePolicy(t *testing.T) {
	r := newRig(t, control.Config{})
	r.run(2)
	var j jumps
	origin := r.clock.Now()
	r.loop.Submit(r.swing(1, origin, 100, 20*time.Millisecond, 0))
	for i := range 60 {
		if i >= 20 && i < 30 {
			now := r.clock.Now()
			r.loop.Steer(control.Setpoint{At: now, Expires: now.Add(time.Second), Joints: r.desc.Home()})
		}
		if i == 30 {
			r.loop.Hold(robot.SourceTeleop)
			r.loop.Submit(r.swing(2, origin, 100, 20*time.Millisecond, 0))
		}
		s := r.run(1)
		j.see(r.plant.Command())
		want := robot.SourcePolicy
		if i >= 20 && i < 30 {
			want = robot.SourceTeleop
		}
		if s.Verdict.Source != want {
			t.Fatalf("tick %d: %v moves, want %v", i, s.Verdict.Source, want)
		}
	}
	if j.velocity > 0.1+1e-9 || j.position > 1e-9 {
		t.Errorf("jumps by %g rad/s and %g rad", j.velocity, j.position)
	}
}
