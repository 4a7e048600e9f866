package daemon

import (
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// maxDescription bounds the file of a robot's description, bytes.
const maxDescription = 1 << 20

// readDescription gives the robot that robot.description names.
func readDescription(c *config.Config) (*robot.Description, error) {
	if c.Robot.Description == config.BuiltInRobot {
		return so101.Description(), nil
	}
	if c.Robot.Description == config.Butler {
		return layout.Description(), nil
	}
	file, err := os.Open(c.Robot.Description)
	if err != nil {
		return nil, fmt.Errorf("robot.description: %w (want %s, %s or a YAML file, see docs/own-robot.md)", err, config.BuiltInRobot, config.Butler)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("robot.description: %w", err)
	}
	if info.Size() > maxDescription {
		return nil, fmt.Errorf("robot.description %s: longer than %d bytes", c.Robot.Description, maxDescription)
	}
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	var d robot.Description
	if err := decoder.Decode(&d); err != nil {
		return nil, fmt.Errorf("robot.description %s: %w", c.Robot.Description, err)
	}
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("robot.description %s: %w", c.Robot.Description, err)
	}
	return &d, nil
}

// compileSafety gives the limits of the robot that c describes.
func compileSafety(c *config.Config) (*safety.Limits, error) {
	d, err := readDescription(c)
	if err != nil {
		return nil, err
	}
	return safety.Compile(d, safetyConfig(&c.Safety))
}

func safetyConfig(c *config.Safety) safety.Config {
	rule := func(r config.Rule) safety.Rule {
		return safety.Rule{Expiry: r.Expiry, MaxAge: r.MaxAge, Speed: r.Speed}
	}
	return safety.Config{
		Policy: rule(c.Policy), Skill: rule(c.Skill), Teleop: rule(c.Teleop),
		MaxStateAge: c.MaxStateAge, MaxTick: c.MaxTick, Ramp: c.Ramp, RampFloor: c.RampFloor, Recovery: c.Recovery,
		DerateBand: c.DerateBand, ReleaseAbove: c.ReleaseAbove,
		StallEffort: c.StallEffort, StallVelocity: c.StallVelocity, StallTime: c.StallTime,
		BackOff: c.BackOff, StallTries: c.StallTries, StallForget: c.StallForget,
		Clearance: c.Clearance, StopLimp: c.StopLimp,
	}
}

// newAccess gives who may connect.
func newAccess(c *config.Access) (*broker.Access, error) {
	users := make([]broker.User, len(c.Users))
	for i, u := range c.Users {
		password, err := u.Secret()
		if err != nil {
			return nil, fmt.Errorf("access: %w", err)
		}
		users[i] = broker.User{Name: u.Name, Password: password, Certificate: u.Certificate, Role: broker.Role(u.Role)}
	}
	access, err := broker.NewAccess(users)
	if err != nil {
		return nil, fmt.Errorf("access: %w", err)
	}
	return access, nil
}
