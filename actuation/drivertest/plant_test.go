package drivertest_test

import (
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/robot"
)

func TestPlantKeepsTheContract(t *testing.T) {
	for name, lag := range map[string]time.Duration{"at once": 0, "first order": 30 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			drivertest.Run(t, func(*testing.T) *drivertest.Rig {
				desc := drivertest.Arm()
				clock := robot.NewManualClock(time.Unix(0, 0), robot.Time(time.Second))
				p := drivertest.NewPlant(desc, clock, lag)
				return &drivertest.Rig{
					Driver: p, Description: desc, Clock: clock, Advance: clock.Advance,
					Position: p.Position, Enabled: func() bool { return p.Command().Enable },
					Resolution: 1e-3, Settle: 10 * lag, Unplug: p.Unplug, Plug: p.Plug,
				}
			})
		})
	}
}

func TestPlantFollowsAtFirstOrder(t *testing.T) {
	desc := drivertest.Arm()
	clock := robot.NewManualClock(time.Unix(0, 0), 1)
	p := drivertest.NewPlant(desc, clock, 100*time.Millisecond)
	q := desc.Home()
	q[0] = 1
	p.Keep()
	if err := p.Write(&robot.Command{Enable: true, Position: q}); err != nil {
		t.Fatal(err)
	}
	clock.Advance(100 * time.Millisecond)
	if got := p.Position()[0]; got < 0.631 || got > 0.633 {
		t.Errorf("after one time constant at %g, want 1 − 1/e", got)
	}
	p.Block(0, true)
	clock.Advance(time.Second)
	s, err := p.Read()
	if err != nil || s.Effort[0] != desc.Joints[0].Limits.MaxEffort || s.Velocity[0] != 0 {
		t.Errorf("a blocked joint pushes with %g at %g rad/s, %v", s.Effort[0], s.Velocity[0], err)
	}
	p.Heat(2, 50)
	p.Misread(1, 0.5)
	if s, _ = p.Read(); s.Temperature[2] != 50 || s.Position[1] != desc.Joints[1].Home+0.5 {
		t.Errorf("reads %g °C and %g", s.Temperature[2], s.Position[1])
	}
	if n := len(p.Commands()); n != 1 {
		t.Errorf("%d commands were kept, want 1", n)
	}
}
