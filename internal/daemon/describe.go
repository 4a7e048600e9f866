package daemon

import (
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// Description gives the robot that c describes.
func Description(c *config.Config) (*robot.Description, error) { return readDescription(c) }

// Catalogue gives the skills that c names.
func Catalogue(c *config.Config) (*skill.Catalogue, error) { return readCatalogue(c.Planner.Catalogue) }
