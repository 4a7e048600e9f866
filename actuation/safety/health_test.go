package safety

import (
	"math"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

func TestHealth(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name   string
		change func(*robot.State)
		want   Code
		joint  int
	}{
		{"nothing", func(*robot.State) {}, OK, -1},
		{"position NaN", func(s *robot.State) { s.Position[2] = nan }, StateInvalid, 2},
		{"velocity infinite", func(s *robot.State) { s.Velocity[1] = inf }, StateInvalid, 1},
		{"effort NaN", func(s *robot.State) { s.Effort[5] = nan }, StateInvalid, 5},
		{"temperature infinite", func(s *robot.State) { s.Temperature[0] = -inf }, StateInvalid, 0},
		{"NaN past the last joint", func(s *robot.State) { s.Position[6] = nan }, OK, -1},
		{"NaN beats heat", func(s *robot.State) { s.Temperature[0], s.Position[1] = 80, nan }, StateInvalid, 1},
		{"warm", func(s *robot.State) { s.Temperature[3] = 59.9 }, OK, -1},
		{"hot", func(s *robot.State) { s.Temperature[3] = 60 }, TooHot, 3},
		{"hotter", func(s *robot.State) { s.Temperature[3] = 64.9 }, TooHot, 3},
		{"too hot to hold", func(s *robot.State) { s.Temperature[3] = 65 }, Overheated, 3},
		{"the hotter of two", func(s *robot.State) { s.Temperature[1], s.Temperature[3], s.Temperature[4] = 61, 66, 62 }, Overheated, 3},
		{"the first of equals", func(s *robot.State) { s.Temperature[1], s.Temperature[3] = 61, 62 }, TooHot, 1},
		// shoulder_pan: ±1.9 and 5 % of 3.8.
		{"a little outside", func(s *robot.State) { s.Position[0] = 2.08 }, OK, -1},
		{"above", func(s *robot.State) { s.Position[0] = 2.1 }, OutsideLimits, 0},
		{"below", func(s *robot.State) { s.Position[0] = -2.1 }, OutsideLimits, 0},
		{"a little below", func(s *robot.State) { s.Position[0] = -2.08 }, OK, -1},
		{"at the end below", func(s *robot.State) { s.Position[0] = -1.9 - recovery(3.8) }, OK, -1},
		{"at the end above", func(s *robot.State) { s.Position[0] = 1.9 + recovery(3.8) }, OK, -1},
		{"outside and hot", func(s *robot.State) { s.Position[0], s.Temperature[0] = 3, 61 }, TooHot, 0},
	} {
		r := newRig(t, testArm(), DefaultConfig())
		c.change(&r.in.State)
		r.step(tick)
		if r.verdict.Health != c.want || r.verdict.HealthJoint != c.joint {
			t.Errorf("%s: health %v of joint %d, want %v of %d", c.name, r.verdict.Health, r.verdict.HealthJoint, c.want, c.joint)
		}
		if enabled := c.want == OK; r.command.Enable != enabled {
			t.Errorf("%s: Enable = %v", c.name, r.command.Enable)
		}
	}
}

// recovery is computed as the code does, digit for digit.
func recovery(span float64) float64 { return DefaultConfig().Recovery * span }

func TestHealthOfTime(t *testing.T) {
	for _, c := range []struct {
		name string
		age  time.Duration
		dt   time.Duration
		want Code
	}{
		{"fresh", 0, tick, OK},
		{"old", 100 * time.Millisecond, tick, OK},
		{"stale", 100*time.Millisecond + 1, tick, StateStale},
		{"ahead", -1, tick, StateAhead},
		{"clock stands", 0, 0, OK},
		{"clock back", 0, -1, ClockBack},
	} {
		r := newRig(t, testArm(), DefaultConfig())
		r.step(tick)
		r.now = r.now.Add(c.dt)
		r.in.State.At = r.now.Add(-c.age)
		if r.tick(); r.verdict.Health != c.want || r.verdict.HealthJoint != -1 {
			t.Errorf("%s: health %v, want %v", c.name, r.verdict.Health, c.want)
		}
	}
	r := newRig(t, testArm(), DefaultConfig())
	r.tick()
	r.expect(Off, NoState)
}

func TestWheelHasNoPositionLimit(t *testing.T) {
	d := testArm()
	d.Joints[0].Kind = robot.Wheel
	r := newRig(t, d, DefaultConfig())
	r.in.State.Position[0] = 1000
	r.step(tick)
	r.expect(Held, Engaging)
}

// push makes joint i of r press with effort and stand still.
func (r *rig) push(i int, effort float64) {
	r.in.State.Effort[i], r.in.State.Velocity[i] = effort, 0
}

func TestStalledJointBacksOffAndIsReleased(t *testing.T) {
	r := newRig(t, testArm(), DefaultConfig())
	r.perfect = false
	r.step(tick)
	home := r.l.desc.Home()
	up := home
	up[0] = 1
	since := r.now
	for r.verdict.Code != BackingOff {
		r.push(0, -1.9) // the sign does not count
		r.want(up, robot.Joints{})
		if r.step(tick); r.now.Sub(since) > time.Second {
			t.Fatalf("no back-off after 1 s: %+v", r.verdict)
		}
	}
	if took := r.now.Sub(since); took != 510*time.Millisecond {
		t.Errorf("backing off after %v, want 500 ms from the first tick", took)
	}
	if r.verdict.Mode != Held || r.verdict.Joint != 0 {
		t.Errorf("verdict %+v, want held, joint 0", r.verdict)
	}
	// It gives way to where the joint is; nothing else moves.
	for range 99 {
		r.push(0, 0.5)
		r.want(up, robot.Joints{})
		r.step(tick)
		r.expect(Held, BackingOff)
	}
	if r.command.Position != home || r.command.Velocity != (robot.Joints{}) {
		t.Errorf("command after backing off %v, want the joint where it is, %v", r.command.Position, home)
	}
	r.want(up, robot.Joints{})
	r.step(tick)
	r.expect(Moving, OK)
	// Once more, and now it stays blocked through the back-off.
	since = r.now
	for r.verdict.Mode != Fault {
		r.push(0, 1.9)
		r.want(up, robot.Joints{})
		if r.step(tick); r.now.Sub(since) > 2*time.Second {
			t.Fatalf("no release after 2 s: %+v", r.verdict)
		}
	}
	r.expect(Fault, Stalled)
	if r.command.Enable || r.verdict.Joint != 0 {
		t.Errorf("enable %v, joint %d; want the torque off because of joint 0", r.command.Enable, r.verdict.Joint)
	}
	if took := r.now.Sub(since); took != 1010*time.Millisecond {
		t.Errorf("released after %v, want twice 500 ms from the first tick", took)
	}
	r.push(0, 0)
	r.in.Reset = true
	r.step(tick)
	r.in.Reset = false
	r.expect(Held, Engaging)
	if r.core.stall != ([robot.MaxJoints]stall{}) {
		t.Error("a reset does not forget stalls")
	}
}

// stallOnce presses until the joint backs off and lets go until that ends.
func (r *rig) stallOnce(pause time.Duration) {
	r.t.Helper()
	for r.verdict.Code != BackingOff {
		r.push(1, 2)
		r.step(tick)
		if r.verdict.Mode == Fault {
			return
		}
	}
	r.push(1, 0)
	for end := r.now.Add(pause); r.now < end; {
		r.step(tick)
	}
}

func TestStallsAreCountedAndForgotten(t *testing.T) {
	r := newRig(t, testArm(), DefaultConfig())
	r.step(tick)
	for range 3 {
		r.stallOnce(1100 * time.Millisecond)
		r.expect(Held, NoSource)
	}
	r.stallOnce(0)
	r.expect(Fault, Stalled)

	r = newRig(t, testArm(), DefaultConfig())
	r.step(tick)
	for range 3 {
		r.stallOnce(1100 * time.Millisecond)
		r.stallOnce(1100 * time.Millisecond)
		r.stallOnce(9490 * time.Millisecond) // the next follows 10 s after this one, to the tick
		r.expect(Held, NoSource)
	}
}

func TestWhatIsNoStall(t *testing.T) {
	for name, c := range map[string]struct {
		joint            int
		effort, velocity float64
		limp             bool
		stalled          bool
	}{
		"edge":    {joint: 1, effort: 1.9, velocity: 0.04, stalled: true},
		"moves":   {joint: 1, effort: 2, velocity: -0.041},
		"gentle":  {joint: 1, effort: 1.89},
		"gripper": {joint: 5, effort: 2},
		"limp":    {joint: 1, effort: 2, limp: true},
	} {
		r := newRig(t, testArm(), DefaultConfig())
		r.perfect = false
		r.step(tick)
		r.in.Release = c.limp
		r.in.State.Effort[c.joint], r.in.State.Velocity[c.joint] = c.effort, c.velocity
		for range 55 {
			r.step(tick)
		}
		r.in.Release = false
		r.step(tick)
		r.step(tick)
		if got := r.verdict.Code == BackingOff; got != c.stalled {
			t.Errorf("%s: stalled %v, want %v", name, got, c.stalled)
		}
	}
	// Near the clock's beginning nothing has backed off "a moment ago".
	r := newRig(t, testArm(), DefaultConfig())
	r.now = 1
	r.step(tick)
	if r.step(tick); r.verdict.Code != NoSource {
		t.Errorf("at %v: %v", r.now, r.verdict.Code)
	}
	// Effort that comes and goes adds up to nothing.
	r = newRig(t, testArm(), DefaultConfig())
	r.step(tick)
	for i := range 200 {
		r.push(1, float64(i%40)/10)
		r.step(tick)
		r.expect(Held, NoSource)
	}
}

func TestDerate(t *testing.T) {
	r := newRig(t, testArm(), DefaultConfig())
	for _, c := range []struct{ temperature, effort, want float64 }{
		{0, 0, 1}, {50, 0, 1}, {55, 0, 0.5}, {60, 0, 0}, {61, 0, 0}, {-20, 0, 1}, {40, 2, 1}, {40, -4, 0.5}, {55, 4, 0.25},
	} {
		s := robot.State{}
		s.Temperature[2], s.Effort[2] = c.temperature, c.effort
		if got := r.l.derate(2, &s); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("derate at %g °C and %g N·m = %g, want %g", c.temperature, c.effort, got, c.want)
		}
	}
	r.l.desc.Joints[2].Limits.MaxTemperature = 5
	if got := r.l.derate(2, &robot.State{}); got != 1 {
		t.Errorf("derate of an unknown temperature below one of 5 °C = %g, want 1", got)
	}
}
