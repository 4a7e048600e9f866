package world

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
	"github.com/kuai-robot/kuai/sim/world/machine"
)

func TestClockTicksInLockstep(t *testing.T) {
	w := newWorld(t)
	start := w.Now()
	var ticks []robot.Time
	clock, err := NewClock(w, 20*time.Millisecond, func() { ticks = append(ticks, w.Now()) })
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	if err := clock.Wait(t.Context(), start.Add(100*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if runtime.NumGoroutine() != before {
		t.Error("lockstep has goroutines of its own")
	}
	if len(ticks) != 5 || ticks[0] != start || ticks[4] != start.Add(80*time.Millisecond) {
		t.Errorf("ticks at %v, want every 20 ms from %v", ticks, start)
	}
	// Between two physics steps the clock goes to the later one.
	if err := clock.Wait(t.Context(), start.Add(101*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if got := clock.Now().Sub(start); got != 102*time.Millisecond {
		t.Errorf("now is %v after the start, want 102ms", got)
	}
	now := clock.Now()
	if err := clock.Wait(t.Context(), start); err != nil || clock.Now() != now {
		t.Errorf("waiting for the past: %v, at %v", err, clock.Now())
	}
	// Physics that somebody else moved on does not make ticks pile up.
	w.Step(time.Second)
	ticks = nil
	if err := clock.Wait(t.Context(), w.Now().Add(20*time.Millisecond)); err != nil || len(ticks) != 1 {
		t.Errorf("after a jump: %d ticks, %v", len(ticks), err)
	}
}

func TestClockRefusals(t *testing.T) {
	w := newWorld(t)
	for _, period := range []time.Duration{-PhysicsStep, 3 * time.Millisecond} {
		if _, err := NewClock(w, period, nil); err == nil {
			t.Errorf("period %v was taken", period)
		}
	}
	var inner error
	var clock *Clock
	clock, err := NewClock(w, 0, func() { inner = clock.Wait(context.Background(), w.Now().Add(time.Second)) })
	if err != nil {
		t.Fatal(err)
	}
	if err := clock.Wait(t.Context(), w.Now().Add(PhysicsStep)); err != nil || inner == nil {
		t.Errorf("a tick that waits: %v, outer %v", inner, err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	before := w.Now()
	if err := clock.Wait(ended, before.Add(time.Second)); !errors.Is(err, context.Canceled) || w.Now() != before {
		t.Errorf("after the context ended: %v, %v later", err, w.Now().Sub(before))
	}
}

// runner is a Run beside a test, on a clock that the test moves.
type runner struct {
	t      *testing.T
	w      *World
	clock  *robot.ManualClock
	cancel context.CancelFunc
	done   chan error
}

func run(t *testing.T, w *World) *runner {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &runner{t: t, w: w, clock: robot.NewManualClock(time.Unix(0, 0), robot.Time(5*time.Second)), cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- w.Run(ctx, r.clock) }()
	r.settle()
	return r
}

// settle returns when Run waits for its clock.
func (r *runner) settle() {
	for r.clock.Waiting() == 0 {
		runtime.Gosched()
	}
}

func (r *runner) advance(d time.Duration) {
	r.settle()
	r.clock.Advance(d)
	r.settle()
}

func TestRunFollowsItsClock(t *testing.T) {
	w := newWorld(t)
	r := run(t, w)
	simulated := w.live.data.Time()
	for range 50 {
		r.advance(10 * time.Millisecond)
		s, err := w.Read()
		if err != nil {
			t.Fatal(err)
		}
		if age := r.clock.Now().Sub(s.At); age < 0 || age >= PhysicsStep {
			t.Fatalf("the state is %v old", age)
		}
	}
	if got := w.live.data.Time() - simulated; got < 0.4999 || got > 0.5001 {
		t.Errorf("500 ms of the clock moved physics by %.3f s", got)
	}
	// A machine that slept for a minute does not replay it.
	simulated = w.live.data.Time()
	r.advance(time.Minute)
	if got := w.live.data.Time() - simulated; got > 0.2 {
		t.Errorf("after a minute's gap physics moved by %.3f s", got)
	}
	if age := r.clock.Now().Sub(w.Now()); age < 0 || age >= PhysicsStep {
		t.Errorf("after the gap the state is %v old", age)
	}
	if err := w.Run(t.Context(), r.clock); !errors.Is(err, machine.ErrRunning) {
		t.Errorf("a second Run: %v", err)
	}
	r.cancel()
	if err := <-r.done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
}

func TestCloseEndsRun(t *testing.T) {
	w := newWorld(t)
	r := run(t, w)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	r.clock.Advance(PhysicsStep)
	if err := <-r.done; !errors.Is(err, mujoco.ErrClosed) {
		t.Errorf("Run ended with %v", err)
	}
}

// Everything may be called beside Run.
func TestEverythingBesideRun(t *testing.T) {
	w := newWorld(t)
	r := run(t, w)
	stop := make(chan struct{})
	ended := make(chan error)
	home := w.Description().Home()
	rgb := make([]byte, 3*64*48)
	for _, use := range []func() error{
		func() error { _, err := w.Read(); return err },
		func() error { return w.Write(&robot.Command{Enable: true, Position: home}) },
		func() error { w.Scene(); return nil },
		func() error { return w.Render("wrist", 64, 48, rgb) },
		func() error { return w.Reset(3, Spec{}) },
	} {
		go func() {
			var err error
			for n := 0; err == nil; n++ {
				select {
				case <-stop:
					ended <- nil
					return
				default:
					err = use()
				}
			}
			ended <- err
		}()
	}
	for range 25 {
		r.advance(10 * time.Millisecond)
	}
	close(stop)
	for range 5 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	r.cancel()
	<-r.done
	if n := len(w.Scene().Objects); n != tabletopThings {
		t.Errorf("%d objects at the end", n)
	}
}

func BenchmarkStep(b *testing.B) {
	w := newWorld(b)
	for b.Loop() {
		w.Step(PhysicsStep)
	}
}

func BenchmarkReset(b *testing.B) {
	w := newWorld(b)
	seed := uint64(0)
	for b.Loop() {
		seed++
		if err := w.Reset(seed, Spec{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScene(b *testing.B) {
	w := newWorld(b)
	for b.Loop() {
		w.Scene()
	}
}
