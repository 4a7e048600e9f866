package world

import (
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/robot"
)

// switched remembers whether the servos have torque.
type switched struct {
	*World
	on bool
}

func (s *switched) Write(c *robot.Command) error {
	err := s.World.Write(c)
	if err == nil {
		s.on = c.Enable
	}
	return err
}

// The simulated arm is a driver like any other. Its servos are springs under a
// load, so it comes to rest a little below its target.
func TestContract(t *testing.T) {
	w := newWorld(t)
	drivertest.Run(t, func(t *testing.T) *drivertest.Rig {
		if err := w.Reset(1, Spec{}); err != nil {
			t.Fatal(err)
		}
		clock, err := NewClock(w, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		driver := &switched{World: w}
		return &drivertest.Rig{
			Driver: driver, Description: w.Description(), Clock: clock,
			Advance: func(d time.Duration) {
				if err := clock.Wait(t.Context(), w.Now().Add(d)); err != nil {
					t.Fatal(err)
				}
			},
			Position: func() robot.Joints {
				s, err := w.Read()
				if err != nil {
					t.Fatal(err)
				}
				return s.Position
			},
			Enabled:    func() bool { return driver.on },
			Resolution: 0.03, Settle: 600 * time.Millisecond, Obstructed: true,
		}
	})
}
