package realtime_test

import (
	"runtime"

	"github.com/kuai-robot/kuai/internal/realtime"
)

// lockedPrioritise leaves its goroutine's thread locked, so that it ends.
func lockedPrioritise() string {
	runtime.LockOSThread()
	return realtime.Prioritise(10)
}
