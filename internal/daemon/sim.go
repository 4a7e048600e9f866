package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/realtime"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/rtsp"
	"github.com/kuai-robot/kuai/sim/world"
)

// simulation stands where the hardware does: the arm, the table, and cameras
// that are served over RTSP as an IP camera's pictures are.
type simulation struct {
	config *config.Sim
	clock  robot.Clock
	log    *slog.Logger
	world  simulated
	server *rtsp.Server
}

func newSimulation(c *config.Sim, clock robot.Clock, log *slog.Logger) (*simulation, error) {
	w, err := newWorld(c)
	if err != nil {
		return nil, fmt.Errorf("sim: %w", err)
	}
	if err := w.Reset(c.Seed, world.Spec{}); err != nil {
		return nil, errors.Join(fmt.Errorf("sim: %w", err), w.Close())
	}
	server, err := rtsp.New(rtsp.Options{Listen: c.RTSP.Listen, Clock: clock, Cameras: w.Cameras()})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sim.rtsp.listen %s: %w", c.RTSP.Listen, err), w.Close())
	}
	return &simulation{config: c, clock: clock, log: log, world: w, server: server}, nil
}

// Run steps the physics in real time and serves the cameras until ctx ends.
func (s *simulation) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, run := range []func(context.Context) error{s.live, s.serve, s.film} {
		group.Go(func() error { return robot.Guard(func() error { return run(ctx) }) })
	}
	return group.Wait()
}

// physicsPriority lies below the control loop's, whose sensors this is.
const physicsPriority = 10

// live steps the physics on a thread of its own: a real arm does not wait for a
// busy processor either. The goroutine ends with it, and so does the thread.
func (s *simulation) live(ctx context.Context) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		// A thread that comes back from the simulator's C code needs a slot of the
		// Go runtime, and must not wait for one until a thread that the system
		// has put aside gives it up.
		runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), runtime.NumCPU()+4))
		s.log.Debug("physics", "thread", realtime.Prioritise(physicsPriority))
		done <- robot.Guard(func() error { return s.world.Run(ctx, realtime.Clock{Clock: s.clock}) })
	}()
	return <-done
}

// serve answers who watches the cameras. That nobody answers any more is
// reported, and is to the robot what a broken camera is: it goes on.
func (s *simulation) serve(ctx context.Context) error {
	if err := s.server.Run(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("the simulated cameras are gone", "error", err)
	}
	<-ctx.Done()
	return ctx.Err()
}

// film renders each watched camera at the configured rate. A picture that
// cannot be drawn is reported once and tried again, since the arm moves well
// without it.
func (s *simulation) film(ctx context.Context) error {
	period := time.Duration(float64(time.Second) / s.config.Camera.RateHz)
	rgb := make([]byte, 3*s.config.Camera.Width*s.config.Camera.Height)
	var said string
	for due := s.clock.Now(); ; due = max(due.Add(period), s.clock.Now()) {
		if err := s.clock.Wait(ctx, due); err != nil {
			return err
		}
		for _, name := range s.world.Cameras() {
			if !s.server.Watched(name) {
				continue
			}
			if err := s.shoot(name, rgb); err != nil && err.Error() != said {
				said = err.Error()
				s.log.Error("the simulated camera gives no picture", "camera", name, "error", err)
			}
		}
	}
}

func (s *simulation) shoot(name string, rgb []byte) error {
	c := &s.config.Camera
	at, err := s.world.Capture(name, c.Width, c.Height, rgb)
	if err != nil {
		return err
	}
	return s.server.Publish(&robot.Frame{Camera: name, At: at, Width: c.Width, Height: c.Height, Pixels: rgb})
}

// Close frees the world.
func (s *simulation) Close() error {
	s.server.Close()
	return s.world.Close()
}
