package daemon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

var (
	soakFor      = flag.Duration("daemon.soak", 2*time.Minute, "how long the soak test lasts, in the robot's time")
	soakProfiles = flag.String("daemon.soak-profiles", "", "folder for heap profiles of the soak test")
)

// footprint is what a program that runs for days must not gather.
type footprint struct {
	goroutines, files int
	heapMB, rssMB     float64
	// blocksMB is what heapMB does not count: see blockBuffers.
	blocksMB float64
	// Of rssMB, goMB is what Go has mapped and not given back, and fileMB are pages
	// of the program's file.
	goMB, fileMB float64
	// parts says what goMB is made of.
	parts string
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
	blocks := blockBuffers()
	return footprint{
		goroutines: runtime.NumGoroutine(), files: len(open), heapMB: float64(m.HeapAlloc)/1e6 - blocks, blocksMB: blocks, rssMB: residentMB(),
		goMB: float64(m.Sys-m.HeapReleased) / 1e6, fileMB: fileMB(t),
		parts: fmt.Sprintf("heap %.1f in use and %.1f idle, stacks %.1f, spans %.1f, collector %.1f, profile %.1f, other %.1f", float64(m.HeapInuse)/1e6,
			float64(m.HeapIdle-m.HeapReleased)/1e6, float64(m.StackSys)/1e6, float64(m.MSpanSys+m.MCacheSys)/1e6, float64(m.GCSys)/1e6, float64(m.BuckHashSys)/1e6, float64(m.OtherSys)/1e6),
	}
}

// fileMB gives how much of the program's file is resident.
func fileMB(t *testing.T) (mb float64) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kB float64
		if n, _ := fmt.Sscanf(line, "RssFile: %g kB", &kB); n == 1 {
			mb = kB * 1024 / 1e6
		}
	}
	return mb
}

// blockRate makes the heap profile see every buffer of the size of those that
// blockBuffers looks for.
const blockRate = 64 << 10

// mostBlocksMB is one of the largest for each of the three streams that it keeps.
const mostBlocksMB = 25.2

// blockBuffers gives the MB in which the embedded broker gathers the messages of
// the block that it writes: buffers of 1, 4 or 8 MB, which it keeps for as long
// as messages come and drops when a block is full. They are no more after a day
// than after an hour, but far more than what a leak would be in that time.
func blockBuffers() (mb float64) {
	records := make([]runtime.MemProfileRecord, 1000)
	for {
		n, ok := runtime.MemProfile(records, false)
		if ok {
			records = records[:n]
			break
		}
		records = make([]runtime.MemProfileRecord, n+100)
	}
	for i := range records {
		r := &records[i]
		if r.InUseObjects() == 0 || r.InUseBytes()/r.InUseObjects() < 4*blockRate {
			continue
		}
		frames := runtime.CallersFrames(r.Stack())
		for more := true; more; {
			var f runtime.Frame
			if f, more = frames.Next(); strings.Contains(f.Function, "nats-server/v2/server.(*msgBlock)") {
				mb += float64(r.InUseBytes()) / 1e6
				break
			}
		}
	}
	return mb
}

// steady is how fast values grow, leaving aside what comes and goes: the
// median of the slopes between any two values, per value (Theil and Sen). A few
// values far off, such as of a buffer in use just then, do not bend it.
func steady(values []float64) float64 {
	var slopes []float64
	for i, v := range values {
		for j := range i {
			slopes = append(slopes, (v-values[j])/float64(i-j))
		}
	}
	slices.Sort(slopes)
	n := len(slopes)
	return (slopes[(n-1)/2] + slopes[n/2]) / 2
}

func TestSteady(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{1, 2, 3, 4}, 1}, {[]float64{5, 5, 5}, 0}, {[]float64{1, -1, -1, 1}, 0}, {[]float64{2, 4, 6, 50, 10, 12}, 2}, {[]float64{3, 3, 9, 3, 3}, 0}} {
		if got := steady(c.values); got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("slope of %v is %g, want %g", c.values, got, c.want)
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
	rate := runtime.MemProfileRate
	runtime.MemProfileRate = blockRate
	t.Cleanup(func() { runtime.MemProfileRate = rate })
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

// atRest is the least of several weighings: what lies in memory at every moment.
// A buffer that is in use just then comes and goes; what leaks stays.
func (f *footprint) atRest(g footprint) {
	if f.goroutines == 0 {
		*f = g
		return
	}
	f.goroutines, f.files = min(f.goroutines, g.goroutines), min(f.files, g.files)
	f.heapMB = min(f.heapMB, g.heapMB)
	if g.rssMB < f.rssMB {
		f.rssMB, f.goMB, f.fileMB, f.parts = g.rssMB, g.goMB, g.fileMB, g.parts
	}
	f.blocksMB = max(f.blocksMB, g.blocksMB)
}

// What a robot does in a day leaves nothing behind. make soak-day runs 24 hours
// of the robot's time; here it is a short while.
func TestSoak(t *testing.T) {
	s := startSoak(t)
	s.pass(t, time.Second)
	s.minute(t) // what is made at first use is made
	const samples, weighings = 24, 4
	total := *soakFor
	began := s.clock.Now()
	wall := robot.NewSystemClock()
	wallBegan := wall.Now()
	var all []footprint
	for i := range samples {
		var f footprint
		for w := range weighings {
			part := time.Duration(i*weighings+w+1) * total / (samples * weighings)
			for s.clock.Now().Sub(began) < part {
				if total < samples*weighings*time.Minute {
					s.pass(t, total/(samples*weighings))
				} else {
					s.minute(t)
				}
			}
			f.atRest(weigh(t))
		}
		all = append(all, f)
		s.keepProfile(t, i+1)
		if testing.Verbose() {
			t.Logf("%5.1f h  %d goroutines  %d files  heap %.2f MB beside %.1f MB of blocks  resident %.1f MB (file %.1f, Go %.1f: %s)  (%.0f s of ours)",
				s.clock.Now().Seconds()/3600, f.goroutines, f.files, f.heapMB, f.blocksMB, f.rssMB, f.fileMB, f.goMB, f.parts, wall.Now().Sub(wallBegan).Seconds())
		}
	}
	if s.moved < 0.5 {
		t.Errorf("the joints moved by %g rad in all", s.moved)
	}
	for i := range all {
		if all[i].blocksMB > mostBlocksMB {
			t.Errorf("the broker keeps %.1f MB of blocks in memory, want %.1f at most", all[i].blocksMB, mostBlocksMB)
		}
	}
	// The first third fills caches and pools.
	flat(t, all[samples/3:], samples)
}

// keepProfile writes what lies on the heap after so many samples, if a folder for
// it was named: go tool pprof -base of one and another shows what grew.
func (s *soak) keepProfile(t *testing.T, sample int) {
	t.Helper()
	if *soakProfiles == "" || sample%4 != 0 {
		return
	}
	f, err := os.Create(filepath.Join(*soakProfiles, fmt.Sprintf("heap-%02d.pb.gz", sample)))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(pprof.Lookup("heap").WriteTo(f, 0), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// flat fails if something grows so that a whole run of so many samples would
// bring it beyond its bound.
func flat(t *testing.T, all []footprint, samples int) {
	t.Helper()
	for _, c := range []struct {
		name string
		of   func(footprint) float64
		most float64
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
		grows := steady(values) * float64(samples)
		t.Logf("%s: %.1f at the end, grows by %.2f over such a run", c.name, values[len(values)-1], grows)
		if grows > c.most {
			t.Errorf("%s grows by %.2f over such a run, want %.1f at most: %.1f", c.name, grows, c.most, values)
		}
	}
}
