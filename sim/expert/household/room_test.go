package household_test

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/expert/household"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/kitchen"
)

var (
	episodes = flag.Int("episodes", 5, "scenes that TestSkills goes through")
	trace    = flag.Bool("steps", false, "log every observation")
)

// refresh is how often the expert is asked for a chunk.
const refresh = 100 * time.Millisecond

// room is a world in lockstep with the control loop, as the daemon wires them.
type room struct {
	t      testing.TB
	world  *kitchen.World
	loop   *control.Loop
	clock  *world.Clock
	expert *household.Expert
	chunks uint64
	// limited counts ticks on which the safety core changed a command.
	limited, ticks int
	// see may do something to the world before an observation.
	see func(o *robot.Observation)
}

func newRoom(t testing.TB) *room {
	t.Helper()
	w, err := kitchen.New(kitchen.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := &room{t: t, world: w}
	t.Cleanup(func() { w.Close() })
	if r.clock, err = world.NewClock(w, 0, r.tick); err != nil {
		t.Fatal(err)
	}
	r.renew()
	return r
}

func (r *room) tick() {
	r.loop.Tick()
	r.ticks++
	if r.loop.Status().Verdict.Limited != 0 {
		r.limited++
	}
}

// renew starts the loop and the expert anew, as a new process would.
func (r *room) renew() {
	r.t.Helper()
	limits, err := safety.Compile(r.world.Description(), safety.DefaultConfig())
	if err != nil {
		r.t.Fatal(err)
	}
	if r.loop, err = control.New(limits, r.world, r.clock, control.Config{}); err != nil {
		r.t.Fatal(err)
	}
	r.expert, r.see = household.New(r.world.Description()), nil
	r.limited, r.ticks = 0, 0
}

func (r *room) reset(seed uint64, spec world.Spec) {
	r.t.Helper()
	if err := r.world.Reset(seed, spec); err != nil {
		r.t.Fatal(err)
	}
	r.renew()
	r.wait(50 * time.Millisecond)
}

func (r *room) wait(d time.Duration) {
	r.t.Helper()
	if err := r.clock.Wait(context.Background(), r.clock.Now().Add(d)); err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) look() *robot.Observation {
	r.t.Helper()
	state, err := r.world.Read()
	if err != nil {
		r.t.Fatal(err)
	}
	o := &robot.Observation{At: r.clock.Now(), State: state, Scene: r.world.Scene()}
	if r.see != nil {
		r.see(o)
	}
	return o
}

// do runs one skill to its end and gives the outcome; an error of Begin is a
// failure.
func (r *room) do(name string, args ...string) robot.Outcome {
	r.t.Helper()
	o := r.look()
	if err := r.expert.Begin(robot.Skill{Name: name, Args: args}, o); err != nil {
		return robot.Outcome{Status: robot.Failed, Reason: "begin: " + err.Error()}
	}
	for range 1000 {
		o := r.look()
		chunk, outcome := r.expert.Next(o)
		r.chunks++
		chunk.ID, chunk.Source = r.chunks, robot.SourcePolicy
		r.loop.Submit(chunk)
		if *trace {
			r.t.Logf("%v %s%v q %.3f want %.3f %v %v", o.At, name, args, o.State.Position[:8], chunk.Actions[2][:8], r.loop.Status().Verdict.Code, outcome)
		}
		if outcome.Status != robot.Running {
			r.wait(refresh)
			return outcome
		}
		r.wait(refresh)
	}
	r.t.Fatalf("%s %v does not end", name, args)
	return robot.Outcome{}
}
