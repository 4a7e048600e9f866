package control

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// priority of the loop among real-time threads: above the kernel's default for
// nothing, below its interrupt threads (50).
const priority = 20

// becomeRealtime asks the kernel to run this thread before all ordinary ones
// and to keep the program's memory resident, and says what it got.
func becomeRealtime() string {
	var got []string
	// One slot of the Go runtime is the loop's own, and one more lets it come
	// back from a driver's system call while all others compute.
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), runtime.NumCPU()+2))
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: priority}
	if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
		got = append(got, fmt.Sprintf("ordinary scheduling (SCHED_FIFO: %v)", err))
	} else {
		got = append(got, fmt.Sprintf("SCHED_FIFO %d", priority))
	}
	if err := lockMemory(); err != nil {
		got = append(got, fmt.Sprintf("memory not locked (%v)", err))
	} else {
		got = append(got, "memory locked")
	}
	return strings.Join(got, ", ")
}

// lockMemory keeps every page that was once touched. Under a limit it is not
// even tried: the first allocation beyond the limit would end the program.
func lockMemory() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		return err
	}
	if limit.Cur != unix.RLIM_INFINITY && os.Geteuid() != 0 {
		return fmt.Errorf("RLIMIT_MEMLOCK is %d bytes, want unlimited", limit.Cur)
	}
	return unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
}
