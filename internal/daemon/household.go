package daemon

import (
	"context"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/expert"
	"github.com/kuai-robot/kuai/sim/expert/household"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/kitchen"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// simulated is a simulated world, whichever robot it has.
type simulated interface {
	control.Driver
	world.Stepper
	staged
	filmed
	Description() *robot.Description
	Run(ctx context.Context, clock robot.Clock) error
	Close() error
}

// staged is a world that episodes begin in.
type staged interface {
	Reset(seed uint64, spec world.Spec) error
	Scene() *robot.Scene
	Move(name string, at [2]float64) (bool, error)
}

// filmed is a world with cameras.
type filmed interface {
	Cameras() []string
	Capture(camera string, width, height int, rgb []byte) (robot.Time, error)
	Project(camera string, aspect float64, point robot.Vec3) (world.Spot, bool)
}

// newWorld makes the world that c names.
func newWorld(c *config.Sim) (simulated, error) {
	if config.Household(c.World) {
		return kitchen.New(kitchen.Options{All: c.World == config.KitchenLarge})
	}
	return world.New(world.Options{Workbench: c.World == config.Workbench})
}

// scripted carries skills out from a scene that is known, and knows the chance of
// each.
type scripted interface {
	agent.Runner
	saycan.Affordance
}

// newScripted gives what carries out the skills of the robot d.
func newScripted(d *robot.Description) scripted {
	if d.Name == layout.Name {
		return household.New(d)
	}
	return expert.New(d)
}
