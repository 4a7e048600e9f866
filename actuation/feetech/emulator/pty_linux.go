package emulator

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Serve puts the bus behind a pseudo terminal until close is called, and gives
// the device file that a program opens as its serial port. close waits until
// the servos are deaf, and makes the program's end fail as if it were unplugged.
func (b *Bus) Serve() (path string, closeIt func() error, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, fmt.Errorf("open /dev/ptmx: %w", err)
	}
	master := os.NewFile(uintptr(fd), "/dev/ptmx")
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		_ = master.Close()
		return "", nil, fmt.Errorf("pseudo terminal: %w", err)
	}
	path = fmt.Sprintf("/dev/pts/%d", number)
	// Held open, so that the master does not fail before and between openings.
	slave, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		_ = master.Close()
		return "", nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.serve(master)
	}()
	return path, func() error {
		err := master.Close()
		<-done
		_ = slave.Close()
		return err
	}, nil
}

// serve answers until the master is closed.
func (b *Bus) serve(master *os.File) {
	var in [256]byte
	for {
		n, err := master.Read(in[:])
		if err != nil {
			return
		}
		var out []byte
		b.locked(func() {
			if b.cut {
				return
			}
			b.hear(in[:n])
			out, b.out = b.out, nil
		})
		if _, err := master.Write(out); err != nil && len(out) > 0 {
			return
		}
	}
}
