package safety

import (
	"math"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// moving gives a rig that follows a policy towards 1 rad of joint 0.
func moving(t *testing.T, d *robot.Description, c Config) *rig {
	t.Helper()
	r := newRig(t, d, c)
	r.step(tick)
	r.expect(Held, Engaging)
	r.advance(20)
	r.expect(Moving, OK)
	return r
}

// advance goes on towards 1 rad of joint 0 for n ticks.
func (r *rig) advance(n int) {
	q := r.l.desc.Home()
	q[0] = 1
	for range n {
		r.want(q, robot.Joints{})
		r.step(tick)
	}
}

// halted says that the command stands where it stood.
func (r *rig) halted(before robot.Command) {
	r.t.Helper()
	if r.command.Position != before.Position || r.command.Velocity != (robot.Joints{}) {
		r.t.Fatalf("the command went on from %v to %v at %v", before.Position, r.command.Position, r.command.Velocity)
	}
}

func TestFirstTickOnlyEngages(t *testing.T) {
	r := newRig(t, testArm(), DefaultConfig())
	r.in.State.Position[0] = 0.3
	q := r.l.desc.Home()
	q[0] = 1
	r.want(q, robot.Joints{})
	r.step(tick)
	r.expect(Held, Engaging)
	if r.command.Position != r.in.State.Position || !r.command.Enable || r.verdict.Source != robot.SourceNone {
		t.Errorf("first command %+v of %v, want the torque on where the joints are", r.command, r.verdict.Source)
	}
	r.step(tick)
	r.expect(Moving, OK)
	if r.command.Position[0] <= 0.3 || r.verdict.Source != robot.SourcePolicy || r.command.At != r.now {
		t.Errorf("second command %+v of %v, want a motion of policy", r.command, r.verdict.Source)
	}
}

func TestStop(t *testing.T) {
	r := moving(t, testArm(), DefaultConfig())
	before := r.command
	r.in.Stop = true
	r.advance(1)
	r.expect(Stopped, StopAsked)
	r.halted(before)
	if !r.command.Enable || r.verdict.Source != robot.SourceNone || r.verdict.Joint != -1 {
		t.Errorf("stopped: enable %v, source %v, joint %d", r.command.Enable, r.verdict.Source, r.verdict.Joint)
	}
	r.in.Stop = false
	r.advance(50)
	r.expect(Stopped, StopAsked)
	r.halted(before)
	r.in.Reset = true
	r.advance(1)
	r.expect(Held, Engaging)
	r.halted(before)
	r.in.Reset = false
	r.advance(1)
	r.expect(Moving, OK)
}

func TestStopBeatsEverything(t *testing.T) {
	for name, change := range map[string]func(*Input){
		"fault":   func(in *Input) { in.State.Position[1] = math.NaN() },
		"reset":   func(in *Input) { in.Reset = true },
		"release": func(in *Input) { in.Release = true },
		"target":  func(in *Input) { in.Targets[robot.SourcePolicy].Position[0] = math.NaN() },
	} {
		r := moving(t, testArm(), DefaultConfig())
		r.in.Stop = true
		change(&r.in)
		r.step(tick)
		if r.expect(Stopped, StopAsked); r.verdict.Joint != -1 {
			t.Errorf("%s: joint %d", name, r.verdict.Joint)
		}
	}
}

func TestStopLimp(t *testing.T) {
	c := DefaultConfig()
	c.StopLimp = true
	r := moving(t, testArm(), c)
	r.in.Stop = true
	r.step(tick)
	r.expect(Stopped, StopAsked)
	if r.command.Enable {
		t.Error("the torque is on")
	}
	r.in.Stop = false
	r.in.State.Position[0] = 0.7 // by hand
	r.step(tick)
	if p, _ := r.core.Commanded(); p[0] != 0.7 {
		t.Errorf("commanded %g, want 0.7", p[0])
	}
	if r.command.Enable || r.command.Position[0] != 0.7 {
		t.Errorf("limp: enable %v at %g, want the command to go along", r.command.Enable, r.command.Position[0])
	}
	r.in.Reset = true
	r.step(tick)
	r.expect(Held, Engaging)
	if !r.command.Enable || r.command.Position[0] != 0.7 {
		t.Errorf("after the reset: enable %v at %g, want the torque on at 0.7", r.command.Enable, r.command.Position[0])
	}
	// A fault does not cut the torque.
	r = moving(t, testArm(), c)
	r.now = r.now.Add(time.Second)
	r.tick()
	if r.expect(Fault, StateStale); !r.command.Enable {
		t.Error("a fault cut the torque")
	}
}

func TestFaultLatchesWithItsFirstCause(t *testing.T) {
	r := moving(t, testArm(), DefaultConfig())
	before := r.command
	r.in.State.Temperature[2] = 60
	r.advance(1)
	r.expect(Fault, TooHot)
	r.halted(before)
	if r.verdict.Joint != 2 || !r.command.Enable {
		t.Errorf("joint %d, enable %v; want 2, true", r.verdict.Joint, r.command.Enable)
	}
	r.in.State.Position[1] = math.NaN()
	r.advance(1)
	if r.expect(Fault, TooHot); r.verdict.Health != StateInvalid || r.verdict.HealthJoint != 1 {
		t.Errorf("health %v of %d, want the newest", r.verdict.Health, r.verdict.HealthJoint)
	}
	r.in.State.Position[1] = -1
	r.in.Reset = true
	r.advance(1)
	r.expect(Fault, TooHot) // it still is
	r.in.State.Temperature[2] = 40
	r.in.Reset = false
	r.advance(1)
	r.expect(Fault, TooHot)
	r.in.Stop = true
	r.advance(1)
	r.expect(Stopped, TooHot)
	r.in.Stop, r.in.Reset = false, true
	r.advance(1)
	r.expect(Held, Engaging)
	if r.verdict.Joint != -1 {
		t.Errorf("joint %d after the reset", r.verdict.Joint)
	}
}

func TestOverheatedIsReleased(t *testing.T) {
	r := moving(t, testArm(), DefaultConfig())
	r.in.State.Temperature[2] = 61
	r.advance(1)
	r.in.State.Temperature[2] = 66
	r.advance(1)
	if r.expect(Fault, TooHot); r.command.Enable || r.verdict.Health != Overheated {
		t.Errorf("enable %v, health %v; want the torque off, overheated", r.command.Enable, r.verdict.Health)
	}
	r.in.State.Temperature[2] = 20
	r.advance(1)
	if r.command.Enable {
		t.Error("the torque came back without a reset")
	}
	r = moving(t, testArm(), DefaultConfig())
	r.in.State.Temperature[2] = 66
	r.advance(1)
	r.expect(Fault, Overheated)
	r = moving(t, testArm(), DefaultConfig())
	r.in.Stop = true
	r.in.State.Temperature[2] = 66
	if r.advance(1); r.command.Enable {
		t.Error("stopped and overheated, but the torque is on")
	}
	r.expect(Stopped, StopAsked)
}

func TestInvalidTargetOfTheFollowedSourceIsAFault(t *testing.T) {
	r := moving(t, testArm(), DefaultConfig())
	before := r.command
	q := r.l.desc.Home()
	q[4] = math.Inf(1)
	r.want(q, robot.Joints{})
	r.step(tick)
	if r.expect(Fault, TargetInvalid); r.verdict.Joint != 4 {
		t.Errorf("joint %d, want 4", r.verdict.Joint)
	}
	r.halted(before)
	r = moving(t, testArm(), DefaultConfig())
	r.in.Targets[robot.SourceSkill] = Target{Issued: 1, Position: q}
	r.advance(1)
	r.expect(Moving, OK)
}

func TestTheStrongerCauseIsNamed(t *testing.T) {
	for name, change := range map[string]func(*rig){
		"target": func(r *rig) { r.in.Targets[robot.SourcePolicy].Position[0] = math.NaN() },
		"stall": func(r *rig) {
			r.push(1, 2)
			r.core.stall[1] = stall{since: r.now.Add(-time.Second), backedOff: r.now.Add(-600 * time.Millisecond), tries: 1}
		},
	} {
		r := moving(t, testArm(), DefaultConfig())
		change(r)
		r.in.State.Temperature[2] = 61
		r.step(tick)
		if r.expect(Fault, TooHot); !r.command.Enable || r.verdict.Joint != 2 {
			t.Errorf("%s and heat: enable %v, joint %d", name, r.command.Enable, r.verdict.Joint)
		}
		r = moving(t, testArm(), DefaultConfig())
		change(r)
		if r.step(tick); r.verdict.Mode != Fault || r.verdict.Code != map[string]Code{"target": TargetInvalid, "stall": Stalled}[name] {
			t.Errorf("%s: %+v", name, r.verdict)
		}
	}
}

func TestRelease(t *testing.T) {
	r := moving(t, testArm(), DefaultConfig())
	r.in.Release = true
	r.advance(1)
	r.expect(Off, ReleaseAsked)
	r.in.State.Position[0] = -0.5
	r.advance(1)
	if r.command.Enable || r.command.Position[0] != -0.5 || r.command.Velocity != (robot.Joints{}) {
		t.Errorf("released: %+v", r.command)
	}
	r.in.State.Position[0] = math.NaN()
	r.advance(1)
	r.expect(Off, StateInvalid)
	if r.command.Position[0] != -0.5 {
		t.Errorf("the command took over %g", r.command.Position[0])
	}
	r.in.State.Position[0] = -0.4
	r.in.Release = false
	r.advance(1)
	r.expect(Held, Engaging)
	if r.command.Position[0] != -0.4 {
		t.Errorf("torque on at %g, want -0.4", r.command.Position[0])
	}
	// Also while stopped, which it stays, limp, until the reset.
	r.in.Stop, r.in.Release = true, true
	r.advance(1)
	r.in.Stop, r.in.Release = false, false
	r.advance(1)
	if r.expect(Stopped, StopAsked); r.command.Enable {
		t.Error("the torque came back without a reset")
	}
	r.in.Reset, r.in.Release = true, true
	r.advance(1)
	if r.expect(Held, Engaging); r.command.Enable {
		t.Error("a reset turned the torque on although it is to be off")
	}
	r.in.Reset = false
	r.advance(1)
	r.expect(Off, ReleaseAsked)
	r.in.Stop = true
	r.advance(1)
	r.in.Stop, r.in.Reset = false, true
	r.advance(1)
	r.in.Reset, r.in.Release = false, false
	r.advance(1)
	if r.expect(Held, Engaging); !r.command.Enable {
		t.Error("the torque did not come on")
	}
	r.advance(1)
	r.expect(Moving, OK)
}

func TestSilentSourceBrakesWithinTheLimits(t *testing.T) {
	r := moving(t, testArm(), DefaultConfig())
	last := r.now
	r.in.Targets[robot.SourceNone].Position[0] = math.NaN() // nobody's target counts for nothing
	for before := r.command; r.command.Velocity[0] != 0 || r.verdict.Mode == Moving; before = r.command {
		r.step(tick)
		if r.verdict.Mode == Held && r.verdict.Limited&^LimitAcceleration != 0 {
			t.Fatalf("limited %b while braking", r.verdict.Limited)
		}
		if change := math.Abs(r.command.Velocity[0] - before.Velocity[0]); change > 0.1+1e-12 {
			t.Fatalf("velocity changed by %g in a tick, at most 0.1 is allowed", change)
		}
	}
	r.expect(Held, SourceSilent)
	if took := r.now.Sub(last); took > 500*time.Millisecond || took > r.l.WorstStop()+2*tick {
		t.Errorf("at rest %v after the last message, WorstStop says %v", took, r.l.WorstStop())
	}
}

func TestLateTickStartsFromRest(t *testing.T) {
	r := moving(t, testArm(), DefaultConfig())
	before := r.command
	q := before.Position
	q[0] += 0.5
	r.want(q, robot.Joints{})
	r.step(50 * time.Millisecond)
	r.expect(Moving, OK)
	before = r.command
	r.want(q, robot.Joints{})
	r.step(50*time.Millisecond + 1)
	r.expect(Held, Late)
	r.halted(before)
	r.advance(1)
	r.expect(Moving, OK)
	if v := r.command.Velocity[0]; math.Abs(v) > 0.1+1e-12 {
		t.Errorf("velocity %g after a late tick, want a start from rest", v)
	}
}

func TestResetDoesNotMakeAFallenJointJump(t *testing.T) {
	// Joint 1 has a range of 3.4 rad, of which 5 % are 0.17; joint 4 stands at 0.
	for name, c := range map[string]struct {
		joint  int
		fallen float64
		wheel  bool
		jumps  bool
	}{
		"sagged":      {joint: 1, fallen: 0.169},
		"fallen":      {joint: 1, fallen: 0.171, jumps: true},
		"fallen back": {joint: 1, fallen: -0.171, jumps: true},
		"at the edge": {joint: 4, fallen: recovery(5.4)},
		"wheel":       {joint: 5, fallen: 9, wheel: true},
	} {
		d := testArm()
		if c.wheel {
			d.Joints[5].Kind, d.Gripper = robot.Wheel, ""
		}
		r := moving(t, d, DefaultConfig())
		want := r.command.Position
		r.in.Stop = true
		r.step(tick)
		r.in.Stop, r.in.Reset = false, true
		r.in.State.Position[3] += 0.01
		r.in.State.Position[c.joint] += c.fallen
		r.step(tick)
		r.expect(Held, Engaging)
		if c.jumps {
			want[3] += 0.01
			want[c.joint] += c.fallen
		}
		for i := range d.Joints {
			if got := r.command.Position[i]; math.Abs(got-want[i]) > 1e-12 || !r.command.Enable {
				t.Errorf("%s by %g: the command of joint %d after the reset is %g, want %g", name, c.fallen, i, got, want[i])
			}
		}
	}
	r := moving(t, testArm(), DefaultConfig())
	r.in.Stop = true
	r.step(tick)
	before := r.command
	r.in.State.Position[1] = 1.5
	r.in.Stop = false
	r.step(tick)
	r.halted(before) // until then the command stays
}

func TestResetOfALimpRobotStartsWhereItIs(t *testing.T) {
	c := DefaultConfig()
	c.StopLimp = true
	r := moving(t, testArm(), c)
	r.in.Stop = true
	r.step(tick)
	r.in.Stop = false
	r.in.State.Position[0] = math.NaN() // so that nobody knows where it goes
	r.step(tick)
	want := r.command.Position[0] + 0.05
	r.in.State.Position[0] = want
	r.in.Reset = true
	r.step(tick)
	r.expect(Held, Engaging)
	if got := r.command.Position[0]; got != want {
		t.Errorf("the command begins at %g, the joint is at %g", got, want)
	}
}

func TestClockThatStandsOrGoesBack(t *testing.T) {
	r := moving(t, testArm(), DefaultConfig())
	before := r.command
	if r.advance(0); r.step(0).Mode != Moving || r.command.Velocity != before.Velocity || r.command.Position != before.Position {
		t.Errorf("a tick of no length changed %v to %v", before, r.command)
	}
	if r.step(1); r.command.Position == before.Position {
		t.Errorf("a tick of a nanosecond changed nothing")
	}
	r.now = r.now.Add(-tick)
	r.in.State.At = r.now
	r.tick()
	r.expect(Fault, ClockBack)
	r.in.Reset = true
	r.step(tick)
	r.expect(Held, Engaging)
}

func TestAfterRestart(t *testing.T) {
	r := newRig(t, testArm(), DefaultConfig())
	r.core = Restarted()
	if p, v := r.core.Commanded(); p != (robot.Joints{}) || v != (robot.Joints{}) {
		t.Errorf("commanded %v at %v before the first tick", p, v)
	}
	if r.core.Mode() != Stopped {
		t.Errorf("mode %v", r.core.Mode())
	}
	r.advance(5)
	if r.expect(Stopped, AfterRestart); r.command.Enable || r.verdict.Joint != -1 {
		t.Errorf("enable %v, joint %d", r.command.Enable, r.verdict.Joint)
	}
	r.in.Reset = true
	r.advance(1)
	if r.expect(Held, Engaging); !r.command.Enable {
		t.Error("the reset did not turn the torque on")
	}
}

func TestSpeedIsCut(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*rig)
		most   float64
	}{
		"not":             {func(*rig) {}, 2},
		"by the source":   {func(r *rig) { r.l.rules[robot.SourcePolicy].Speed = 0.25 }, 0.5},
		"by temperature":  {func(r *rig) { r.in.State.Temperature[0] = 55 }, 1},
		"by effort":       {func(r *rig) { r.in.State.Effort[0] = 8 }, 0.5},
		"by two":          {func(r *rig) { r.in.State.Temperature[0] = 55; r.in.State.Effort[0] = 4 }, 0.5},
		"of another":      {func(r *rig) { r.in.State.Temperature[1] = 55 }, 2},
		"by the ramp":     {func(r *rig) { r.core.resetAt = r.now; r.l.config.Ramp = time.Hour; r.l.config.RampFloor = 0.1 }, 0.2},
		"ramp over":       {func(r *rig) { r.core.resetAt = r.now; r.l.config.Ramp = 10 * tick }, 2},
		"without a reset": {func(r *rig) { r.l.config.Ramp = time.Hour }, 2},
	} {
		r := newRig(t, testArm(), DefaultConfig())
		r.step(tick)
		c.change(r)
		far := r.l.desc.Home()
		far[0] = 1.9
		var most float64
		var limited Limit
		for range 60 {
			r.want(far, robot.Joints{})
			r.step(tick)
			most, limited = max(most, r.command.Velocity[0]), limited|r.verdict.Limited
		}
		if math.Abs(most-c.most) > 0.001 {
			t.Errorf("%s: %g rad/s at most, want %g", name, most, c.most)
		}
		if cut := c.most < 2 || name == "ramp over"; (limited&LimitDerated != 0) != cut || limited&LimitVelocity == 0 || limited&LimitAcceleration == 0 {
			t.Errorf("%s: limited %b", name, limited)
		}
	}
}

func TestRamp(t *testing.T) {
	c := DefaultConfig()
	c.Ramp, c.RampFloor = 2*time.Second, 0.2
	r := newRig(t, testArm(), c)
	at := robot.Time(5 * time.Second)
	r.l.config.Ramp = 0
	if got := r.l.ramp(at, at); got != 1 {
		t.Errorf("without a ramp %g, want 1", got)
	}
	r.l.config.Ramp = 2 * time.Second
	for since, want := range map[time.Duration]float64{0: 0.2, time.Second: 0.6, 2*time.Second - 1: 1, 2 * time.Second: 1, time.Hour: 1} {
		if got := r.l.ramp(at, at.Add(since)); math.Abs(got-want) > 1e-8 {
			t.Errorf("%v after a reset: %g, want %g", since, got, want)
		}
	}
	if got := r.l.ramp(0, 1); got != 1 {
		t.Errorf("before any reset: %g, want 1", got)
	}
	// A fresh reset slows what follows.
	r.step(tick)
	r.in.Reset = true
	r.step(tick)
	r.in.Reset = false
	r.advance(30)
	if v := r.command.Velocity[0]; v < 0.2*2 || v > 0.5*2 {
		t.Errorf("0.3 s after the reset %g rad/s, want about 0.32 · 2", v)
	}
}

func TestWheelsAndVelocities(t *testing.T) {
	d := testArm()
	d.Joints[5].Kind, d.Gripper = robot.Wheel, ""
	r := newRig(t, d, DefaultConfig())
	r.step(tick)
	steer := func(v robot.Joints, byVelocity bool) {
		r.in.Targets[robot.SourceTeleop] = Target{Issued: r.now, ObservedAt: r.now, Expires: r.now.Add(time.Second), Position: d.Home(), Velocity: v, ByVelocity: byVelocity}
		r.step(tick)
	}
	r.l.desc.Joints[5].Limits.MinPosition, r.l.desc.Joints[5].Limits.MaxPosition = 0, 0
	for range 30 {
		steer(robot.Joints{5: -9}, false)
	}
	if r.command.Velocity[5] != -2 || r.command.Position[5] != 0 || r.command.Position[0] != 0 {
		t.Errorf("a wheel is told %g at %g, want -2 at 0", r.command.Velocity[5], r.command.Position[5])
	}
	for range 30 {
		steer(robot.Joints{0: 0.5, 5: 1}, true)
	}
	if r.command.Velocity[0] != 0.5 || r.command.Velocity[5] != 1 {
		t.Errorf("velocities %v, want 0.5 and 1", r.command.Velocity)
	}
	r.l.rules[robot.SourceTeleop].Speed = 0.2
	for range 30 {
		steer(robot.Joints{0: 0.5, 5: 1}, true)
	}
	if r.command.Velocity[0] != 0.4 || r.command.Velocity[5] != 0.4 {
		t.Errorf("velocities %v, want a fifth of 2", r.command.Velocity)
	}
	for range 500 {
		steer(robot.Joints{0: 0.5, 5: 1}, true)
	}
	if p := r.command.Position[0]; p > 1.9 || p < 1.9-1e-6 || r.verdict.Limited&LimitPosition == 0 {
		t.Errorf("steered to %g, want the limit 1.9; limited %b", p, r.verdict.Limited)
	}
}

func TestComesBackIntoItsLimits(t *testing.T) {
	r := newRig(t, testArm(), DefaultConfig())
	r.in.State.Position[0] = 2
	r.step(tick)
	r.expect(Held, Engaging)
	q := r.l.desc.Home()
	q[0] = 3
	for before := 2.0; r.command.Position[0] > 1.9; before = r.command.Position[0] {
		r.want(q, robot.Joints{})
		r.step(tick)
		if r.expect(Moving, OK); r.command.Position[0] >= before {
			t.Fatalf("at %g after %g", r.command.Position[0], before)
		}
	}
	// By velocity it does not go farther out.
	r = newRig(t, testArm(), DefaultConfig())
	r.in.State.Position[0] = -2
	r.step(tick)
	for range 10 {
		r.in.Targets[robot.SourceTeleop] = Target{Issued: r.now, ObservedAt: r.now, Expires: r.now.Add(time.Second), Velocity: robot.Joints{-1}, ByVelocity: true}
		r.step(tick)
	}
	if r.command.Position[0] != -2 {
		t.Errorf("steered from -2 to %g", r.command.Position[0])
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	r := moving(t, testArm(), DefaultConfig())
	if n := testing.AllocsPerRun(100, func() { r.advance(1) }); n != 0 {
		t.Errorf("%g allocations a step", n)
	}
}
