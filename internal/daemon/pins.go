package daemon

import (
	"fmt"
	"os"

	"github.com/kuai-robot/kuai/actuation/gobot"
)

// newPins gives the driver of joints that hang on pins.
func newPins(d *Daemon) (*gobot.Driver, error) {
	file, err := os.Open(d.config.Robot.Pins)
	if err != nil {
		return nil, fmt.Errorf("robot.pins: %w (see docs/own-robot.md)", err)
	}
	defer file.Close()
	c, err := gobot.Read(d.config.Robot.Pins, file)
	if err != nil {
		return nil, fmt.Errorf("robot.pins: %w", err)
	}
	return gobot.New(gobot.Options{Config: c, Description: d.description, Clock: d.clock})
}
