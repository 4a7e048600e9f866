//go:build !noopencv

package camera

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"github.com/kuai-robot/kuai/robot"
)

const fileRate = 20 // pictures a second; 50 ms each

// recording writes a video file of n pictures.
func recording(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "front.avi")
	w, err := gocv.VideoWriterFile(path, "MJPG", fileRate, 320, 240, true)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	rgb, err := gocv.NewMatFromBytes(240, 320, gocv.MatTypeCV8UC3, paint(320, 240))
	if err != nil {
		t.Fatal(err)
	}
	defer rgb.Close()
	bgr := gocv.NewMat()
	defer bgr.Close()
	gocv.CvtColor(rgb, &bgr, gocv.ColorBGRToRGB)
	for range n {
		if err := w.Write(bgr); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// playFile plays a file while the test moves the clock, and gives the frames.
func playFile(t *testing.T, cfg Config, want int) ([]robot.Frame, []Report, error) {
	t.Helper()
	clock := robot.NewManualClock(time.Unix(1, 0), 1)
	var frames []robot.Frame
	var reports []Report
	cfg.Name = "front"
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	c, err := New(cfg, clock, func(f robot.Frame) {
		if frames = append(frames, f); len(frames) == want {
			stop()
		}
	}, func(r Report) { reports = append(reports, r) })
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	var result error
	until(t, "Run has ended", func() bool {
		select {
		case result = <-ended:
			return true
		default:
		}
		if clock.Waiting() == 2 { // the file and the watch
			clock.Advance(10 * time.Millisecond)
		}
		return false
	})
	return frames, reports, result
}

func TestAFilePlaysAtItsOwnRate(t *testing.T) {
	frames, reports, err := playFile(t, Config{URL: "file:" + recording(t, 5)}, -1)
	if err != nil {
		t.Fatal(err)
	}
	if len(frames) != 5 {
		t.Fatalf("%d frames, want 5", len(frames))
	}
	for i, f := range frames {
		if want := robot.Time(1).Add(time.Duration(i) * time.Second / fileRate); f.At != want || f.Estimated {
			t.Errorf("frame %d at %v (estimated: %v), want %v", i, f.At, f.Estimated, want)
		}
		checkColours(t, 320, 240, f.Pixels, 12)
	}
	if last := reports[len(reports)-1]; len(reports) != 2 || reports[0].State != Live || last.State != Ended {
		t.Errorf("reports %+v, want live and ended", reports)
	}
}

func TestAFileThatLoops(t *testing.T) {
	frames, _, err := playFile(t, Config{URL: "file:" + recording(t, 3), Loop: true}, 8)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for i, f := range frames {
		if want := robot.Time(1).Add(time.Duration(i) * time.Second / fileRate); f.At != want {
			t.Errorf("frame %d at %v, want %v", i, f.At, want)
		}
	}
}

// TestDevicesThatAreNotThere looks at the first report.
func TestDevicesThatAreNotThere(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text.avi")
	write(t, text, "this is not a video")
	for url, want := range map[string]string{
		"usb:250":            "camera front: usb /dev/video250: stat /dev/video250: no such file or directory (is the camera plugged in?",
		"file:/nowhere.avi":  "camera front: stat /nowhere.avi: no such file",
		"file:" + text:       "not a video that FFmpeg can read",
		"file:relative.avi":  "relative.avi",
		"rtsp://127.0.0.1:1": "connection refused",
	} {
		reports := make(chan Report, 10)
		c, err := New(Config{Name: "front", URL: url}, robot.NewManualClock(time.Unix(1, 0), 1), nil, func(r Report) { reports <- r })
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		if r := next(t, "report", reports); r.State != Lost || !strings.Contains(r.Err.Error(), want) {
			t.Errorf("%s: report %+v, want lost with %q", url, r, want)
		}
		stop()
		next(t, "end", ended)
	}
}
