package safety

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kuai-robot/kuai/robot"
)

var commands = flag.Int("safety.commands", 30_000, "random commands in TestRandomStream")

// source of random choices: rapid, which shrinks, or a plain generator.
type chooser interface {
	// chance is true once in n times.
	chance(n int) bool
	uniform(low, high float64) float64
}

type byRapid struct{ t *rapid.T }

func (c byRapid) chance(n int) bool { return rapid.IntRange(0, n-1).Draw(c.t, "chance") == n-1 }
func (c byRapid) uniform(low, high float64) float64 {
	return rapid.Float64Range(low, high).Draw(c.t, "uniform")
}

type byRand struct{ *rand.Rand }

func (c byRand) chance(n int) bool                 { return c.IntN(n) == 0 }
func (c byRand) uniform(low, high float64) float64 { return low + c.Float64()*(high-low) }

// stream makes random inputs and checks every output.
type stream struct {
	*rig
	choose chooser
	faults int // ticks in a latched mode
	moves  int
	goal   robot.Joints
}

func (s *stream) number(v float64) float64 {
	switch {
	case s.choose.chance(2000):
		return math.NaN()
	case s.choose.chance(2000):
		return math.Inf(1)
	case s.choose.chance(500):
		return 1e300
	}
	return v
}

func (s *stream) next() {
	dt := tick
	switch {
	case s.choose.chance(20):
		dt = time.Duration(s.choose.uniform(0, 6e7))
	case s.choose.chance(1000):
		dt = -dt
	case s.choose.chance(300):
		dt = 0
	}
	s.now = s.now.Add(dt)
	in := &s.in
	if !s.choose.chance(10) {
		in.State.At = s.now
	}
	in.Stop, in.Reset, in.Release = s.choose.chance(300), s.choose.chance(20), s.choose.chance(200)
	s.disturb()
	for src := robot.SourcePolicy; src < robot.Sources; src++ {
		if s.choose.chance(2) {
			s.retarget(src)
		}
	}
}

// disturb changes what the joints report.
func (s *stream) disturb() {
	for i := range s.l.desc.Joints {
		p := &s.in.State
		limits := &s.l.desc.Joints[i].Limits
		p.Position[i] = s.command.Position[i] + s.choose.uniform(-0.01, 0.01)
		if s.choose.chance(3000) {
			p.Position[i] = s.number(s.choose.uniform(1.1*limits.MinPosition, 1.1*limits.MaxPosition))
		}
		p.Velocity[i] = s.number(s.choose.uniform(-1, 1))
		p.Temperature[i] = s.number(s.choose.uniform(30, 55))
		p.Effort[i] = s.choose.uniform(-1, 1)
		if s.choose.chance(50) {
			p.Effort[i] = s.number(s.choose.uniform(-5, 5))
		}
		if s.choose.chance(5000) {
			p.Temperature[i] = s.choose.uniform(50, 70)
		}
	}
}

func (s *stream) retarget(src robot.Source) {
	t := &s.in.Targets[src]
	*t = Target{
		Issued:     s.now.Add(-time.Duration(s.choose.uniform(0, 2e8))),
		ObservedAt: s.now.Add(-time.Duration(s.choose.uniform(0, 5e8))),
		Expires:    s.now.Add(time.Duration(s.choose.uniform(-1e8, 1e9))),
		ByVelocity: s.choose.chance(10),
	}
	for i := range s.l.desc.Joints {
		limits := &s.l.desc.Joints[i].Limits
		if s.choose.chance(30) {
			s.goal[i] = s.choose.uniform(1.5*limits.MinPosition, 1.5*limits.MaxPosition)
		}
		t.Position[i] = s.number(s.goal[i])
		t.Velocity[i] = s.number(s.choose.uniform(-1, 1))
	}
}

// judge looks for a broken limit in the output of a tick that began with core
// before and command last.
func (s *stream) judge(before Core, last robot.Command) string {
	c, v, dt := &s.command, s.verdict, s.now.Sub(last.At).Seconds()
	engaged := c.Enable && (!last.Enable || s.in.Reset && v.Code == Engaging)
	switch {
	case s.in.Stop && v.Mode != Stopped:
		return "a stop did not stop"
	case before.mode.latched() && !v.Mode.latched() && !s.in.Reset:
		return "left a latched mode without a reset"
	case v.Mode == Moving && (v.Source == robot.SourceNone || s.l.ended(&before, &s.in.Targets[v.Source], s.l.rules[v.Source], s.now) != OK):
		return "moves without a live source"
	case v.Mode.latched() && c.Velocity != (robot.Joints{}):
		return "goes on while latched"
	case v.Mode == Off && c.Enable || engaged && v.Mode != Held:
		return "torque in the wrong mode"
	case engaged && v.Health != OK:
		return "engaged in bad health"
	}
	for i := range s.l.desc.Joints {
		if bad := s.judgeJoint(i, &last, dt, engaged); bad != "" {
			return s.l.Joint(i) + " " + bad
		}
	}
	if engaged || !c.Enable || s.gaveWay(&before) {
		return ""
	}
	var at segments
	s.l.shape.place(&c.Position, &at)
	was := pose{q: &last.Position}
	if broken := s.l.shape.check(&at, &was, 0); broken != 0 {
		return "came too near to itself or left the workspace"
	}
	return ""
}

// gaveWay says that a joint began to back off in this tick.
func (s *stream) gaveWay(before *Core) bool { return s.core.stall != before.stall }

func (s *stream) judgeJoint(i int, last *robot.Command, dt float64, engaged bool) string {
	const eps = 1e-9
	c, limits := &s.command, &s.l.desc.Joints[i].Limits
	p, was := c.Position[i], last.Position[i]
	if s.l.Wheel(i) {
		return s.judgeWheel(i, last, dt)
	}
	slack := 0.05*(limits.MaxPosition-limits.MinPosition) + eps
	switch {
	case !finite(p) || !finite(c.Velocity[i]):
		return "is told what is no number"
	case !c.Enable || engaged:
		if p < limits.MinPosition-slack || p > limits.MaxPosition+slack {
			return "is commanded far outside its limits"
		}
		return ""
	case p > max(limits.MaxPosition, was) || p < min(limits.MinPosition, was):
		return "is commanded outside its limits"
	case abs(c.Velocity[i]) > limits.MaxVelocity+eps:
		return "is too fast"
	case s.core.stall[i].backedOff == s.now:
		return ""
	case abs(p-was) > limits.MaxVelocity*max(0, dt)+eps:
		return "jumps"
	case abs(p-was-c.Velocity[i]*max(0, dt)) > eps && c.Velocity[i] != 0:
		return "has a velocity that is not that of its position"
	case c.Velocity[i] != 0 && abs(c.Velocity[i]-last.Velocity[i]) > limits.MaxAcceleration*max(0, dt)+eps:
		return "accelerates too much"
	}
	return ""
}

func (s *stream) judgeWheel(i int, last *robot.Command, dt float64) string {
	const eps = 1e-9
	v, limits := s.command.Velocity[i], &s.l.desc.Joints[i].Limits
	switch {
	case !finite(v) || s.command.Position[i] != 0:
		return "is told what is no speed"
	case abs(v) > limits.MaxVelocity+eps:
		return "turns too fast"
	case v != 0 && abs(v-last.Velocity[i]) > limits.MaxAcceleration*max(0, dt)+eps:
		return "turns faster too soon"
	}
	return ""
}

func (s *stream) run(ticks int) string {
	s.perfect = false
	s.step(tick)
	for range ticks {
		s.next()
		before, last := s.core, s.command
		s.tick()
		if bad := s.judge(before, last); bad != "" {
			return bad
		}
		if s.verdict.Mode.latched() {
			s.faults++
		}
		if s.verdict.Mode == Moving {
			s.moves++
		}
	}
	return ""
}

func TestNoStreamBreaksALimit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := &stream{rig: newRig(t, testArm(), DefaultConfig()), choose: byRapid{rt}}
		if bad := s.run(60); bad != "" {
			rt.Fatalf("at %v: %s: %+v after %+v", s.now, bad, s.command, s.verdict)
		}
	})
}

func TestRandomStream(t *testing.T) {
	s := &stream{rig: newRig(t, testArm(), DefaultConfig()), choose: byRand{rand.New(rand.NewPCG(1, 2))}}
	if bad := s.run(*commands); bad != "" {
		t.Fatalf("at %v: %s: %+v, %+v", s.now, bad, s.command, s.verdict)
	}
	t.Logf("%d commands, %d of them in motion, %d stopped or in fault", *commands, s.moves, s.faults)
	if s.moves < *commands/10 || s.faults < *commands/100 {
		t.Errorf("of %d commands %d moved and %d were latched: the stream tests too little", *commands, s.moves, s.faults)
	}
}
