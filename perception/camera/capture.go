//go:build !noopencv

package camera

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"strconv"
	"time"

	"gocv.io/x/gocv"

	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/perception/rtsp"
	"github.com/kuai-robot/kuai/robot"
)

// usbSource reads a V4L2 camera through OpenCV.
type usbSource struct {
	cfg    Config
	clock  robot.Clock
	number int
}

func newUSBSource(cfg Config, clock robot.Clock) (source, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(u.Opaque, 10, 8)
	if err != nil {
		return nil, fmt.Errorf("url %q: the number of /dev/video is missing (usb:0)", cfg.URL)
	}
	return &usbSource{cfg: cfg, clock: clock, number: int(number)}, nil
}

func (s *usbSource) play(ctx context.Context, out sink) error {
	device := fmt.Sprintf("/dev/video%d", s.number)
	if _, err := os.Stat(device); err != nil {
		return fmt.Errorf("usb %s: %w (is the camera plugged in? see kuai doctor)", device, err)
	}
	capture, err := gocv.VideoCaptureDeviceWithAPI(s.number, gocv.VideoCaptureV4L2)
	if err != nil {
		return fmt.Errorf("usb %s: cannot be opened (is another program using it, and are you in the group video?)", device)
	}
	defer capture.Close()
	s.configure(capture)

	// The driver stamps each buffer on the kernel's monotonic clock, which has
	// another zero than ours: the Stamper takes it for a 1 MHz RTP clock that
	// nobody reports on.
	stamper := rtsp.NewStamper(1_000_000, s.clock.Epoch())
	mat, rgb := gocv.NewMat(), gocv.NewMat()
	defer mat.Close()
	defer rgb.Close()
	for ctx.Err() == nil {
		if !capture.Read(&mat) || mat.Empty() {
			return fmt.Errorf("usb %s: no picture any more (was it unplugged?)", device)
		}
		arrival := s.clock.Now()
		stamp := rtsp.Stamp{At: arrival, Estimated: true}
		if ms := capture.Get(gocv.VideoCapturePosMsec); ms > 0 {
			stamp = stamper.Stamp(uint32(uint64(ms*1000)), arrival)
		}
		deliverMat(mat, &rgb, stamp, out)
	}
	return ctx.Err()
}

func (s *usbSource) configure(capture *gocv.VideoCapture) {
	set := func(property gocv.VideoCaptureProperties, v float64) {
		if v > 0 {
			capture.Set(property, v)
		}
	}
	set(gocv.VideoCaptureFrameWidth, float64(s.cfg.Width))
	set(gocv.VideoCaptureFrameHeight, float64(s.cfg.Height))
	set(gocv.VideoCaptureFPS, s.cfg.Rate)
	set(gocv.VideoCaptureBufferSize, 1) // a longer queue holds older pictures
}

// fileSource plays a video file at its own rate.
type fileSource struct {
	clock robot.Clock
	path  string
	loop  bool
}

func newFileSource(cfg Config, clock robot.Clock) (source, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	path := u.Path
	if path == "" {
		path = u.Opaque
	}
	if path == "" {
		return nil, fmt.Errorf("url %q names no file (file:path)", cfg.URL)
	}
	return &fileSource{clock: clock, path: path, loop: cfg.Loop}, nil
}

func (s *fileSource) play(ctx context.Context, out sink) error {
	start := s.clock.Now()
	for {
		played, err := s.once(ctx, start, out)
		if err != nil {
			return err
		}
		if !s.loop {
			return errOver
		}
		start = start.Add(played)
	}
}

// once plays the file from start and gives how long it lasts.
func (s *fileSource) once(ctx context.Context, start robot.Time, out sink) (time.Duration, error) {
	if _, err := os.Stat(s.path); err != nil {
		return 0, err
	}
	capture, err := gocv.VideoCaptureFileWithAPI(s.path, gocv.VideoCaptureFFmpeg)
	if err != nil {
		return 0, fmt.Errorf("file %s: not a video that FFmpeg can read", s.path)
	}
	defer capture.Close()
	rate := capture.Get(gocv.VideoCaptureFPS)
	if math.IsNaN(rate) || rate < 0.1 || rate > 1000 {
		return 0, fmt.Errorf("file %s: %v pictures a second", s.path, rate)
	}
	mat, rgb := gocv.NewMat(), gocv.NewMat()
	defer mat.Close()
	defer rgb.Close()
	for n := 0; ; n++ {
		position := time.Duration(float64(n) / rate * float64(time.Second))
		if !capture.Read(&mat) || mat.Empty() {
			if n == 0 {
				return 0, fmt.Errorf("file %s: holds no picture", s.path)
			}
			return position, nil
		}
		due := start.Add(position)
		if err := s.clock.Wait(ctx, due); err != nil {
			return 0, err
		}
		deliverMat(mat, &rgb, rtsp.Stamp{At: due}, out)
	}
}

func deliverMat(bgr gocv.Mat, rgb *gocv.Mat, stamp rtsp.Stamp, out sink) {
	if bgr.Channels() != 3 || bgr.Rows() > jpeg.MaxSide || bgr.Cols() > jpeg.MaxSide {
		out.corrupt(errors.New("opencv: not a colour picture of a sane size"))
		return
	}
	gocv.CvtColor(bgr, rgb, gocv.ColorBGRToRGB)
	out.deliver(picture{stamp: stamp, width: rgb.Cols(), height: rgb.Rows(), pixels: rgb.ToBytes()})
}
