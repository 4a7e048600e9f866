package control_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
)

// tape keeps what a watcher is told.
type tape struct {
	orders map[uint64]control.Order
	ticks  []control.Tick
}

func (w *tape) Ordered(o *control.Order) { w.orders[o.Number] = *o }
func (w *tape) Ticked(t *control.Tick)   { w.ticks = append(w.ticks, *t) }

// flaky is a driver that fails now and then.
type flaky struct {
	control.Driver
	random *rand.Rand
}

var errFlaky = errors.New("now and then")

func (f *flaky) Read() (robot.State, error) {
	if f.random.IntN(20) == 0 {
		return robot.State{}, errFlaky
	}
	return f.Driver.Read()
}

func (f *flaky) Write(c *robot.Command) error {
	if f.random.IntN(20) == 0 {
		return errFlaky
	}
	return f.Driver.Write(c)
}

// wild runs a loop for n ticks under chunks, set-points, holds, stops, resets,
// late ticks and a flaky driver, all drawn from seed.
func wild(t *testing.T, seed uint64, n int) *tape {
	random := rand.New(rand.NewPCG(seed, 1))
	w := &tape{orders: map[uint64]control.Order{}}
	r := newRig(t, control.Config{})
	r.loop = newLoop(t, r.desc, &flaky{r.plant, random}, r.clock, control.Config{Watcher: w, AfterRestart: seed%2 == 1})
	r.run(3)
	for i := range n {
		switch random.IntN(12) {
		case 0, 1:
			r.loop.Submit(r.swing(uint64(i), 0, 10, 20*time.Millisecond, random.Float64()-0.5))
		case 2:
			r.loop.Hold(robot.SourcePolicy)
		case 3:
			r.loop.Steer(control.Setpoint{At: r.clock.Now(), Expires: r.clock.Now().Add(200 * time.Millisecond), Joints: robot.Joints{random.Float64() - 0.5}, ByVelocity: random.IntN(2) == 0})
		case 4:
			if random.IntN(4) == 0 {
				r.loop.Stop("drawn")
			}
		case 5:
			_ = r.loop.Reset() // refused or not
			if random.IntN(2) == 0 {
				r.loop.Pause(time.Duration(random.IntN(100)) * time.Millisecond)
			}
		case 6:
			r.loop.Release()
		case 7, 8:
			r.loop.Engage()
		case 9:
			if random.IntN(5) == 0 {
				r.clock.Advance(70 * time.Millisecond)
			}
		}
		r.run(1)
	}
	return w
}

func newReplayer(t *testing.T) *control.Replayer {
	t.Helper()
	limits, err := safety.Compile(drivertest.Arm(), safety.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	r, err := control.NewReplayer(limits, control.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReplayGivesTheSameBits(t *testing.T) {
	moved, stopped := 0, 0
	for seed := range uint64(20) {
		w, r := wild(t, seed, 400), newReplayer(t)
		for n, o := range w.orders {
			if n != o.Number {
				t.Fatalf("order %d is kept as %d", o.Number, n)
			}
			r.Order(&o)
		}
		for i := range w.ticks {
			was := &w.ticks[i]
			is, err := r.Tick(was)
			if err != nil {
				t.Fatal(err)
			}
			if is != *was {
				t.Fatalf("seed %d, tick %d:\n%+v, recorded\n%+v", seed, i, is, *was)
			}
			switch was.Verdict.Mode {
			case safety.Moving:
				moved++
			case safety.Stopped:
				stopped++
			}
		}
	}
	if moved < 100 || stopped < 100 {
		t.Errorf("%d ticks moved and %d were stopped: the test looks at too little", moved, stopped)
	}
}

func TestReplaySeesADifference(t *testing.T) {
	w, r := wild(t, 3, 50), newReplayer(t)
	for _, o := range w.orders {
		r.Order(&o)
	}
	for i := range w.ticks {
		was := w.ticks[i]
		was.State.Position[0] += 0.3
		is, err := r.Tick(&was)
		if err != nil {
			t.Fatal(err)
		}
		if is.Command != was.Command {
			return
		}
	}
	t.Error("joints elsewhere gave the same commands")
}

func TestReplayRefusesHoles(t *testing.T) {
	w := wild(t, 3, 50)
	r := newReplayer(t)
	if _, err := r.Tick(&w.ticks[1]); err == nil {
		t.Error("a recording without its first tick was replayed")
	}
	for i := range w.ticks {
		if _, err := r.Tick(&w.ticks[i]); err != nil {
			return
		}
	}
	t.Error("a recording without its orders was replayed")
}

func TestWatchingAllocatesNothing(t *testing.T) {
	r := newRig(t, control.Config{})
	var last control.Tick
	r.loop = newLoop(t, r.desc, r.plant, r.clock, control.Config{Watcher: keep{&last}})
	r.run(10)
	if n := testing.AllocsPerRun(100, func() { r.loop.Tick() }); n != 0 {
		t.Errorf("%g allocations a tick", n)
	}
	if last.Number < 100 {
		t.Errorf("the watcher saw %d ticks", last.Number)
	}
}

type keep struct{ last *control.Tick }

func (k keep) Ordered(*control.Order) {}
func (k keep) Ticked(t *control.Tick) { *k.last = *t }
