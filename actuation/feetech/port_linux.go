package feetech

import (
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// serial is a tty in raw mode, read by poll so that no answer is waited for
// longer than asked.
type serial struct {
	path string
	fd   int
}

// interrupts bounds how often one wait may be interrupted.
const interrupts = 3

// speeds are the bits a second that servos can be set to and Linux has names for.
var speeds = map[int]uint32{38400: unix.B38400, 57600: unix.B57600, 115200: unix.B115200, 500_000: unix.B500000, 1_000_000: unix.B1000000}

// Open opens a device file at baud bits a second, 8N1, for this program alone.
func Open(path string, baud int) (Port, error) {
	speed, ok := speeds[baud]
	if !ok {
		return nil, fmt.Errorf("open %s: %d baud is not one of 38400, 57600, 115200, 500000 and 1000000", path, baud)
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w (is the adapter plugged in? is this user in the group dialout?)", path, err)
	}
	s := &serial{path, fd}
	if err := s.setUp(speed); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: not a serial port: %w", path, err), s.Close())
	}
	return s, nil
}

func (s *serial) setUp(speed uint32) error {
	t, err := unix.IoctlGetTermios(s.fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | speed
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 0, 0
	if err := unix.IoctlSetTermios(s.fd, unix.TCSETS, t); err != nil {
		return err
	}
	// Two programs on one bus would both drive the robot.
	if err := unix.IoctlSetInt(s.fd, unix.TIOCEXCL, 0); err != nil {
		return err
	}
	return s.Flush()
}

// Write implements Port. A packet fits the kernel's buffer many times over: if
// it does not go out at once, the port is stuck.
func (s *serial) Write(p []byte) (int, error) {
	n, err := unix.Write(s.fd, p)
	switch {
	case err != nil:
		return max(n, 0), fmt.Errorf("write %s: %w", s.path, err)
	case n < len(p):
		return n, fmt.Errorf("write %s: %w", s.path, io.ErrShortWrite)
	}
	return n, nil
}

// ReadFor implements Port.
func (s *serial) ReadFor(p []byte, d time.Duration) (int, error) {
	ready := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
	n, err := -1, error(unix.EINTR)
	// The Go runtime interrupts threads by signals, which is no answer; nor may
	// it go on for ever.
	for tries := 0; errors.Is(err, unix.EINTR) && tries < interrupts; tries++ {
		timeout := unix.NsecToTimespec(int64(d))
		n, err = unix.Ppoll(ready, &timeout, nil)
	}
	switch {
	case errors.Is(err, unix.EINTR):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("poll %s: %w", s.path, err)
	case n == 0:
		return 0, nil
	}
	n, err = unix.Read(s.fd, p)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("read %s: %w (was the adapter unplugged?)", s.path, err)
	case n == 0:
		return 0, fmt.Errorf("read %s: %w (was the adapter unplugged?)", s.path, io.EOF)
	}
	return n, nil
}

// Flush implements Port.
func (s *serial) Flush() error {
	if err := unix.IoctlSetInt(s.fd, unix.TCFLSH, unix.TCIFLUSH); err != nil {
		return fmt.Errorf("flush %s: %w", s.path, err)
	}
	return nil
}

// Close implements Port.
func (s *serial) Close() error { return unix.Close(s.fd) }
