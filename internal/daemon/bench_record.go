package daemon

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/robot"
)

// What is recorded to measure: three cameras and the ticks of a control loop.
const (
	recordCameras = 3
	recordWidth   = 640
	recordHeight  = 480
	recordFPS     = 30
	recordTicksHz = 500
	recordTime    = 8 * time.Second
)

// benchRecord gives what recording costs, with pictures as cameras send them and
// with pixels that have yet to become JPEG.
func benchRecord(ctx context.Context, c *config.Config) (rows []bench.Row, err error) {
	pixels := texture(recordWidth, recordHeight)
	file, err := jpeg.Encode(pixels, recordWidth, recordHeight, 80)
	if err != nil {
		return nil, err
	}
	dropped := uint64(0)
	for _, kind := range []struct {
		name  string
		frame robot.Frame
	}{
		{"record.cpu", robot.Frame{Width: recordWidth, Height: recordHeight, JPEG: file}},
		{"record.cpu_pixels", robot.Frame{Width: recordWidth, Height: recordHeight, Pixels: pixels}},
	} {
		share, lost, err := recordCost(ctx, c, kind.frame)
		if err != nil {
			return nil, err
		}
		dropped += lost
		rows = append(rows, bench.Row{Name: kind.name, Value: share, Bar: "<0.4"})
	}
	return append(rows, bench.Row{Name: "record.dropped", Value: float64(dropped), Bar: "<=0"}), nil
}

// texture gives a picture with as much detail as a table has.
func texture(width, height int) []byte {
	rgb := make([]byte, 3*width*height)
	noise := uint32(1)
	for i := range rgb {
		noise = noise*1664525 + 1013904223
		rgb[i] = byte(i/(3*width)/3+i%(3*width)/11) + byte(noise>>29)
	}
	return rgb
}

// recordCost records for recordTime and gives the share of one core that the
// process used, and how many samples were lost.
func recordCost(ctx context.Context, c *config.Config, frame robot.Frame) (share float64, lost uint64, err error) {
	dir, err := os.MkdirTemp("", "kuai-record-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	description, err := readDescription(c)
	if err != nil {
		return 0, 0, err
	}
	clock := robot.NewSystemClock()
	recorder, err := record.Open(record.Options{Dir: dir, Clock: clock, Description: description, JSONSchemas: recordingSchemas()})
	if err != nil {
		return 0, 0, err
	}
	r := &recording{recorder: recorder, loop: replay.NewWatcher(recorder, clock, len(description.Joints))}
	ctx, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	before, began := processTime(), clock.Now()
	var group errgroup.Group
	group.Go(func() error { return r.Run(ctx) })
	group.Go(func() error { feedTicks(ctx, r.loop, clock); return nil })
	group.Go(func() error { feedFrames(ctx, recorder, clock, frame); return nil })
	err = group.Wait()
	counts := r.loop.Counts()
	return (processTime() - before).Seconds() / clock.Now().Sub(began).Seconds(), counts.Dropped + counts.DroppedTicks, err
}

func feedTicks(ctx context.Context, w *replay.Watcher, clock robot.Clock) {
	t := control.Tick{}
	for due := clock.Now(); clock.Wait(ctx, due) == nil; due = due.Add(time.Second / recordTicksHz) {
		t.Number++
		t.Command.At, t.State.At = clock.Now(), clock.Now()
		for i := range t.State.Position {
			// Numbers with all their digits, as an encoder's are.
			t.State.Position[i] = float64(t.Number) / 7919 * float64(i+1)
			t.Command.Position[i], t.State.Velocity[i], t.State.Effort[i] = t.State.Position[i]*1.01, t.State.Position[i]*0.3, t.State.Position[i]*0.7
		}
		w.Ticked(&t)
	}
}

func feedFrames(ctx context.Context, out *record.Recorder, clock robot.Clock, frame robot.Frame) {
	names := [recordCameras]string{"front", "wrist", "side"}
	for due := clock.Now(); clock.Wait(ctx, due) == nil; due = due.Add(time.Second / recordFPS) {
		for _, name := range names {
			f := frame
			f.Camera, f.At = name, clock.Now()
			out.Frame(f)
		}
	}
}

// processTime gives the processor time of this process.
func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
