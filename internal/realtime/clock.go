package realtime

import "github.com/kuai-robot/kuai/robot"

// Clock is the clock that it holds, but waits on the calling thread.
type Clock struct {
	robot.Clock
}
