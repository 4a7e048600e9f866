package daemon

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/fusion/vla"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/cuda"
	"github.com/kuai-robot/kuai/kernels/cuda/emulate"
	"github.com/kuai-robot/kuai/kernels/cuda/gpu"
	"github.com/kuai-robot/kuai/policy/learned"
	"github.com/kuai-robot/kuai/robot"
)

// failing is the emulated GPU, until a launch in the middle of a run fails after a
// while in which nothing is heard of it.
type failing struct {
	*emulate.Emulator
	runs          int // until then
	hangs, giveUp chan struct{}
	lost          bool
}

func (f *failing) fail() error { return fmt.Errorf("emulator: %w", cuda.ErrLost) }

// Record implements cuda.Driver.
func (f *failing) Record(commands []cuda.Command) (cuda.Recording, error) {
	whole, err := f.Emulator.Record(commands)
	if err != nil {
		return nil, err
	}
	half, err := f.Emulator.Record(commands[:len(commands)/2])
	return &failingRun{whole, half, f}, err
}

// Download implements cuda.Driver.
func (f *failing) Download(to []byte, from cuda.Ptr) error {
	if f.lost {
		return f.fail()
	}
	return f.Emulator.Download(to, from)
}

type failingRun struct {
	cuda.Recording
	half  cuda.Recording
	owner *failing
}

// Run implements cuda.Recording.
func (r *failingRun) Run() error {
	f := r.owner
	if f.runs--; f.runs >= 0 {
		return r.Recording.Run()
	}
	if err := r.half.Run(); err != nil {
		return err
	}
	close(f.hangs)
	<-f.giveUp
	f.lost = true
	return f.fail()
}

// Close implements cuda.Recording.
func (r *failingRun) Close() error { return errors.Join(r.Recording.Close(), r.half.Close()) }

// TestGPULostInTheMiddleOfARun: while the card says nothing the loop goes on and
// holds the arm, since no chunk comes; then the processor computes that very chunk, and
// one event says why.
func TestGPULostInTheMiddleOfARun(t *testing.T) {
	if testing.Short() {
		t.Skip("two runs of a policy on the emulator")
	}
	e, err := emulate.New(emulate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() }) // after the sessions
	device, said := &failing{Emulator: e, runs: 1, hangs: make(chan struct{}), giveUp: make(chan struct{})}, &notices{}
	processor := cpu.New(cpu.Options{Threads: 1})
	first := predictor(t, processor)
	want := predict(t, first)
	session := predictor(t, onGPU(func(gpu.Options) (cuda.Driver, error) { return device, nil }, processor, said.add))
	alike(t, "on the card", predict(t, session), want)

	came := make(chan []float64, 1)
	go func() { came <- predict(t, session) }()
	<-device.hangs
	clock := robot.NewManualClock(time.Unix(0, 0), robot.Time(time.Second))
	arm := drivertest.Arm()
	limits, err := safety.Compile(arm, safety.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	loop, err := control.New(limits, drivertest.NewPlant(arm, clock, 0), clock, control.Config{})
	if err != nil {
		t.Fatal(err)
	}
	loop.Submit(robot.Chunk{
		ID: 1, Source: robot.SourcePolicy, ObservedAt: clock.Now(), Start: clock.Now(), Step: 100 * time.Millisecond,
		Expires: clock.Now().Add(time.Second), Actions: []robot.Joints{arm.Home(), arm.Home(), arm.Home()},
	})
	for range 200 {
		clock.Advance(10 * time.Millisecond)
		loop.Tick()
	}
	if v := loop.Status().Verdict; v.Mode != safety.Held || v.Code != safety.SourceSilent {
		t.Errorf("two seconds later the loop says %v, %v", v.Mode, v.Code)
	}
	if len(came) > 0 {
		t.Error("the chunk came while the card hung")
	}
	close(device.giveUp)
	alike(t, "from the processor, in the same run", <-came, want)
	alike(t, "from the processor", predict(t, session), want)
	var heard []error
	said.listen(func(err error) { heard = append(heard, err) })
	if len(heard) != 1 || !errors.Is(heard[0], cuda.ErrLost) {
		t.Errorf("heard %v, want that the GPU is lost, once", heard)
	}
}

// predictor opens the policy that comes with kuai.
func predictor(t *testing.T, b kernels.Backend) *vla.Session {
	t.Helper()
	folder := learned.Weights()
	c, err := vla.ReadConfig(folder)
	if err != nil {
		t.Fatal(err)
	}
	p, err := vla.OpenFS(folder, &robot.Description{Name: c.Robot}, b, kernels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.NewSession(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// predict gives the moves and the ends of a chunk for one picture.
func predict(t *testing.T, s *vla.Session) (all []float64) {
	picture := &robot.Frame{Width: 160, Height: 120, Pixels: make([]byte, 3*160*120)}
	for i := range picture.Pixels {
		picture.Pixels[i] = byte(i * i >> 7)
	}
	out, err := s.Predict(context.Background(), &vla.Input{Front: picture, Wrist: picture, Phrase: "pick up the red block"})
	if err != nil {
		t.Error(err)
		return nil
	}
	for _, m := range out.Moves {
		all = append(all, m.X, m.Y, m.Z, m.Tilt, m.Roll, m.Grip)
	}
	return append(all, out.Done...)
}

func alike(t *testing.T, where string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", where, len(got), len(want))
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 0.02 {
			t.Errorf("%s: number %d is %g, want %g", where, i, got[i], want[i])
		}
	}
}
