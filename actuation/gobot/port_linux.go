package gobot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// openSerial opens a serial port, raw, 8N1. The file is in the runtime's
// poller, so that Close ends a read or a write that waits.
func openSerial(path string, baud int) (io.ReadWriteCloser, error) {
	file, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	var failure error
	err = raw.Control(func(fd uintptr) { failure = makeRaw(int(fd), baud) })
	if err := errors.Join(err, failure); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: not a serial port: %w", path, err), file.Close())
	}
	return serialPort{file, raw}, nil
}

type serialPort struct {
	*os.File
	raw syscall.RawConn
}

// Close gives the port to others even if somebody holds it open.
func (p serialPort) Close() error {
	err := p.raw.Control(func(fd uintptr) { _ = unix.IoctlSetInt(int(fd), unix.TIOCNXCL, 0) })
	return errors.Join(err, p.File.Close())
}

func makeRaw(fd, baud int) error {
	// Two programs on one port would both drive the robot.
	if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
		return err
	}
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	// BOTHER takes the rate as a number. Without HUPCL the board is not reset
	// when the port is closed.
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.BOTHER
	t.Ispeed, t.Ospeed = uint32(baud), uint32(baud)
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS2, t)
}
