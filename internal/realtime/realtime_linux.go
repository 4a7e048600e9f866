package realtime

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kuai-robot/kuai/robot"
)

// Prioritise puts the calling thread into the class SCHED_FIFO at priority (1
// to 49: the kernel's interrupt threads have 50) and says what it got.
func Prioritise(priority uint32) string {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: priority}
	if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
		return fmt.Sprintf("ordinary scheduling (SCHED_FIFO: %v)", err)
	}
	return fmt.Sprintf("SCHED_FIFO %d", priority)
}

// longestSleep bounds how late an ended context is noticed.
const longestSleep = 10 * time.Millisecond

// Wait implements robot.Clock. It holds the calling thread, and notices the end
// of ctx within 10 ms.
func (c Clock) Wait(ctx context.Context, t robot.Time) error {
	for {
		left := t.Sub(c.Now())
		if left <= 0 || ctx.Err() != nil {
			return ctx.Err()
		}
		request := unix.NsecToTimespec(int64(min(left, longestSleep)))
		if err := unix.Nanosleep(&request, nil); err != nil && err != unix.EINTR {
			return fmt.Errorf("realtime clock: %w", err)
		}
	}
}
