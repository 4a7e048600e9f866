//go:build noopencv

package camera

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/robot"
)

// fakeV4L2 is a camera that has pictures ready, then none.
type fakeV4L2 struct {
	t        *testing.T
	formats  map[uint32]bool
	pictures [][]byte
	memory   [buffers][]byte
	queued   []uint32
	open_    bool
	width    uint32
	lies     bool // about how much a buffer holds
}

func (f *fakeV4L2) open(string) (int, error) { f.open_ = true; return 7, nil }
func (f *fakeV4L2) close(int) error          { f.open_ = false; return nil }
func (f *fakeV4L2) munmap([]byte) error      { return nil }

func (f *fakeV4L2) mmap(_ int, offset int64, length int) ([]byte, error) {
	f.memory[offset] = make([]byte, length)
	return f.memory[offset], nil
}

func (f *fakeV4L2) poll(int, time.Duration) (bool, error) {
	if len(f.pictures) == 0 {
		return false, errors.New("the device is gone")
	}
	return true, nil
}

func (f *fakeV4L2) ioctl(_ int, request uint, argument unsafe.Pointer) error {
	switch request {
	case vidiocSetFormat:
		a := (*v4l2Format)(argument)
		if !f.formats[a.pixels] {
			a.pixels = 'G'
		}
		a.width, a.height, a.stride = f.width, 2, 2*f.width
	case vidiocRequest:
		(*v4l2Request)(argument).count = buffers
	case vidiocQuery:
		b := (*v4l2Buffer)(argument)
		b.offset, b.length = uint64(b.index), 1<<16|0xdead<<32 // what lies beside must not matter
	case vidiocQueue:
		f.queued = append(f.queued, (*v4l2Buffer)(argument).index)
	case vidiocDequeue:
		b := (*v4l2Buffer)(argument)
		if len(f.queued) == 0 {
			return unix.EAGAIN
		}
		b.index, f.queued = f.queued[0], f.queued[1:]
		b.used, b.flags = uint32(copy(f.memory[b.index], f.pictures[0])), stampedMonotonic
		b.seconds, b.microseconds = 5, 40_000
		if f.lies {
			b.used = 1 << 30
		}
		f.pictures = f.pictures[1:]
	case vidiocStreamOn, vidiocStreamOff, vidiocSetRate:
	default:
		f.t.Errorf("request %#x", request)
	}
	return nil
}

func TestLayoutsAreTheKernels(t *testing.T) {
	for name, size := range map[string][2]uintptr{
		"v4l2_format": {unsafe.Sizeof(v4l2Format{}), 208}, "v4l2_streamparm": {unsafe.Sizeof(v4l2Rate{}), 204},
		"v4l2_requestbuffers": {unsafe.Sizeof(v4l2Request{}), 20}, "v4l2_buffer": {unsafe.Sizeof(v4l2Buffer{}), 88},
	} {
		if size[0] != size[1] {
			t.Errorf("%s has %d bytes, the kernel's %d", name, size[0], size[1])
		}
	}
}

func TestV4L2Pictures(t *testing.T) {
	rgb := []byte{200, 30, 30, 200, 30, 30, 200, 30, 30, 200, 30, 30, 200, 30, 30, 200, 30, 30, 200, 30, 30, 200, 30, 30}
	file, err := jpeg.Encode(rgb, 4, 2, 95)
	if err != nil {
		t.Fatal(err)
	}
	// The same red in YCbCr.
	yuyv := strings.Repeat("\x51\x5a\x51\xf0", 4)
	for name, c := range map[string]struct {
		format uint32
		data   []byte
	}{"MJPG": {formatMJPG, file}, "YUYV": {formatYUYV, []byte(yuyv)}} {
		f := &fakeV4L2{t: t, formats: map[uint32]bool{c.format: true}, pictures: [][]byte{c.data, c.data, c.data}, width: 4}
		v, err := openV4L2(f, "/dev/video0", 4, 2, 30)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for range 3 {
			b, data, err := v.dequeue()
			if err != nil {
				t.Fatal(err)
			}
			width, height, pixels, err := v.decode(data)
			if err != nil || width != 4 || height != 2 || len(pixels) != 24 {
				t.Fatalf("%s: %d×%d, %d bytes, %v", name, width, height, len(pixels), err)
			}
			if pixels[0] < 180 || pixels[1] > 60 || pixels[2] > 60 {
				t.Errorf("%s: red is %v", name, pixels[:3])
			}
			if !b.monotonic() || b.micros() != 5_040_000 {
				t.Errorf("%s: stamped %d", name, b.micros())
			}
			if err := v.enqueue(b.index); err != nil {
				t.Fatal(err)
			}
		}
		if err := v.close(); err != nil || f.open_ {
			t.Errorf("%s: close gave %v", name, err)
		}
	}
}

func TestV4L2Refuses(t *testing.T) {
	f := &fakeV4L2{t: t, width: 4}
	if _, err := openV4L2(f, "x", 0, 0, 0); err == nil || !strings.Contains(err.Error(), "neither MJPG nor YUYV") || f.open_ {
		t.Errorf("a camera of other formats: %v, open %v", err, f.open_)
	}
	f = &fakeV4L2{t: t, formats: map[uint32]bool{formatYUYV: true}, pictures: [][]byte{nil}, width: 4, lies: true}
	v, err := openV4L2(f, "x", 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.dequeue(); err == nil || !strings.Contains(err.Error(), "the driver gave buffer") {
		t.Errorf("a driver that lies: %v", err)
	}
	for _, c := range []struct{ width, height, stride, bytes int }{{3, 2, 8, 16}, {4, 2, 4, 16}, {4, 2, 8, 15}, {0, 0, 0, 0}, {4, 1 << 20, 8, 16}} {
		if _, err := yuyvToRGB(make([]byte, c.bytes), c.width, c.height, c.stride); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
	if _, err := newFileSource(Config{URL: "file:a.avi"}, nil); err == nil || !strings.Contains(err.Error(), "without OpenCV") {
		t.Errorf("a file gave %v", err)
	}
}

// A device file that is no camera is named, with what to look at.
func TestV4L2DeviceThatIsNone(t *testing.T) {
	s := &usbSource{clock: robot.NewManualClock(time.Unix(1, 0), 1), number: 250, system: kernelV4L2{}}
	if err := s.play(context.Background(), nil); err == nil || !strings.Contains(err.Error(), "/dev/video250") {
		t.Errorf("play gave %v", err)
	}
	if _, err := openV4L2(kernelV4L2{}, os.DevNull, 0, 0, 0); err == nil || !strings.Contains(err.Error(), "set the format") {
		t.Errorf("/dev/null gave %v", err)
	}
}
