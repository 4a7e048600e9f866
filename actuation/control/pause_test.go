package control_test

import (
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
)

// moving gives a rig in the middle of a motion that would go on for a second.
func moving(t *testing.T) *rig {
	r := newRig(t, control.Config{})
	r.run(2)
	r.loop.Submit(r.swing(1, r.clock.Now(), 50, 20*time.Millisecond, 0))
	r.run(10)
	r.expect(safety.Moving, safety.OK)
	return r
}

// still says whether no joint is told to move.
func (r *rig) still() bool { return r.plant.Command().Velocity == robot.Joints{} }

func TestPauseBrakesAndEndsByItself(t *testing.T) {
	r := moving(t)
	seen, origin := jumps{}, r.clock.Now()
	r.loop.Pause(200 * time.Millisecond)
	r.loop.Pause(100 * time.Millisecond) // never shorter
	for range 19 {
		r.run(1)
		seen.see(r.plant.Command())
		r.expect(safety.Held, safety.NoSource)
	}
	if !r.still() {
		t.Errorf("after 190 ms of a pause the robot is told to move: %v", r.plant.Command().Velocity)
	}
	// It goes on without a jump, with what is wanted by then.
	r.loop.Submit(r.swing(2, origin, 50, 20*time.Millisecond, 0))
	r.run(1)
	for range 8 {
		r.run(1)
		seen.see(r.plant.Command())
	}
	r.expect(safety.Moving, safety.OK)
	if r.still() {
		t.Error("after a pause the robot does not go on")
	}
	most := r.desc.Joints[0].Limits.MaxAcceleration * tick.Seconds()
	if seen.velocity > most*1.001 || seen.position > most*tick.Seconds() {
		t.Errorf("the velocity jumps by %.3f rad/s, want %.3f at most; the position by %g rad", seen.velocity, most, seen.position)
	}
}

// A stop in a pause latches, and a pause that ends does not end a stop.
func TestAStopIsMoreThanAPause(t *testing.T) {
	r := moving(t)
	r.loop.Pause(50 * time.Millisecond)
	r.run(2)
	r.loop.Stop("it was a stop")
	r.run(1)
	r.expect(safety.Stopped, safety.StopAsked)
	r.run(20)
	r.expect(safety.Stopped, safety.StopAsked)
}

// Whatever the source, also one that begins in the pause, nothing moves.
func TestPauseHoldsEverySource(t *testing.T) {
	r := newRig(t, control.Config{})
	r.run(2)
	r.loop.Pause(100 * time.Millisecond)
	for range 9 {
		r.loop.Submit(r.swing(1, r.clock.Now(), 20, 20*time.Millisecond, 0.2))
		r.loop.Steer(control.Setpoint{At: r.clock.Now(), Expires: r.clock.Now().Add(200 * time.Millisecond), Joints: robot.Joints{0.3}, ByVelocity: true})
		r.run(1)
		if !r.still() {
			t.Fatalf("the robot moves in a pause: %v", r.plant.Command().Velocity)
		}
	}
}
