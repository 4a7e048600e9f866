package control_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
)

const tick = 10 * time.Millisecond

// rig is a loop in lockstep with a plant.
type rig struct {
	t     *testing.T
	desc  *robot.Description
	clock *robot.ManualClock
	plant *drivertest.Plant
	loop  *control.Loop
}

func newRig(t *testing.T, c control.Config) *rig {
	t.Helper()
	r := &rig{t: t, desc: drivertest.Arm(), clock: robot.NewManualClock(time.Unix(0, 0), robot.Time(time.Second))}
	r.plant = drivertest.NewPlant(r.desc, r.clock, 0)
	r.loop = newLoop(t, r.desc, r.plant, r.clock, c)
	return r
}

func newLoop(t testing.TB, d *robot.Description, driver control.Driver, clock robot.Clock, c control.Config) *control.Loop {
	t.Helper()
	limits, err := safety.Compile(d, safety.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	loop, err := control.New(limits, driver, clock, c)
	if err != nil {
		t.Fatal(err)
	}
	return loop
}

func (r *rig) run(ticks int) control.Status {
	for range ticks {
		r.clock.Advance(tick)
		r.loop.Tick()
	}
	return r.loop.Status()
}

func (r *rig) expect(mode safety.Mode, code safety.Code) control.Status {
	r.t.Helper()
	s := r.loop.Status()
	if s.Verdict.Mode != mode || s.Verdict.Code != code {
		r.t.Fatalf("at %v: %v, %v (%+v); want %v, %v", r.clock.Now(), s.Verdict.Mode, s.Verdict.Code, s.Verdict, mode, code)
	}
	return s
}

// swing gives a chunk that moves joint 0 along 0.15·(1 − cos 4x), x in seconds
// since origin.
func (r *rig) swing(id uint64, origin robot.Time, n int, step time.Duration, shift float64) robot.Chunk {
	now := r.clock.Now()
	c := robot.Chunk{ID: id, Source: robot.SourcePolicy, ObservedAt: now, Start: now, Step: step, Expires: now.Add(time.Second)}
	for k := range n {
		q := r.desc.Home()
		q[0] += shift + 0.15*(1-math.Cos(4*now.Add(time.Duration(k)*step).Sub(origin).Seconds()))
		c.Actions = append(c.Actions, q)
	}
	return c
}

func TestChunkIsFollowedAndExpires(t *testing.T) {
	r := newRig(t, control.Config{})
	r.run(2)
	r.expect(safety.Held, safety.NoSource)
	origin := r.clock.Now()
	for k := range 20 {
		r.loop.Submit(r.swing(uint64(k), origin, 20, 20*time.Millisecond, 0))
		for range 10 {
			r.run(1)
			x := r.clock.Now().Sub(origin).Seconds()
			want := 0.15 * (1 - math.Cos(4*x))
			if got := r.plant.Command().Position[0]; math.Abs(got-want) > 0.003 {
				t.Fatalf("at %.2f s the command is %.4f, want %.4f (%+v)", x, got, want, r.loop.Status().Verdict)
			}
		}
	}
	s := r.expect(safety.Moving, safety.OK)
	if s.Chunks[robot.SourcePolicy] != 19 || s.Verdict.Source != robot.SourcePolicy {
		t.Errorf("chunk %d of %v is followed, want 19 of policy", s.Chunks[robot.SourcePolicy], s.Verdict.Source)
	}
	r.run(31)
	r.expect(safety.Held, safety.SourceSilent)
	r.loop.Hold(robot.SourcePolicy)
	r.run(1)
	r.expect(safety.Held, safety.NoSource)
}

func TestStopLatchesUntilReset(t *testing.T) {
	r := newRig(t, control.Config{})
	r.run(2)
	r.loop.Submit(r.swing(1, r.clock.Now(), 20, 20*time.Millisecond, 0))
	r.run(10)
	r.loop.Stop("a hand came near")
	r.loop.Stop("another")
	r.run(1)
	if s := r.expect(safety.Stopped, safety.StopAsked); s.StopReason != "a hand came near" {
		t.Errorf("StopReason = %q", s.StopReason)
	}
	if c := r.plant.Command(); !c.Enable || c.Velocity != (robot.Joints{}) {
		t.Errorf("the stopped command is %+v, want the torque on and no velocity", c)
	}
	before := r.plant.Command().Position
	r.run(50)
	if r.plant.Command().Position != before {
		t.Error("a stopped robot moved")
	}
	if err := r.loop.Reset(); err != nil {
		t.Fatal(err)
	}
	r.run(2)
	if s := r.expect(safety.Held, safety.SourceBeforeReset); s.StopReason != "" {
		t.Errorf("StopReason = %q after the reset", s.StopReason)
	}
}

func TestTickAllocatesNothing(t *testing.T) {
	r := newRig(t, control.Config{})
	r.run(2)
	chunk := r.swing(1, r.clock.Now(), 2000, 20*time.Millisecond, 0)
	chunk.Expires = chunk.Expires.Add(time.Hour)
	r.loop.Submit(chunk)
	if n := testing.AllocsPerRun(100, func() { r.clock.Advance(tick / 10); r.loop.Tick() }); n != 0 {
		t.Errorf("%g allocations a tick, want 0", n)
	}
	r.expect(safety.Moving, safety.OK)
}

func TestStopReachesTheDriverAtOnce(t *testing.T) {
	clock := robot.NewSystemClock()
	plant := drivertest.NewPlant(drivertest.Arm(), clock, 0)
	// So slow a loop that no busy machine is slower: whatever comes before the
	// next tick was not waited for.
	const period = time.Second
	config := safety.DefaultConfig()
	config.MaxTick = 2 * period
	limits, err := safety.Compile(drivertest.Arm(), config)
	if err != nil {
		t.Fatal(err)
	}
	loop, err := control.New(limits, plant, clock, control.Config{RateHz: 1 / period.Seconds()})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan robot.Time, 1)
	plant.OnWrite(func(c *robot.Command) {
		select {
		case seen <- c.At:
		default:
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- loop.Run(ctx) }()
	first := <-seen
	asked := clock.Now()
	loop.Stop("test")
	reached := <-seen
	t.Logf("the stop reached the driver after %v", reached.Sub(asked))
	if reached.Sub(first) >= period {
		t.Errorf("the stop reached the driver with the tick %v after the one before", reached.Sub(first))
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if s := loop.Status(); s.Verdict.Mode != safety.Stopped || s.StopReason != "test" {
		t.Errorf("after Run: %v, %q", s.Verdict.Mode, s.StopReason)
	}
}
