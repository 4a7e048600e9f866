package safety

import (
	"math"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

func TestWhenASourceIsLive(t *testing.T) {
	const now = robot.Time(100 * time.Second)
	ms := func(n int) robot.Time { return now.Add(time.Duration(n) * time.Millisecond) }
	for _, c := range []struct {
		name                      string
		issued, observed, expires robot.Time
		want                      Code
	}{
		{"fresh", now, now, now + 1, OK},
		{"at its expiry", ms(-300), now, now + 1, OK},
		{"silent", ms(-300) - 1, now, now + 1, SourceSilent},
		{"expired", now, now, now, SourceExpired},
		{"no expiry", now, now, 0, SourceExpired},
		{"old observation", now, ms(-1000), now + 1, OK},
		{"older observation", now, ms(-1000) - 1, now + 1, SourceOutdated},
		{"from the future", now + 1, now, ms(1), SourceAhead},
		{"saw the future", now, now + 1, ms(1), SourceAhead},
		{"nothing", 0, 0, 0, NoSource},
		{"of the reset", ms(-200), ms(-200), now + 1, OK},
		{"before the reset", ms(-200) - 1, ms(-200), now + 1, SourceBeforeReset},
		{"saw the time before", ms(-200), ms(-200) - 1, now + 1, SourceBeforeReset},
	} {
		r := newRig(t, testArm(), DefaultConfig())
		core := Core{resetAt: ms(-200)}
		if c.name != "of the reset" && c.want != SourceBeforeReset {
			core.resetAt = 0
		}
		in := Input{}
		in.Targets[robot.SourcePolicy] = Target{Issued: c.issued, ObservedAt: c.observed, Expires: c.expires}
		source, why := r.l.live(&core, &in, now)
		if why != c.want || (source == robot.SourcePolicy) != (c.want == OK) {
			t.Errorf("%s: %v, %v; want %v", c.name, source, why, c.want)
		}
	}
}

func TestPrecedenceOfSources(t *testing.T) {
	r := newRig(t, testArm(), DefaultConfig())
	now := robot.Time(100 * time.Second)
	live := Target{Issued: now, ObservedAt: now, Expires: now + 1}
	silent := Target{Issued: 1, ObservedAt: 1, Expires: now + 1}
	ended := Target{Issued: now, ObservedAt: now}
	for _, c := range []struct {
		policy, skill, teleop Target
		want                  robot.Source
		why                   Code
	}{
		{live, live, live, robot.SourceTeleop, OK},
		{live, live, silent, robot.SourceSkill, OK},
		{live, silent, silent, robot.SourcePolicy, OK},
		{silent, ended, Target{}, robot.SourceNone, SourceExpired},
		{silent, ended, silent, robot.SourceNone, SourceSilent},
		{Target{}, Target{}, Target{}, robot.SourceNone, NoSource},
	} {
		in := Input{Targets: [robot.Sources]Target{live, c.policy, c.skill, c.teleop}}
		if got, why := r.l.live(&Core{}, &in, now); got != c.want || why != c.why {
			t.Errorf("live = %v, %v; want %v, %v", got, why, c.want, c.why)
		}
	}
}

func TestTargetThatIsNoNumber(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Target)
		joint  int
		ok     bool
	}{
		{"fine", func(*Target) {}, -1, true},
		{"position", func(t *Target) { t.Position[3] = math.NaN() }, 3, false},
		{"velocity", func(t *Target) { t.Velocity[4] = math.Inf(-1) }, 4, false},
		{"position does not count", func(t *Target) { t.Position[3], t.ByVelocity = math.NaN(), true }, -1, true},
		{"velocity by velocity", func(t *Target) { t.Velocity[0], t.ByVelocity = math.NaN(), true }, 0, false},
		{"past the last joint", func(t *Target) { t.Position[6] = math.NaN() }, -1, true},
	} {
		target := Target{}
		c.change(&target)
		if joint, ok := target.valid(6); joint != c.joint || ok != c.ok {
			t.Errorf("%s: %d, %v; want %d, %v", c.name, joint, ok, c.joint, c.ok)
		}
	}
}
