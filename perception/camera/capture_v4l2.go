//go:build noopencv

package camera

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/perception/rtsp"
	"github.com/kuai-robot/kuai/robot"
)

// usbSource reads a V4L2 camera without OpenCV, for systems whose OpenCV is not
// the one that kuai was built with.
type usbSource struct {
	cfg    Config
	clock  robot.Clock
	number int
	system v4l2System
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
	return &usbSource{cfg: cfg, clock: clock, number: int(number), system: kernelV4L2{}}, nil
}

// noticeWithin is how soon the end of the context is noticed, silentFor how long
// a camera may send nothing before it counts as unplugged.
const (
	noticeWithin = 100 * time.Millisecond
	silentFor    = 5 * time.Second
)

func (s *usbSource) play(ctx context.Context, out sink) error {
	device := fmt.Sprintf("/dev/video%d", s.number)
	if _, err := os.Stat(device); err != nil {
		return fmt.Errorf("usb %s: %w (is the camera plugged in? see kuai doctor)", device, err)
	}
	v, err := openV4L2(s.system, device, s.cfg.Width, s.cfg.Height, s.cfg.Rate)
	if err != nil {
		return fmt.Errorf("usb %s: %w (is another program using it, and are you in the group video?)", device, err)
	}
	defer v.close()
	// The driver stamps each buffer on the kernel's monotonic clock, which has
	// another zero than ours: the Stamper takes it for a 1 MHz RTP clock that
	// nobody reports on.
	stamper := rtsp.NewStamper(1_000_000, s.clock.Epoch())
	heard := s.clock.Now()
	for ctx.Err() == nil {
		ready, err := v.wait(noticeWithin)
		switch {
		case err == nil && !ready && s.clock.Now().Sub(heard) < silentFor:
			continue
		case err != nil || !ready:
			return errors.Join(fmt.Errorf("usb %s: no picture any more (was it unplugged?)", device), err)
		}
		heard = s.clock.Now()
		if err := s.take(v, stamper, heard, out); err != nil {
			return fmt.Errorf("usb %s: %w", device, err)
		}
	}
	return ctx.Err()
}

// take delivers the picture that is ready and gives its buffer back.
func (s *usbSource) take(v *v4l2, stamper *rtsp.Stamper, arrival robot.Time, out sink) error {
	b, data, err := v.dequeue()
	if err != nil {
		return err
	}
	stamp := rtsp.Stamp{At: arrival, Estimated: true}
	if b.monotonic() {
		stamp = stamper.Stamp(uint32(b.micros()), arrival)
	}
	width, height, rgb, err := v.decode(data)
	if err != nil {
		out.corrupt(err)
	} else {
		out.deliver(picture{stamp: stamp, width: width, height: height, pixels: rgb})
	}
	return v.enqueue(b.index)
}

// decode gives the pixels of a buffer.
func (v *v4l2) decode(data []byte) (width, height int, rgb []byte, err error) {
	if v.format.pixels == formatMJPG {
		return jpeg.Decode(data)
	}
	width, height = int(v.format.width), int(v.format.height)
	rgb, err = yuyvToRGB(data, width, height, int(v.format.stride))
	return width, height, rgb, err
}

// yuyvToRGB converts YCbCr 4:2:2 of ITU-R BT.601, studio range, as UVC cameras
// send it.
func yuyvToRGB(data []byte, width, height, stride int) ([]byte, error) {
	if width < 2 || height < 1 || width%2 != 0 || width > jpeg.MaxSide || height > jpeg.MaxSide || stride < 2*width {
		return nil, fmt.Errorf("v4l2: a picture of %d×%d pixels, %d bytes a row", width, height, stride)
	}
	if len(data) < stride*(height-1)+2*width {
		return nil, fmt.Errorf("v4l2: %d bytes are not a picture of %d×%d", len(data), width, height)
	}
	rgb := make([]byte, 0, 3*width*height)
	for y := range height {
		row := data[y*stride : y*stride+2*width]
		for x := 0; x < len(row); x += 4 {
			cb, cr := int(row[x+1])-128, int(row[x+3])-128
			for _, luma := range [2]int{int(row[x]), int(row[x+2])} {
				c := 298 * (luma - 16)
				rgb = append(rgb, clamp8(c+409*cr), clamp8(c-100*cb-208*cr), clamp8(c+516*cb))
			}
		}
	}
	return rgb, nil
}

func clamp8(v int) byte { return byte(min(max((v+128)>>8, 0), 255)) }

// newFileSource refuses: video files are read by OpenCV.
func newFileSource(cfg Config, _ robot.Clock) (source, error) {
	return nil, fmt.Errorf("url %q: this kuai was built without OpenCV, which reads video files (serve the file over RTSP)", cfg.URL)
}
