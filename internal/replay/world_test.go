package replay

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/robot"
)

// dreamer is an agent that asks its world in an order drawn from a seed.
type dreamer struct {
	world interface {
		Body
		robot.Clock
	}
	report func(agent.Update)
	seed   uint64
	// extra: a chunk at every step, for an agent that has changed.
	extra bool
	next  uint64
}

func (d *dreamer) Run(ctx context.Context, id, text string) agent.Plan {
	random := rand.New(rand.NewPCG(d.seed, 7))
	plan := agent.Plan{ID: id, Instruction: text, Status: robot.Succeeded}
	for step := range 40 {
		now := d.world.Now()
		o := d.world.Observe()
		if ctx.Err() != nil {
			plan.Status, plan.Reason = robot.Failed, context.Cause(ctx).Error()
			break
		}
		if reason, halted := d.world.Halted(); halted {
			plan.Status, plan.Reason = robot.Failed, reason
			break
		}
		if random.IntN(3) > 0 || d.extra {
			d.next++
			target := o.State.Position
			target[0] += 0.01 * random.Float64()
			d.world.Act(robot.Chunk{ID: d.next, Source: robot.SourcePolicy, ObservedAt: o.Oldest(), Start: now, Step: 20 * time.Millisecond, Actions: []robot.Joints{o.State.Position, target}, Expires: now.Add(time.Second)})
		}
		if random.IntN(8) == 0 {
			d.report(agent.Update{Kind: agent.StepStarted, Step: step, Skill: "dream()", Plan: plan})
		}
		if err := d.world.Wait(ctx, now.Add(50*time.Millisecond)); err != nil {
			plan.Status, plan.Reason = robot.Failed, context.Cause(ctx).Error()
			break
		}
	}
	d.world.Hold(robot.SourcePolicy)
	return plan
}

func (d *dreamer) RunSkill(ctx context.Context, id string, s robot.Skill) agent.Plan {
	return d.Run(ctx, id, s.String())
}

func description() *robot.Description {
	limits := robot.Limits{MinPosition: -2, MaxPosition: 2, MaxVelocity: 2, MaxAcceleration: 8, MaxEffort: 5, MaxTemperature: 70}
	d := &robot.Description{Name: "two"}
	for _, name := range []string{"pan", "lift"} {
		d.Joints = append(d.Joints, robot.Joint{Name: name, Kind: robot.Revolute, Axis: robot.Vec3{0, 0, 1}, Origin: robot.IdentityPose, Limits: limits})
	}
	return d
}

// body is two joints that are where they are commanded, in lockstep: waiting
// does the ticks that are due.
type body struct {
	clock *robot.ManualClock
	loop  *control.Loop
	at    robot.Joints
	fail  *rand.Rand
	// stop and cancel happen at these instants; zero: never.
	stop, cancelAt robot.Time
	cancel         context.CancelCauseFunc
}

func (b *body) Read() (robot.State, error) {
	if b.fail.IntN(30) == 0 {
		return robot.State{}, errors.New("now and then")
	}
	return robot.State{At: b.clock.Now(), Position: b.at}, nil
}

func (b *body) Write(c *robot.Command) error {
	if c.Enable {
		b.at = c.Position
	}
	return nil
}

func (b *body) Observe() robot.Observation {
	return robot.Observation{At: b.clock.Now(), State: b.loop.Status().State, Scene: &robot.Scene{At: b.clock.Now(), By: "test"}}
}

func (b *body) Act(c robot.Chunk)   { b.loop.Submit(c) }
func (b *body) Hold(s robot.Source) { b.loop.Hold(s) }

func (b *body) Halted() (string, bool) {
	s := b.loop.Status()
	return b.loop.Reason(&s), s.Verdict.Mode == safety.Stopped
}

func (b *body) Now() robot.Time  { return b.clock.Now() }
func (b *body) Epoch() time.Time { return b.clock.Epoch() }

func (b *body) Wait(ctx context.Context, until robot.Time) error {
	for b.clock.Now() < until {
		if b.stop != 0 && b.clock.Now() >= b.stop {
			b.stop = 0
			b.loop.Stop("a hand came near")
		}
		if b.cancelAt != 0 && b.clock.Now() >= b.cancelAt {
			b.cancelAt = 0
			b.cancel(errors.New("somebody changed their mind"))
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		b.clock.Advance(10 * time.Millisecond)
		b.loop.Tick()
	}
	return ctx.Err()
}

// dream records three episodes: one to its end, one that is stopped, and after
// a reset one that is cancelled. It gives the recording.
func dream(t *testing.T, dir string) string {
	t.Helper()
	files := dreamInto(t, dir, false)
	if len(files) != 1 {
		t.Fatal(files)
	}
	return files[0]
}

// dreamInto gives the files of dream; with split the second episode begins
// another one.
func dreamInto(t *testing.T, dir string, split bool) []string {
	t.Helper()
	clock := robot.NewManualClock(time.Unix(1e9, 0), robot.Time(time.Second))
	recorder, err := record.Open(record.Options{Dir: dir, Clock: clock, Description: description(), Wait: true, JSONSchemas: Schemas(), Header: map[string]string{HeaderRun: dir}})
	if err != nil {
		t.Fatal(err)
	}
	w := NewWatcher(recorder, clock, 2)
	b := &body{clock: clock, fail: rand.New(rand.NewPCG(1, 1))}
	if b.loop, err = control.New(stages(t, nil).Limits, b, clock, control.Config{Watcher: w}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- recorder.Run(ctx) }()
	tape := NewTape(recorder, b, b, 2)
	d := &dreamer{world: tape, report: func(u agent.Update) { tape.Report(&u) }, seed: 5}
	episode := func(id string) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		b.cancel = cancel
		tape.Run(ctx, id, "dream", nil, func(ctx context.Context) agent.Plan { return d.Run(ctx, id, "dream") })
		w.drain()
		if err := b.Wait(t.Context(), clock.Now().Add(300*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		w.drain()
	}
	if err := b.Wait(t.Context(), clock.Now().Add(100*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	episode("1")
	if split {
		written := make(chan struct{})
		recorder.JSON("barrier", clock.Now(), func() ([]byte, error) { close(written); return []byte("{}"), nil })
		<-written
		recorder.Rotate()
	}
	b.stop = clock.Now().Add(700 * time.Millisecond)
	episode("2")
	if err := b.loop.Reset(); err != nil {
		t.Fatal(err)
	}
	b.loop.Tick()
	b.cancelAt = clock.Now().Add(400 * time.Millisecond)
	episode("3")
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// stages gives the stages with an agent that change has changed.
func stages(t *testing.T, change func(*dreamer)) Stages {
	t.Helper()
	limits, err := safety.Compile(description(), safety.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	return Stages{Limits: limits, Joints: []string{"pan", "lift"}, Agent: func(p *Player) (Agent, error) {
		d := &dreamer{world: p, report: p.Report, seed: 5}
		if change != nil {
			change(d)
		}
		return d, nil
	}}
}
