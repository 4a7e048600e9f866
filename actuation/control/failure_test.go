package control_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
)

func TestNewRefuses(t *testing.T) {
	desc, clock := drivertest.Arm(), robot.NewManualClock(time.Unix(0, 0), 1)
	limits, err := safety.Compile(desc, safety.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	plant := drivertest.NewPlant(desc, clock, 0)
	for want, c := range map[string]struct {
		limits *safety.Limits
		driver control.Driver
		config control.Config
	}{
		"needs limits":     {nil, plant, control.Config{}},
		"a driver":         {limits, nil, control.Config{}},
		"rate_hz is 0.5":   {limits, plant, control.Config{RateHz: 0.5}},
		"rate_hz is 1001":  {limits, plant, control.Config{RateHz: 1001}},
		"rate_hz is NaN":   {limits, plant, control.Config{RateHz: math.NaN()}},
		"safety.max_tick":  {limits, plant, control.Config{RateHz: 20}},
		"blend is -1ns":    {limits, plant, control.Config{Blend: -1}},
		"a tick takes 50m": {limits, plant, control.Config{RateHz: 20}},
	} {
		if _, err := control.New(c.limits, c.driver, clock, c.config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New gave %v, want %q", err, want)
		}
	}
}

func TestChunksThatMakeNoSenseAreCounted(t *testing.T) {
	r := newRig(t, control.Config{})
	one := []robot.Joints{r.desc.Home()}
	for _, c := range []robot.Chunk{
		{Source: robot.SourcePolicy},
		{Source: robot.SourceNone, Actions: one},
		{Source: robot.Sources, Actions: one},
		{Source: robot.SourceSkill, Actions: append(one, one[0])},
		{Source: robot.SourceSkill, Actions: append(one, one[0]), Step: -1},
	} {
		r.loop.Submit(c)
	}
	r.loop.Hold(robot.Sources)
	for range 3 {
		r.loop.Submit(robot.Chunk{Source: robot.SourceSkill, Actions: one})
	}
	if s := r.run(1); s.Refused != 5 || s.Dropped != 2 {
		t.Errorf("refused %d, dropped %d; want 5 and 2", s.Refused, s.Dropped)
	}
	r.loop.Submit(robot.Chunk{Source: robot.SourceSkill, Actions: one})
	if s := r.run(1); s.Dropped != 2 {
		t.Errorf("dropped %d: the chunk that was followed counts as dropped", s.Dropped)
	}
}

func TestFailedCallsAreTriedAgainInTheTick(t *testing.T) {
	r := newRig(t, control.Config{})
	r.run(2)
	r.plant.FailReads(1)
	r.plant.FailWrites(1)
	before := r.loop.Status()
	s := r.run(1)
	if s.ReadErrors != 1 || s.WriteErrors != 1 || s.State.At != r.clock.Now() || r.plant.Command().At != r.clock.Now() {
		t.Errorf("after one failure each: %d, %d, state of %v, command of %v", s.ReadErrors, s.WriteErrors, s.State.At, r.plant.Command().At)
	}
	if s.LastError != nil || before.ReadErrors != 0 {
		t.Errorf("LastError %v although the second try worked", s.LastError)
	}
	r.plant.FailReads(2)
	if s = r.run(1); s.ReadErrors != 3 || s.LastError == nil || s.State.At == r.clock.Now() {
		t.Errorf("after two failed reads: %d, %v", s.ReadErrors, s.LastError)
	}
	r.plant.FailWrites(2)
	if s = r.run(1); s.WriteErrors != 3 || s.LastError == nil || r.plant.Command().At == r.clock.Now() {
		t.Errorf("after two failed writes: %d, %v", s.WriteErrors, s.LastError)
	}
	r.run(1)
	if s = r.expect(safety.Held, safety.NoSource); s.LastError != nil {
		t.Errorf("LastError %v after it works again", s.LastError)
	}
}

// unplugged runs r through a lost and found device; lose and find change the plant.
func unplugged(t *testing.T, lose, find func(*drivertest.Plant)) {
	t.Helper()
	r := newRig(t, control.Config{})
	r.run(2)
	lose(r.plant)
	r.run(10)
	if s := r.loop.Status(); s.Verdict.Mode != safety.Held {
		t.Errorf("a short failure leads to %v", s.Verdict.Mode)
	}
	r.run(5)
	r.expect(safety.Fault, safety.StateStale)
	if err := r.loop.Reset(); err == nil || !strings.Contains(err.Error(), "reset refused: the joint state is too old") {
		t.Errorf("Reset gave %v, want a refusal with the reason", err)
	}
	r.run(1000) // it goes on trying
	r.expect(safety.Fault, safety.StateStale)
	find(r.plant)
	r.run(2)
	s := r.expect(safety.Fault, safety.StateStale)
	if s.Verdict.Health != safety.OK || s.LastError != nil {
		t.Errorf("found again: health %v, %v", s.Verdict.Health, s.LastError)
	}
	if c := r.plant.Command(); c.At != r.clock.Now() || c.Velocity != (robot.Joints{}) {
		t.Errorf("found again, the plant is told %+v", c)
	}
	if err := r.loop.Reset(); err != nil {
		t.Fatal(err)
	}
	r.run(2)
	r.expect(safety.Held, safety.NoSource)
}

func TestUnpluggedDeviceIsAFaultUntilItAnswers(t *testing.T) {
	unplugged(t, (*drivertest.Plant).Unplug, (*drivertest.Plant).Plug)
}

func TestDeviceThatTakesNoCommandsIsAFault(t *testing.T) {
	unplugged(t, func(p *drivertest.Plant) { p.FailWrites(1 << 30) }, func(p *drivertest.Plant) { p.FailWrites(0) })
}

func TestDeviceThatReportsAnOldStateIsAFault(t *testing.T) {
	unplugged(t, func(p *drivertest.Plant) { p.Freeze(true) }, func(p *drivertest.Plant) { p.Freeze(false) })
}

func TestNaNFromTheDeviceIsAFaultOfItsJoint(t *testing.T) {
	r := newRig(t, control.Config{})
	r.run(2)
	r.plant.Misread(3, math.NaN())
	r.run(1)
	s := r.expect(safety.Fault, safety.StateInvalid)
	if got := r.loop.Reason(&s); !strings.HasPrefix(got, "joint wrist_flex: a joint reports") {
		t.Errorf("Reason = %q", got)
	}
	if err := r.loop.Reset(); err == nil || !strings.Contains(err.Error(), "joint wrist_flex") {
		t.Errorf("Reset gave %v, want the joint", err)
	}
}

func TestStopIsWrittenWithoutAFreshState(t *testing.T) {
	r := newRig(t, control.Config{})
	r.run(2)
	r.plant.FailReads(1000)
	r.loop.Stop("now")
	if err := r.loop.Reset(); err == nil {
		t.Error("a reset was accepted while a stop is on its way")
	}
	s := r.run(1)
	r.expect(safety.Stopped, safety.StopAsked)
	if s.ReadErrors != 0 || r.plant.Command().At != r.clock.Now() {
		t.Errorf("%d reads were tried before the stop was written", s.ReadErrors)
	}
	if got := r.loop.Reason(&s); got != "now" {
		t.Errorf("Reason = %q", got)
	}
}

func TestReleaseAndEngage(t *testing.T) {
	r := newRig(t, control.Config{})
	r.run(2)
	r.loop.Release()
	r.run(3)
	r.expect(safety.Off, safety.ReleaseAsked)
	if r.plant.Command().Enable {
		t.Error("the torque is on")
	}
	r.loop.Engage()
	r.run(2)
	r.expect(safety.Held, safety.NoSource)
}

func TestAfterRestartItComesUpStopped(t *testing.T) {
	r := newRig(t, control.Config{AfterRestart: true})
	if s := r.loop.Status(); s.Ticks != 0 {
		t.Errorf("%d ticks before the first", s.Ticks)
	}
	r.run(5)
	r.expect(safety.Stopped, safety.AfterRestart)
	if r.plant.Command().Enable {
		t.Error("the torque is on")
	}
}

// broken is a driver that panics when told to.
type broken struct {
	control.Driver
	after int
	count int
	all   bool
}

func (b *broken) Read() (robot.State, error) {
	if b.count++; b.count == b.after || b.all && b.count > b.after {
		panic("short circuit")
	}
	return b.Driver.Read()
}

func runLoop(t *testing.T, loop *control.Loop) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- loop.Run(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}

func TestPanicLeavesTheRobotStopped(t *testing.T) {
	clock := robot.NewSystemClock()
	plant := drivertest.NewPlant(drivertest.Arm(), clock, 0)
	loop := newLoop(t, drivertest.Arm(), &broken{Driver: plant, after: 5}, clock, control.Config{RateHz: 500})
	err := loop.Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "short circuit") || !strings.Contains(err.Error(), "failure_test.go") {
		t.Errorf("Run gave %v, want the panic and where it was", err)
	}
	if s := loop.Status(); s.Verdict.Mode != safety.Stopped || s.StopReason != "the control loop failed" {
		t.Errorf("after a panic: %v, %q", s.Verdict.Mode, s.StopReason)
	}
	if c := plant.Command(); !c.Enable || c.Velocity != (robot.Joints{}) {
		t.Errorf("the last command was %+v", c)
	}
}

// writeOnce fails or panics on every write but one in three.
type writeOnce struct {
	control.Driver
	count int
}

func (w *writeOnce) Write(c *robot.Command) error {
	w.count++
	switch w.count % 3 {
	case 0:
		return w.Driver.Write(c)
	case 1:
		return errors.New("busy")
	}
	panic("loose contact")
}

func TestEndOfTheContextWritesTheStop(t *testing.T) {
	for _, limp := range []bool{false, true} {
		clock := robot.NewManualClock(time.Unix(0, 0), robot.Time(time.Second))
		plant := drivertest.NewPlant(drivertest.Arm(), clock, 0)
		loop := newLoop(t, drivertest.Arm(), &writeOnce{Driver: plant}, clock, control.Config{LimpAtEnd: limp})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := loop.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if s := loop.Status(); s.Verdict.Mode != safety.Stopped || s.StopReason != "the control loop has ended" {
			t.Errorf("%v, %q", s.Verdict.Mode, s.StopReason)
		}
		if c := plant.Command(); c.At == 0 || c.Velocity != (robot.Joints{}) {
			t.Errorf("limp %v: the last command is %+v", limp, c)
		}
	}
	clock := robot.NewSystemClock()
	plant := drivertest.NewPlant(drivertest.Arm(), clock, 0)
	loop := newLoop(t, drivertest.Arm(), plant, clock, control.Config{LimpAtEnd: true, RateHz: 500})
	enabled := make(chan struct{})
	var once sync.Once
	plant.OnWrite(func(c *robot.Command) {
		if c.Enable {
			once.Do(func() { close(enabled) })
		}
	})
	stop := runLoop(t, loop)
	<-enabled
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if plant.Command().Enable {
		t.Error("the torque is on after the end, limp_at_end was set")
	}
	loop.Stop("after the end") // does nothing, and does not block or panic
}

func TestScheduleOnAManualClock(t *testing.T) {
	clock := robot.NewManualClock(time.Unix(0, 0), robot.Time(time.Second))
	plant := drivertest.NewPlant(drivertest.Arm(), clock, 0)
	loop := newLoop(t, drivertest.Arm(), plant, clock, control.Config{})
	written := make(chan robot.Time, 16)
	plant.OnWrite(func(c *robot.Command) { written <- c.At })
	stop := runLoop(t, loop)
	start := <-written
	advance := func(d time.Duration) robot.Time {
		for clock.Waiting() == 0 {
			runtime.Gosched() // lets the loop arrive
		}
		clock.Advance(d)
		return <-written
	}
	for k := 1; k <= 5; k++ {
		if at := advance(tick); at != start.Add(time.Duration(k)*tick) {
			t.Fatalf("tick %d at %v, want %v", k, at.Sub(start), time.Duration(k)*tick)
		}
	}
	// 35 ms late: ticks at 50 ms pass; it goes on at the next that lies ahead.
	if at := advance(45 * time.Millisecond); at != start.Add(95*time.Millisecond) {
		t.Fatalf("late tick at %v", at.Sub(start))
	}
	if at := advance(5 * time.Millisecond); at != start.Add(100*time.Millisecond) {
		t.Fatalf("after a late tick at %v, want 100ms", at.Sub(start))
	}
	// A stop does not wait for the next tick.
	for clock.Waiting() == 0 {
		runtime.Gosched()
	}
	loop.Stop("now")
	if at := <-written; at != start.Add(100*time.Millisecond) {
		t.Errorf("the stop was written at %v", at.Sub(start))
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	<-written
	s := loop.Status()
	if s.Overruns != 3 || s.Ticks != 9 || s.JitterP99 < 35*time.Millisecond || s.JitterP50 > time.Microsecond {
		t.Errorf("%d ticks, %d overruns, jitter %v and %v; want 9, 3, about 0 and 35 ms", s.Ticks, s.Overruns, s.JitterP50, s.JitterP99)
	}
	if s.Realtime == "" || loop.Period() != tick || loop.Quantile(control.StageWrite, 1) == 0 {
		t.Errorf("Realtime %q, Period %v", s.Realtime, loop.Period())
	}
}

// Everything that may come from other goroutines at once; run with -race.
func TestFromManyGoroutines(t *testing.T) {
	clock := robot.NewSystemClock()
	desc := drivertest.Arm()
	plant := drivertest.NewPlant(desc, clock, 0)
	loop := newLoop(t, desc, plant, clock, control.Config{RateHz: 1000, Realtime: true})
	stop := runLoop(t, loop)
	var all sync.WaitGroup
	for g := range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			// Until the loop has run beside it, however late its thread got going.
			for i := 0; i < 300 || loop.Status().Ticks < 50; i++ {
				now := clock.Now()
				loop.Submit(robot.Chunk{ID: uint64(i), Source: robot.SourcePolicy, ObservedAt: now, Start: now, Actions: []robot.Joints{desc.Home()}, Expires: now.Add(time.Second)})
				loop.Steer(control.Setpoint{At: now, Expires: now.Add(time.Second), Joints: desc.Home()})
				if s := loop.Status(); s.Verdict.Mode > safety.Fault {
					t.Errorf("mode %v", s.Verdict.Mode)
				}
				switch i % 50 {
				case 10 + g:
					loop.Stop("test")
				case 20:
					_ = loop.Reset() // refused while stopping
				case 30:
					loop.Hold(robot.SourceTeleop)
				}
			}
		}()
	}
	all.Wait()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if s := loop.Status(); s.Ticks == 0 || s.Verdict.Mode != safety.Stopped {
		t.Errorf("%d ticks, %v", s.Ticks, s.Verdict.Mode)
	}
}
