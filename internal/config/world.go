package config

import "fmt"

// The worlds besides Tabletop and Workbench: the household, and one of more
// things, for scaling.
const (
	Kitchen      = "kitchen"
	KitchenLarge = "kitchen-large"
	// Butler is the robot on wheels of the household.
	Butler = "butler"
)

// Worlds names the worlds of the simulator.
func Worlds() []string { return []string{Tabletop, Workbench, Kitchen, KitchenLarge} }

// Household says whether the world is one of the robot on wheels.
func Household(world string) bool { return world == Kitchen || world == KitchenLarge }

// robotOf is the robot that a world has.
func robotOf(world string) string {
	if Household(world) {
		return Butler
	}
	return BuiltInRobot
}

// BuiltInDescription says whether the name is that of a robot that needs no file.
func BuiltInDescription(name string) bool { return name == BuiltInRobot || name == Butler }

// BuiltInSkills says whether the name is that of a catalogue that needs no file.
func BuiltInSkills(name string) bool { return name == Tabletop || name == Workbench || name == Kitchen }

// Bounds of a plan in the household, where one thing takes four steps.
const (
	householdSteps   = 60
	householdSeconds = 900
)

// SetWorld makes c that of a world of the simulator: its robot and skills, its
// cameras, bounds of its plans.
func (c *Config) SetWorld(world string) error {
	var k checker
	if k.oneOf("--world", world, Worlds()...); len(k) > 0 {
		return fmt.Errorf("%s: %s", k[0].key, k[0].why)
	}
	if c.Robot.Driver != DriverSim {
		return fmt.Errorf("--world: robot.driver is %s, and the simulator alone has worlds", c.Robot.Driver)
	}
	c.Sim.World, c.Robot.Description, c.Planner.Catalogue = world, robotOf(world), world
	if !Household(world) {
		return nil
	}
	c.Planner.Catalogue = Kitchen
	c.Planner.MaxSteps, c.Planner.MaxSeconds = max(c.Planner.MaxSteps, householdSteps), max(c.Planner.MaxSeconds, householdSeconds)
	if c.Sim.Demo == Default().Sim.Demo {
		c.Sim.Demo = ""
	}
	if len(c.Cameras) > 0 && !c.hasCamera("room") {
		room := Camera{Name: "room", URL: "rtsp://" + c.Sim.RTSP.Listen + "/room", Freeze: defaultFreeze}
		c.Cameras = append([]Camera{room}, c.Cameras...) // the page shows the first one largest
	}
	return nil
}

func (c *Config) hasCamera(name string) bool {
	for i := range c.Cameras {
		if c.Cameras[i].Name == name {
			return true
		}
	}
	return false
}
