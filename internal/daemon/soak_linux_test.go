package daemon

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

var soakFor = flag.Duration("daemon.soak", 2*time.Minute, "how long the soak test lasts, in the robot's time")

// footprint is what a program that runs for days must not gather.
type footprint struct {
	goroutines, files int
	heapMB, rssMB     float64
}

func weigh(t *testing.T) footprint {
	t.Helper()
	// What a pool keeps for reuse outlives one collection, not two.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("the open files cannot be counted here: %v", err)
	}
	return footprint{goroutines: runtime.NumGoroutine(), files: len(open), heapMB: float64(m.HeapAlloc) / 1e6, rssMB: residentMB()}
}

// growth is the slope of a straight line through values (least squares), times
// their number: by how much they grew over the run.
func growth(values []float64) float64 {
	n := float64(len(values))
	var x, y, xx, xy float64
	for i, v := range values {
		x, y, xx, xy = x+float64(i), y+v, xx+float64(i)*float64(i), xy+float64(i)*v
	}
	return (n*xy - x*y) / (n*xx - x*x) * n
}

func TestGrowth(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{1, 2, 3, 4}, 4}, {[]float64{5, 5, 5}, 0}, {[]float64{1, -1, -1, 1}, 0}} {
		if got := growth(c.values); got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("growth of %v is %g, want %g", c.values, got, c.want)
		}
	}
}

// soak is a whole daemon, its broker and page too, with joints that are
// simulated, whose clock goes as fast as its stages can follow.
type soak struct {
	*rig
	clock  *robot.ManualClock
	stages int
	moved  float64
}

func startSoak(t *testing.T) *soak {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	c := config.Default()
	c.Robot.Name, c.Robot.Driver, c.Runner, c.Affordance, c.Cameras = "soak", config.DriverMQTT, config.None, config.None, nil
	c.Sim.Demo, c.Broker.Listen, c.Web.Listen = "", "127.0.0.1:0", "127.0.0.1:0"
	// As slow as the state is published, so that a day fits into minutes.
	c.Control.RateHz, c.Safety.MaxTick, c.Safety.MaxStateAge = 20, 2*soakStep, 4*soakStep
	s := &soak{clock: robot.NewManualClock(time.Unix(1_800_000_000, 0), robot.Time(time.Second))}
	// The MQTT joints of the configuration are never asked: the plant stands there.
	description, err := readDescription(&c)
	if err != nil {
		t.Fatal(err)
	}
	s.rig = &rig{probe: &probe{}, ended: make(chan error, 1)}
	s.daemon, err = New(Options{Config: &c, Clock: s.clock, wrap: func(control.Driver) control.Driver {
		return drivertest.NewPlant(description, s.clock, 0)
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.cancel = cancel
	go func() { s.ended <- s.daemon.Run(ctx) }()
	t.Cleanup(func() { s.end(t) })
	// The control loop, the state and the health wait for the clock.
	s.stages = 3
	return s
}

// soakStep is the period of the control loop, and of the state's messages.
const soakStep = 50 * time.Millisecond

// pass lets d go by, step by step.
func (s *soak) pass(t *testing.T, d time.Duration) {
	t.Helper()
	for ; d > 0; d -= soakStep {
		s.follow(t)
		s.clock.Advance(soakStep)
	}
	s.follow(t)
}

// follow waits until every stage has done what was due.
func (s *soak) follow(t *testing.T) {
	for spins := 0; s.clock.Waiting() < s.stages; spins++ {
		runtime.Gosched()
		if spins > 100_000_000 {
			t.Fatalf("%d of %d stages wait for the clock", s.clock.Waiting(), s.stages)
		}
	}
}

// minute is what a robot sees in a minute: somebody steers, stops it, resets it,
// says nonsense; then it is left alone.
func (s *soak) minute(t *testing.T) {
	t.Helper()
	began := s.clock.Now()
	before := s.daemon.loop.Status().Command.Position[0]
	rate := 0.2
	if before > 0 {
		rate = -rate
	}
	for range 100 {
		text := fmt.Sprintf(`{"at":%.3f,"velocity":[%g,0,0,0,0,0]}`, s.clock.Now().Seconds(), rate)
		_ = s.daemon.receive(topics.NameTeleop, []byte(text))
		s.pass(t, soakStep)
	}
	s.moved += max(before-s.daemon.loop.Status().Command.Position[0], s.daemon.loop.Status().Command.Position[0]-before)
	_ = s.daemon.receive(topics.NameTeleop, []byte(`{"at":"later"}`))
	_ = s.daemon.receive(topics.NameInstruction, []byte(`{"id":"1","text":"dance"}`))
	s.daemon.Stop("a minute is over")
	s.pass(t, time.Second)
	if mode := s.daemon.loop.Status().Verdict.Mode; mode != safety.Stopped {
		t.Fatalf("after a stop it is %v", mode)
	}
	if err := s.daemon.loop.Reset(); err != nil {
		t.Fatal(err)
	}
	s.pass(t, time.Minute-s.clock.Now().Sub(began))
	if mode := s.daemon.loop.Status().Verdict.Mode; mode != safety.Held {
		st := s.daemon.loop.Status()
		t.Fatalf("left alone it is %v: %s", mode, s.daemon.loop.Reason(&st))
	}
}

// What a robot does in a day leaves nothing behind. make soak-day runs 24 hours
// of the robot's time; here it is a short while.
func TestSoak(t *testing.T) {
	s := startSoak(t)
	s.pass(t, time.Second)
	s.minute(t) // what is made at first use is made
	const samples = 24
	total := *soakFor
	var all []footprint
	wall := robot.NewSystemClock()
	began := wall.Now()
	for i := range samples {
		for until := time.Duration(i+1) * total / samples; s.clock.Now().Sub(robot.Time(62*time.Second)) < until; {
			if total < samples*time.Minute {
				s.pass(t, total/samples)
			} else {
				s.minute(t)
			}
		}
		f := weigh(t)
		all = append(all, f)
		if testing.Verbose() {
			t.Logf("%5.1f h  %d goroutines  %d files  heap %.2f MB  resident %.1f MB  (%.0f s of ours)", s.clock.Now().Seconds()/3600,
				f.goroutines, f.files, f.heapMB, f.rssMB, wall.Now().Sub(began).Seconds())
		}
	}
	if s.moved < 0.5 {
		t.Errorf("the joints moved by %g rad in all", s.moved)
	}
	// The first quarter fills caches and pools.
	flat(t, all[samples/4:])
}

// flat fails if something grew.
func flat(t *testing.T, all []footprint) {
	t.Helper()
	for _, c := range []struct {
		name string
		of   func(footprint) float64
		most float64 // over the run, beyond what comes and goes
	}{
		{"goroutines", func(f footprint) float64 { return float64(f.goroutines) }, 3},
		{"open files", func(f footprint) float64 { return float64(f.files) }, 3},
		{"MB of heap", func(f footprint) float64 { return f.heapMB }, 3},
		{"MB resident", func(f footprint) float64 { return f.rssMB }, 15},
	} {
		values := make([]float64, len(all))
		for i, f := range all {
			values[i] = c.of(f)
		}
		grew := growth(values)
		t.Logf("%s: %.1f at the end, grew by %.2f", c.name, values[len(values)-1], grew)
		if grew > c.most {
			t.Errorf("%s grew by %.2f over the run, want %.1f at most: %.1f", c.name, grew, c.most, values)
		}
	}
}
