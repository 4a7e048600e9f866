package kitchen_test

import (
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/kitchen"
)

// switched remembers whether the servos have torque.
type switched struct {
	*kitchen.World
	on bool
}

func (s *switched) Write(c *robot.Command) error {
	err := s.World.Write(c)
	if err == nil {
		s.on = c.Enable
	}
	return err
}

// The simulated robot on wheels is a driver like any other.
func TestContract(t *testing.T) {
	w := newWorld(t, kitchen.Options{})
	drivertest.Run(t, func(t *testing.T) *drivertest.Rig {
		if err := w.Reset(1, world.Spec{}); err != nil {
			t.Fatal(err)
		}
		clock, err := world.NewClock(w, 0, nil)
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
			Resolution: 0.03, Settle: 900 * time.Millisecond, Obstructed: true,
		}
	})
}

func TestPictures(t *testing.T) {
	w := newWorld(t, kitchen.Options{})
	const width, height = 160, 120
	rgb := make([]byte, 3*width*height)
	for _, camera := range w.Cameras() {
		for seed := range uint64(2) { // each episode has a renderer of its own
			if err := w.Reset(seed, world.Spec{}); err != nil {
				t.Fatal(err)
			}
			if err := w.Render(camera, width, height, rgb); err != nil {
				t.Fatal(err)
			}
			shades := map[byte]bool{}
			for _, v := range rgb {
				shades[v] = true
			}
			if len(shades) < 30 {
				t.Errorf("camera %s: a picture of %d shades shows nothing", camera, len(shades))
			}
		}
	}
	if err := w.Render("attic", width, height, rgb); err == nil {
		t.Error("a camera that is not there takes pictures")
	}
	table, _ := w.Scene().Find("table")
	if s, ok := w.Project("room", 4.0/3, table.Pose.Position); !ok || s.Scale <= 0 {
		t.Errorf("the room camera does not see the table: %+v", s)
	}
}
