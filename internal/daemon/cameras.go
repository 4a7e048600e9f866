package daemon

import (
	"context"
	"sync"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/perception/camera"
	"github.com/kuai-robot/kuai/robot"
)

// watched is a camera and its rate.
type watched struct {
	name   string
	camera *camera.Camera

	mu     sync.Mutex
	frames uint64
	at     robot.Time
}

// rate gives the pictures a second since it was last asked.
func (w *watched) rate(frames uint64, now robot.Time) float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	var rate float64
	if w.at != 0 && now > w.at {
		rate = float64(frames-w.frames) / now.Sub(w.at).Seconds()
	}
	w.frames, w.at = frames, now
	return rate
}

// newCameras makes the cameras of the configuration; they connect in Run.
func (d *Daemon) newCameras(configs []config.Camera) error {
	for i := range configs {
		c := &configs[i]
		cam, err := camera.New(camera.Config{
			Name: c.Name, URL: c.URL, UDP: c.UDP, Width: c.Width, Height: c.Height, Rate: c.RateHz,
			Loop: c.Loop, Freeze: c.Freeze, Still: c.Still,
		}, d.clock, d.frame, d.cameraReport)
		if err != nil {
			return err
		}
		d.cameras = append(d.cameras, &watched{name: c.Name, camera: cam})
	}
	return nil
}

// frame takes a picture from a camera.
func (d *Daemon) frame(f robot.Frame) {
	d.sensors.Frame(f)
	if d.page != nil {
		d.page.Show(f)
	}
	if d.recording != nil {
		d.recording.recorder.Frame(f)
	}
}

// cameraReport says when a camera came, froze or went.
func (d *Daemon) cameraReport(r camera.Report) {
	if r.Err == nil {
		d.log.Info("camera", "camera", r.Camera, "state", r.State)
		return
	}
	d.log.Warn("camera", "camera", r.Camera, "state", r.State, "error", r.Err, "retry", r.Retry)
	if p := robot.PanicIn(r.Err); p != nil {
		d.broke("camera "+r.Camera, p, false)
	}
	d.event(topics.Event{Kind: topics.EventWarning, Reason: r.Err.Error()})
}

// watch plays one camera until ctx ends. A file that is over is no failure.
func (w *watched) watch(ctx context.Context) error {
	if err := w.camera.Run(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}
