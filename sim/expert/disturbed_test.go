package expert_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/expert"
	"github.com/kuai-robot/kuai/sim/world"
)

func at(x, y float64) *[2]float64 { return &[2]float64{x, y} }

// plain is a table with one of each and some room.
var plain = world.Spec{Objects: []world.Placement{
	{Name: "red block", Position: at(0.2, 0.05)},
	{Name: "green block", Position: at(0.1, -0.17)},
	{Name: "blue bowl", Position: at(0.1, 0.19)},
}}

// shift makes the scene lie about where a block is.
func shift(o *robot.Observation, name string, by robot.Vec3) {
	if block, ok := o.Scene.Find(name); ok && !block.Held {
		block.Pose.Position = block.Pose.Position.Add(by)
	}
}

func TestPickFollowsABlockThatMoves(t *testing.T) {
	b := newTable(t)
	for _, until := range []time.Duration{300, 600, 900} {
		b.reset(1, plain)
		began := b.clock.Now()
		b.see = func(o *robot.Observation) {
			if o.At.Sub(began) < until*time.Millisecond {
				shift(o, "red block", robot.Vec3{-0.02, -0.05, 0})
			}
		}
		if outcome := b.do("pick", "red block"); outcome.Status != robot.Succeeded {
			t.Errorf("a block that moves after %d ms: %s", until, outcome.Reason)
		}
	}
}

func TestPickGivesUpOnWhatIsNotThere(t *testing.T) {
	b := newTable(t)
	b.reset(1, plain)
	b.see = func(o *robot.Observation) { shift(o, "red block", robot.Vec3{-0.02, -0.05, 0}) }
	outcome := b.do("pick", "red block")
	if outcome.Status != robot.Failed || !strings.Contains(outcome.Reason, "slipped") {
		t.Errorf("picking what is not there: %v %s", outcome.Status, outcome.Reason)
	}
}

// drop opens the hand for a moment, as somebody who takes the block out of it.
func (b *table) drop(o *robot.Observation) {
	open := o.State.Position
	open[b.world.Description().Index("gripper")] = 0.03
	b.loop.Submit(robot.Chunk{
		Source: robot.SourceSkill, ObservedAt: o.At, Start: o.At, Step: time.Second,
		Actions: []robot.Joints{open}, Expires: o.At.Add(400 * time.Millisecond),
	})
}

func TestPlaceTakesUpWhatFell(t *testing.T) {
	b := newTable(t)
	for _, after := range []time.Duration{200, 400, 700} {
		b.reset(1, plain)
		if outcome := b.do("pick", "red block"); outcome.Status != robot.Succeeded {
			t.Fatal(outcome.Reason)
		}
		began, dropped := b.clock.Now(), false
		b.see = func(o *robot.Observation) {
			if !dropped && o.At.Sub(began) >= after*time.Millisecond {
				dropped = true
				b.drop(o)
			}
		}
		outcome := b.do("place_in", "red block", "blue bowl")
		if outcome.Status != robot.Succeeded {
			t.Errorf("dropped after %d ms: %s", after, outcome.Reason)
			b.picture("dropped")
		}
		if !dropped {
			t.Errorf("the skill ended before %d ms", after)
		}
	}
}

func TestSkillGoesOnAfterAStop(t *testing.T) {
	b := newTable(t)
	b.reset(1, plain)
	began, stopped, again := b.clock.Now(), false, false
	b.see = func(o *robot.Observation) {
		switch since := o.At.Sub(began); {
		case !stopped && since > 400*time.Millisecond:
			stopped = true
			b.loop.Stop("a test")
		case !again && since > 1500*time.Millisecond:
			again = true
			if err := b.loop.Reset(); err != nil {
				t.Error(err)
			}
		}
	}
	if outcome := b.do("pick", "red block"); outcome.Status != robot.Succeeded || !again {
		t.Errorf("after a stop and a reset (%v): %v %s", again, outcome.Status, outcome.Reason)
	}
}

// What comes between the expert and the joints: chunks that arrive late, and a
// safety core that grants less than the speed that the motions are planned for.
func TestSkillsOnALateOrSlowRobot(t *testing.T) {
	b := newTable(t)
	for _, c := range []struct {
		delay time.Duration
		speed float64
	}{{20 * time.Millisecond, 1}, {70 * time.Millisecond, 1}, {0, 0.5}, {30 * time.Millisecond, 0.25}} {
		b.delay, b.speed = c.delay, c.speed
		b.reset(1, plain)
		began := b.clock.Now()
		for _, s := range []robot.Skill{call("pick", "red block"), call("place_in", "red block", "blue bowl")} {
			if outcome := b.do(s.Name, s.Args...); outcome.Status != robot.Succeeded {
				t.Errorf("%v late at %.2f of the speed: %s: %s", c.delay, c.speed, s, outcome.Reason)
			}
		}
		t.Logf("%v late at %.2f of the speed: %v", c.delay, c.speed, b.clock.Now().Sub(began))
	}
}

func TestHomeKeepsWhatIsHeld(t *testing.T) {
	b := newTable(t)
	b.reset(1, plain)
	for _, s := range []robot.Skill{call("pick", "red block"), call("home"), call("done")} {
		if outcome := b.do(s.Name, s.Args...); outcome.Status != robot.Succeeded {
			t.Fatalf("%s: %s", s, outcome.Reason)
		}
	}
	o := b.observe()
	if block, _ := o.Scene.Find("red block"); !block.Held {
		t.Error("the block is lost on the way home")
	}
	home := b.world.Description().Home()
	for i := range 5 {
		if math.Abs(o.State.Position[i]-home[i]) > 0.05 {
			t.Errorf("joint %d is at %.2f, home is %.2f", i, o.State.Position[i], home[i])
		}
	}
}

// Consecutive chunks are one motion: where they overlap the second takes up
// position and velocity of the first.
func TestChunksMeet(t *testing.T) {
	b := newTable(t)
	b.reset(1, plain)
	d := b.world.Description()
	var last robot.Chunk
	b.got = func(o *robot.Observation, c *robot.Chunk) {
		defer func() { last = *c }()
		if c.Start > o.At || c.End() < o.At.Add(300*time.Millisecond) || c.ObservedAt != o.Oldest() || c.Expires <= o.At {
			t.Errorf("chunk from %v to %v, observed %v, expires %v, for an observation at %v", c.Start, c.End(), c.ObservedAt, c.Expires, o.At)
		}
		for k := 1; k < len(c.Actions); k++ {
			for i := range d.Joints {
				if speed := math.Abs(c.Actions[k][i]-c.Actions[k-1][i]) / c.Step.Seconds(); speed > d.Joints[i].Limits.MaxVelocity {
					t.Errorf("%v: joint %d goes %.2f a second", o.At, i, speed)
				}
			}
		}
		if last.Step == 0 {
			return
		}
		was, now := int(o.At.Sub(last.Start)/last.Step), int(o.At.Sub(c.Start)/c.Step)
		for i := range d.Joints {
			jump := c.Actions[now][i] - last.Actions[was][i]
			speed := (c.Actions[now][i] - c.Actions[now-1][i] - last.Actions[was][i] + last.Actions[was-1][i]) / c.Step.Seconds()
			if math.Abs(jump) > 1e-9 || math.Abs(speed) > 1e-6 {
				t.Errorf("%v: joint %d jumps by %.2g, its speed by %.2g", o.At, i, jump, speed)
			}
		}
	}
	for _, s := range []robot.Skill{call("pick", "red block"), call("place_in", "red block", "blue bowl"), call("push", "green block", "left"), call("home")} {
		if outcome := b.do(s.Name, s.Args...); outcome.Status != robot.Succeeded {
			t.Fatalf("%s: %s", s, outcome.Reason)
		}
	}
}

// A skill that is begun in the middle of another brakes on the way of that one.
func TestBeginTakesOver(t *testing.T) {
	b := newTable(t)
	b.reset(1, plain)
	if err := b.expert.Begin(call("pick", "red block"), b.observe()); err != nil {
		t.Fatal(err)
	}
	var last robot.Chunk
	for range 5 {
		last, _ = b.expert.Next(b.observe())
		last.Source = robot.SourcePolicy
		b.loop.Submit(last)
		b.wait(refresh)
	}
	b.got = func(o *robot.Observation, c *robot.Chunk) {
		was, now := int(o.At.Sub(last.Start)/last.Step), int(o.At.Sub(c.Start)/c.Step)
		for i := range b.world.Description().Joints {
			jump := c.Actions[now][i] - last.Actions[was][i]
			speed := (c.Actions[now+1][i] - c.Actions[now][i] - last.Actions[was][i] + last.Actions[was-1][i]) / c.Step.Seconds()
			if limits := b.world.Description().Joints[i].Limits; math.Abs(jump) > 1e-9 || math.Abs(speed) > 2*limits.MaxAcceleration*c.Step.Seconds() {
				t.Errorf("%v: joint %d jumps by %.2g, its speed by %.2g", o.At, i, jump, speed)
			}
		}
		last = *c
	}
	if outcome := b.do("pick", "green block"); outcome.Status != robot.Succeeded {
		t.Error(outcome.Reason)
	}
}

// A skill that is begun after another was cut short and the robot held, at
// once or later, begins from where the joints are.
func TestBeginAfterTheRobotWasHeld(t *testing.T) {
	b := newTable(t)
	for _, held := range []time.Duration{10, 100, 300, 2000} {
		b.reset(1, plain)
		if err := b.expert.Begin(call("pick", "red block"), b.observe()); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			c, _ := b.expert.Next(b.observe())
			c.Source = robot.SourcePolicy
			b.loop.Submit(c)
			b.wait(refresh)
		}
		b.loop.Hold(robot.SourcePolicy)
		b.wait(held * time.Millisecond)
		first := true
		b.got = func(o *robot.Observation, c *robot.Chunk) {
			now := int(o.At.Sub(c.Start) / c.Step)
			for i := range 5 {
				if away := c.Actions[now][i] - o.State.Position[i]; first && math.Abs(away) > 0.15 {
					t.Errorf("held for %d ms: joint %d is sent %.2f rad away", held, i, away)
				}
			}
			first = false
		}
		if outcome := b.do("pick", "green block"); outcome.Status != robot.Succeeded {
			t.Errorf("held for %d ms: %s", held, outcome.Reason)
		}
	}
}

func TestBeginSaysWhyNot(t *testing.T) {
	b := newTable(t)
	full := world.Spec{Objects: append([]world.Placement{
		{Name: "blue block", On: "red block"},
		{Name: "yellow block", Position: at(0.4, 0.3)},
		{Name: "red bowl", Position: at(0.2, -0.1)},
	}, plain.Objects...)}
	for _, c := range []struct {
		skill robot.Skill
		want  string
	}{
		{call("pick", "red block"), "the blue block is on the red block"},
		{call("pick", "pink block"), "there is no pink block"},
		{call("pick"), "takes 1 arguments, not 0"},
		{call("pick", "yellow block"), "out of reach"},
		{call("juggle", "red block"), "no such skill"},
		{call("home", "red block"), "takes no arguments"},
		{call("place_in", "green block", "blue bowl"), "is not in the hand"},
		{call("push", "green block", "up"), "not left or right"},
		{call("push", "blue block", "left"), "does not stand on the table"},
	} {
		b.reset(2, full)
		o := b.observe()
		err := b.expert.Begin(c.skill, o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.skill, err, c.want)
		}
		if p := b.expert.Can(o, c.skill); p != 0 {
			t.Errorf("%s cannot begin, but its chance is %.2f", c.skill, p)
		}
		if _, outcome := b.expert.Next(o); outcome.Status != robot.Failed {
			t.Errorf("%s was refused, then Next says %v", c.skill, outcome.Status)
		}
	}
	if outcome := b.do("pick", "green block"); outcome.Status != robot.Succeeded {
		t.Fatal(outcome.Reason)
	}
	for skill, want := range map[*robot.Skill]string{
		{Name: "pick", Args: []string{"blue block"}}:                              "the hand is full",
		{Name: "push", Args: []string{"yellow block", "left"}}:                    "the hand is full",
		{Name: "place_in", Args: []string{"green block", "blue block"}}:           "holds nothing in it",
		{Name: "place_on", Args: []string{"green block", "blue bowl"}}:            "place it in it",
		{Name: "place_on", Args: []string{"green block", "red block"}}:            "something is on the red block",
		{Name: "place_on", Args: []string{"green block", "green block"}}:          "on itself",
		{Name: "place_beside", Args: []string{"green block", "table"}}:            "nothing is beside the table",
		{Name: "place_beside", Args: []string{"green block", "chair"}}:            "there is no chair",
		{Name: "place_on", Args: []string{"green block", "yellow block"}}:         "out of reach",
		{Name: "place_beside", Args: []string{"green block", "the blue", "bowl"}}: "takes 2 arguments",
	} {
		if err := b.expert.Begin(*skill, b.observe()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", skill, err, want)
		}
	}
}

func TestUnfitRobotIsRefused(t *testing.T) {
	b := newTable(t)
	d := *b.world.Description()
	d.Gripper = ""
	e := expert.New(&d)
	o := b.observe()
	if err := e.Begin(call("home"), o); err == nil || !strings.Contains(err.Error(), "gripper") {
		t.Errorf("an arm without a gripper: %v", err)
	}
	if p := e.Can(o, call("home")); p != 0 {
		t.Errorf("an arm without a gripper has the chance %g", p)
	}
}

// The same observations give the same chunks, to the last bit.
func TestSameEpisodeTwice(t *testing.T) {
	run := func() (chunks []robot.Chunk) {
		b := newTable(t)
		b.reset(3, world.Spec{})
		b.got = func(_ *robot.Observation, c *robot.Chunk) { chunks = append(chunks, *c) }
		b.do("pick", "red block")
		b.do("place_in", "red block", "green bowl")
		return chunks
	}
	first, second := run(), run()
	if len(first) != len(second) || len(first) == 0 {
		t.Fatalf("%d chunks, then %d", len(first), len(second))
	}
	for i := range first {
		for k := range first[i].Actions {
			if first[i].Actions[k] != second[i].Actions[k] {
				t.Fatalf("chunk %d differs at action %d", i, k)
			}
		}
	}
}
