package config_test

import (
	"testing"

	"github.com/kuai-robot/kuai/internal/config"
)

// Every world makes a configuration that is valid, with the robot and skills
// that it has.
func TestSetWorld(t *testing.T) {
	for _, world := range config.Worlds() {
		c := config.Default()
		if err := c.SetWorld(world); err != nil {
			t.Fatalf("%s: %v", world, err)
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", world, err)
		}
		robot, skills, cameras := config.BuiltInRobot, world, 2
		if config.Household(world) {
			robot, skills, cameras = config.Butler, config.Kitchen, 3
		}
		if c.Robot.Description != robot || c.Planner.Catalogue != skills || len(c.Cameras) != cameras || c.Sim.World != world {
			t.Errorf("%s: robot %s, skills %s, %d cameras", world, c.Robot.Description, c.Planner.Catalogue, len(c.Cameras))
		}
		if err := c.SetWorld(world); err != nil || len(c.Cameras) != cameras {
			t.Errorf("%s twice: %v, %d cameras", world, err, len(c.Cameras))
		}
	}
	c := config.Default()
	if err := c.SetWorld("moon"); err == nil {
		t.Error("a world that is not there is no error")
	}
	c.Robot.Driver = config.DriverMQTT
	if err := c.SetWorld(config.Kitchen); err == nil {
		t.Error("a robot of hardware is put into a simulated world")
	}
	c = config.Default()
	c.Sim.World = config.Kitchen
	if err := c.Validate(); err == nil {
		t.Error("a household with the arm of the table is no error")
	}
}
