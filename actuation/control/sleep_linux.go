package control

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/kuai-robot/kuai/robot"
)

// newSleeper gives one that sleeps in the kernel when the clock is the
// machine's: a timer of the Go runtime needs another thread to fire it, which
// a busy program delays.
func newSleeper(clock robot.Clock, hold bool) (sleeper, error) {
	if _, ok := clock.(*robot.SystemClock); !ok {
		return &clockSleeper{clock: clock}, nil
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	return &eventSleeper{clock: clock, hold: hold, fd: fd, poll: []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}}, nil
}

// eventSleeper polls an eventfd that wake writes to.
type eventSleeper struct {
	clock robot.Clock
	hold  bool // keep the slot of the Go runtime shortly before waking
	poll  []unix.PollFd
	left  unix.Timespec
	count [8]byte

	mu     sync.RWMutex // held for reading by wake, so that close waits for it
	fd     int
	closed bool
}

func (s *eventSleeper) until(ctx context.Context, t robot.Time) {
	for ctx.Err() == nil {
		left := t.Sub(s.clock.Now())
		if left <= 0 {
			return
		}
		holds := s.hold && left <= held
		if s.hold && !holds {
			left -= held
		}
		s.left = unix.NsecToTimespec(int64(min(left, time.Hour)))
		n, err := s.wait(holds)
		if n > 0 {
			_, _ = unix.Read(s.fd, s.count[:]) // takes the wake; there is nothing else to learn
			return
		}
		if err != nil && err != unix.EINTR {
			return // the caller looks at the clock and comes back
		}
	}
}

// held is for how long before it is due the thread keeps its slot.
const held = time.Millisecond

// wait is ppoll. A thread that holds its slot does not tell the Go runtime that
// it sleeps, so that on waking it has not to wait for a free slot while others
// compute. When the runtime needs the thread, for a collection, it interrupts
// the call by a signal (EINTR) every 100 µs until it gets it.
func (s *eventSleeper) wait(holds bool) (int, error) {
	if !holds {
		return unix.Ppoll(s.poll, &s.left, nil)
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&s.poll[0])), 1, uintptr(unsafe.Pointer(&s.left)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func (s *eventSleeper) wake() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return
	}
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(s.fd, one[:]) // fails only when it is full of wakes
}

func (s *eventSleeper) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		_ = unix.Close(s.fd)
	}
}
