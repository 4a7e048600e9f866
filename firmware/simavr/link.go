package simavr

// #include "board.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/kuai-robot/kuai/robot"
)

// link joins the UART to a pseudo-terminal.
type link struct {
	master, slave *os.File
	path          string

	mu     sync.Mutex
	heard  []byte // from the host, not yet fed
	frozen bool
	done   chan struct{}
}

// Plug joins the UART to a new pseudo-terminal that is found at path, as a USB
// adapter is when it is plugged in; what was there before is unplugged.
func (b *Board) Plug(path string) error {
	b.Unplug()
	master, slave, err := openPair()
	if err != nil {
		return fmt.Errorf("simavr: %w", err)
	}
	l := &link{master: master, slave: slave, path: path, done: make(chan struct{})}
	if err := replaceLink(slave.Name(), path); err != nil {
		return errors.Join(fmt.Errorf("simavr: %w", err), master.Close(), slave.Close())
	}
	go l.listen()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.link = l
	return nil
}

// openPair opens a pseudo-terminal that passes bytes as they are. Both ends
// are in the runtime's poller, so that Close ends a read that waits.
func openPair() (master, slave *os.File, err error) {
	const flags = os.O_RDWR | unix.O_NOCTTY | unix.O_NONBLOCK
	if master, err = os.OpenFile("/dev/ptmx", flags, 0); err != nil {
		return nil, nil, err
	}
	var number int
	err = control(master, func(fd int) (err error) {
		if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		return err
	})
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), flags, 0)
	}
	if err == nil {
		err = control(slave, raw)
	}
	if err != nil {
		return nil, nil, errors.Join(err, master.Close())
	}
	return master, slave, nil
}

// control calls f with the file's descriptor; Fd would take it off the poller.
func control(f *os.File, call func(fd int) error) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failure error
	err = c.Control(func(fd uintptr) { failure = call(int(fd)) })
	return errors.Join(err, failure)
}

func raw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

func replaceLink(target, path string) error {
	temporary := filepath.Join(filepath.Dir(path), ".new-"+filepath.Base(path))
	return errors.Join(os.Symlink(target, temporary), os.Rename(temporary, path))
}

// listen keeps what the host writes until the board takes it.
func (l *link) listen() {
	defer close(l.done)
	buffer := make([]byte, 4096)
	for {
		n, err := l.master.Read(buffer)
		l.mu.Lock()
		l.heard = append(l.heard, buffer[:n]...)
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Unplug takes the pseudo-terminal away; the host's next call on it fails. The
// board runs on.
func (b *Board) Unplug() {
	b.mu.Lock()
	l := b.link
	b.link = nil
	b.mu.Unlock()
	if l == nil {
		return
	}
	os.Remove(l.path)
	l.slave.Close()
	l.master.Close()
	<-l.done
}

// FreezeHost holds back everything that the host sends until it is called with
// false, as a hung computer or hub does.
func (b *Board) FreezeHost(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.link == nil {
		return
	}
	b.link.mu.Lock()
	defer b.link.mu.Unlock()
	b.link.frozen = on
}

// receive feeds the board what the host has written.
func (b *Board) receive() {
	if b.link == nil {
		return
	}
	b.link.mu.Lock()
	defer b.link.mu.Unlock()
	if b.link.frozen || C.board_unread(b.c) > unreadMost {
		return
	}
	if b.feed(b.link.heard) == nil {
		b.link.heard = b.link.heard[:0]
	}
}

// Babble has the host hear bytes that the board never sent, as from a broken
// cable.
func (b *Board) Babble(bytes ...byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.link != nil {
		b.link.tell(bytes)
	}
}

// unreadMost is how many bytes a USB adapter holds before the host waits.
const unreadMost = 512

// send hands what the board has sent to the host.
func (b *Board) send() {
	var buffer [1024]byte
	n := int(C.board_output(b.c, (*C.uint8_t)(&buffer[0]), C.size_t(len(buffer))))
	if b.link == nil {
		b.sent = append(b.sent, buffer[:n]...)
		return
	}
	// The host may be gone, or not reading: an adapter drops bytes then.
	b.link.tell(buffer[:n])
}

// tell writes what the terminal takes without waiting.
func (l *link) tell(bytes []byte) {
	const terminal = 4096
	pending := terminal
	err := control(l.slave, func(fd int) (err error) {
		pending, err = unix.IoctlGetInt(fd, unix.TIOCINQ)
		return err
	})
	if err == nil && pending+len(bytes) < terminal {
		_, _ = l.master.Write(bytes)
	}
}

// Serve keeps the board in step with clock until ctx ends, which gives nil. A
// board that falls behind, on a busy machine, lives on slower instead of
// catching up: its time never runs faster than the clock's.
func (b *Board) Serve(ctx context.Context, clock robot.Clock) error {
	next := clock.Now()
	for {
		if err := clock.Wait(ctx, next); err != nil {
			return nil
		}
		if err := b.runTo(b.Cycles() + cycles(slice)); err != nil {
			return err
		}
		next = max(next, clock.Now().Add(-slice)).Add(slice)
	}
}
