package control

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// Driver is the robot as the loop sees it. Both methods are called from the
// loop's goroutine only and must return within a bounded time, well under the
// period. State.At is when the joints were read, on the loop's clock: a device
// that is away shows by an error or by a state that grows old, never by a
// fresh one. What was written while it was away must not move it when it is
// back. Commands are continuous, and the first with Enable, also after a time
// without, is where the joints are. Package drivertest checks all of that.
type Driver interface {
	Read() (robot.State, error)
	Write(c *robot.Command) error
}

// CheckCommand refuses a command with a number that is none, which the safety
// core never gives, so that a driver need not ask what its device makes of it.
func CheckCommand(d *robot.Description, c *robot.Command) error {
	for i := range d.Joints {
		if v := c.Position[i] + c.Velocity[i]; math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("joint %s: cannot be told to be at %g with velocity %g", d.Joints[i].Name, c.Position[i], c.Velocity[i])
		}
	}
	return nil
}
