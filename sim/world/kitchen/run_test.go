package kitchen_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/kitchen"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
	"github.com/kuai-robot/kuai/sim/world/machine"
)

// settle returns when Run waits for its clock.
func settle(clock *robot.ManualClock) {
	for clock.Waiting() == 0 {
		runtime.Gosched()
	}
}

// Run keeps to its clock, everything may be called beside it, and it ends with
// its context or with the world.
func TestRun(t *testing.T) {
	w := newWorld(t, kitchen.Options{})
	clock := robot.NewManualClock(time.Unix(0, 0), robot.Time(5*time.Second))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, clock) }()
	settle(clock)
	if err := w.Run(t.Context(), clock); !errors.Is(err, machine.ErrRunning) {
		t.Errorf("a second Run: %v", err)
	}
	var others sync.WaitGroup
	for _, use := range []func(){
		func() { w.Scene() },
		func() { _, _ = w.Read() },
		func() { _ = w.Render("room", 64, 48, make([]byte, 3*64*48)) },
		func() { _ = w.Reset(3, world.Spec{}) },
		func() { _, _ = w.Move("orange", [2]float64{1.6, 0.5}) },
	} {
		others.Go(func() {
			for range 5 {
				use()
			}
		})
	}
	for range 20 {
		clock.Advance(10 * time.Millisecond)
		settle(clock)
		if age := clock.Now().Sub(w.Now()); age < 0 || age >= kitchen.PhysicsStep {
			t.Fatalf("the state is %v old", age)
		}
	}
	others.Wait()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
	go func() { done <- w.Run(t.Context(), clock) }()
	settle(clock)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	clock.Advance(kitchen.PhysicsStep)
	if err := <-done; !errors.Is(err, mujoco.ErrClosed) {
		t.Errorf("Run ended with %v", err)
	}
}

// A station is a place's, whichever way round the base was turned.
func TestStations(t *testing.T) {
	for _, p := range layout.Places() {
		for _, turns := range []float64{0, 6.283185307179586, -6.283185307179586} {
			if got := layout.StationOf(p.Station[0], p.Station[1], p.Station[2]+turns); got != p.Name {
				t.Errorf("at the %s it stands at the %s", p.Name, got)
			}
		}
		if got := layout.StationOf(p.Station[0], p.Station[1], p.Station[2]+1.5); got != layout.Floor {
			t.Errorf("facing away from the %s it stands at the %s", p.Name, got)
		}
	}
	if got := layout.StationOf(0, 0, 0); got != layout.Floor {
		t.Errorf("in the middle of the room it stands at the %s", got)
	}
}
