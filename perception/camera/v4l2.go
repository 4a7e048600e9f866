//go:build noopencv

package camera

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The part of the kernel's video interface that a camera needs (Linux, Video
// for Linux API, sections 3 and 7): numbers of requests and layouts as
// linux/videodev2.h has them on 64-bit systems.
const (
	vidiocSetFormat  = 0xc0d05605
	vidiocSetRate    = 0xc0cc5616
	vidiocRequest    = 0xc0145608
	vidiocQuery      = 0xc0585609
	vidiocQueue      = 0xc058560f
	vidiocDequeue    = 0xc0585611
	vidiocStreamOn   = 0x40045612
	vidiocStreamOff  = 0x40045613
	captureVideo     = 1
	memoryMapped     = 1
	stampedMonotonic = 0x2000

	formatMJPG = 'M' | 'J'<<8 | 'P'<<16 | 'G'<<24
	formatYUYV = 'Y' | 'U'<<8 | 'Y'<<16 | 'V'<<24
)

type v4l2Format struct {
	kind, _                                      uint32
	width, height, pixels, field, stride, length uint32
	_                                            [176]byte
}

type v4l2Rate struct {
	kind, capability, mode, numerator, denominator uint32
	_                                              [184]byte
}

type v4l2Request struct{ count, kind, memory, capabilities, flags uint32 }

type v4l2Buffer struct {
	index, kind, used, flags, field, _ uint32
	seconds, microseconds              int64
	_                                  [16]byte
	sequence, memory                   uint32
	offset, length                     uint64
	_                                  [8]byte
}

func (b *v4l2Buffer) monotonic() bool { return b.flags&stampedMonotonic != 0 }
func (b *v4l2Buffer) micros() int64   { return b.seconds*1_000_000 + b.microseconds }

// v4l2System is the kernel, or what stands for it in a test.
type v4l2System interface {
	open(path string) (fd int, err error)
	ioctl(fd int, request uint, argument unsafe.Pointer) error
	mmap(fd int, offset int64, length int) ([]byte, error)
	munmap([]byte) error
	poll(fd int, timeout time.Duration) (ready bool, err error)
	close(fd int) error
}

// buffers is how many pictures the driver may fill ahead. Each that waits makes
// the next one older; with one, the camera would pause while it is decoded.
const buffers = 2

// v4l2 is an open camera that streams.
type v4l2 struct {
	system v4l2System
	fd     int
	format v4l2Format
	memory [][]byte
}

// openV4L2 asks for Motion-JPEG of that size and rate, where zero leaves the
// driver's, and takes YUYV as well.
func openV4L2(system v4l2System, path string, width, height int, rate float64) (*v4l2, error) {
	fd, err := system.open(path)
	if err != nil {
		return nil, err
	}
	v := &v4l2{system: system, fd: fd}
	if err := v.start(uint32(width), uint32(height), rate); err != nil {
		return nil, errors.Join(err, v.close())
	}
	return v, nil
}

func (v *v4l2) start(width, height uint32, rate float64) error {
	if width == 0 || height == 0 {
		width, height = 640, 480
	}
	for _, pixels := range []uint32{formatMJPG, formatYUYV} {
		v.format = v4l2Format{kind: captureVideo, width: width, height: height, pixels: pixels}
		if err := v.system.ioctl(v.fd, vidiocSetFormat, unsafe.Pointer(&v.format)); err != nil {
			return fmt.Errorf("set the format: %w", err)
		}
		if v.format.pixels == pixels {
			break
		}
	}
	if v.format.pixels != formatMJPG && v.format.pixels != formatYUYV {
		return fmt.Errorf("it sends neither MJPG nor YUYV (v4l2-ctl --list-formats shows what it sends)")
	}
	if rate > 0 {
		r := v4l2Rate{kind: captureVideo, numerator: 1000, denominator: uint32(rate * 1000)}
		// A camera with one rate refuses; it then sends at that.
		_ = v.system.ioctl(v.fd, vidiocSetRate, unsafe.Pointer(&r))
	}
	if err := v.share(); err != nil {
		return err
	}
	on := uint32(captureVideo)
	if err := v.system.ioctl(v.fd, vidiocStreamOn, unsafe.Pointer(&on)); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	return nil
}

// share maps the driver's buffers and hands them over to be filled.
func (v *v4l2) share() error {
	r := v4l2Request{count: buffers, kind: captureVideo, memory: memoryMapped}
	if err := v.system.ioctl(v.fd, vidiocRequest, unsafe.Pointer(&r)); err != nil {
		return fmt.Errorf("ask for buffers: %w", err)
	}
	for i := range r.count {
		b := v4l2Buffer{index: i, kind: captureVideo, memory: memoryMapped}
		if err := v.system.ioctl(v.fd, vidiocQuery, unsafe.Pointer(&b)); err != nil {
			return fmt.Errorf("buffer %d: %w", i, err)
		}
		memory, err := v.system.mmap(v.fd, int64(uint32(b.offset)), int(uint32(b.length)))
		if err != nil {
			return fmt.Errorf("buffer %d: map %d bytes: %w", i, uint32(b.length), err)
		}
		v.memory = append(v.memory, memory)
		if err := v.enqueue(i); err != nil {
			return err
		}
	}
	return nil
}

func (v *v4l2) enqueue(index uint32) error {
	b := v4l2Buffer{index: index, kind: captureVideo, memory: memoryMapped}
	if err := v.system.ioctl(v.fd, vidiocQueue, unsafe.Pointer(&b)); err != nil {
		return fmt.Errorf("give buffer %d back: %w", index, err)
	}
	return nil
}

// dequeue gives the oldest filled buffer, whose data is valid until it is
// enqueued again.
func (v *v4l2) dequeue() (v4l2Buffer, []byte, error) {
	b := v4l2Buffer{kind: captureVideo, memory: memoryMapped}
	if err := v.system.ioctl(v.fd, vidiocDequeue, unsafe.Pointer(&b)); err != nil {
		return b, nil, fmt.Errorf("take a picture: %w", err)
	}
	if int(b.index) >= len(v.memory) || int(b.used) > len(v.memory[b.index]) {
		return b, nil, fmt.Errorf("the driver gave buffer %d with %d bytes, of %d buffers", b.index, b.used, len(v.memory))
	}
	return b, v.memory[b.index][:b.used], nil
}

func (v *v4l2) wait(timeout time.Duration) (bool, error) { return v.system.poll(v.fd, timeout) }

func (v *v4l2) close() error {
	off := uint32(captureVideo)
	// What cannot be stopped ends with the file.
	_ = v.system.ioctl(v.fd, vidiocStreamOff, unsafe.Pointer(&off))
	var errs []error
	for _, m := range v.memory {
		errs = append(errs, v.system.munmap(m))
	}
	v.memory = nil
	return errors.Join(append(errs, v.system.close(v.fd))...)
}

// kernelV4L2 is the kernel.
type kernelV4L2 struct{}

func (kernelV4L2) open(path string) (int, error) {
	return unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
}

func (kernelV4L2) ioctl(fd int, request uint, argument unsafe.Pointer) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(argument))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

func (kernelV4L2) mmap(fd int, offset int64, length int) ([]byte, error) {
	return unix.Mmap(fd, offset, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func (kernelV4L2) munmap(b []byte) error { return unix.Munmap(b) }

func (kernelV4L2) poll(fd int, timeout time.Duration) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, int(timeout.Milliseconds()))
	switch {
	case err == unix.EINTR || err == nil && n == 0:
		return false, nil
	case err != nil:
		return false, err
	case fds[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0:
		return false, errors.New("the device is gone")
	}
	return true, nil
}

func (kernelV4L2) close(fd int) error { return unix.Close(fd) }
