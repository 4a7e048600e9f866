package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/sim/eval"
)

// skillFlags say what carries skills out in an evaluation.
func (o *evalFlags) skillFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.skills, "skills", "", "what carries skills out: scripted or learned `SKILLS`; empty: as the configuration has it")
	flags.StringVar(&o.can, "can", "", "what judges them: scripted or learned `AFFORDANCES`; empty: as the configuration has it")
	flags.StringVar(&o.chunking, "chunking", "", "how chunks of a learned policy follow each other: plain or real-time `CHUNKING`; empty: as the configuration has it")
	flags.StringVar(&o.policy, "policy", "", "the learned policy of this `FOLDER` instead of the built-in one; means --skills learned")
}

// setSkills sets in c what the flags and the suite ask for: the suites of the
// policy that sees are episodes at the workbench.
func (o *evalFlags) setSkills(c *config.Config) error {
	if slices.Contains(eval.PixelSuites(), o.suite) {
		c.Sim.World, c.Planner.Catalogue = config.Workbench, config.Workbench
	}
	if eval.Household(o.suite) && o.world == "" {
		o.world = config.Kitchen
	}
	if o.world != "" {
		if err := c.SetWorld(o.world); err != nil {
			return err
		}
	}
	if o.policy != "" {
		if o.skills != "" && o.skills != config.Learned {
			return fmt.Errorf("--policy: there is none to load with --skills %s", o.skills)
		}
		folder, err := filepath.Abs(o.policy)
		if err != nil {
			return err
		}
		o.skills, c.Policy = config.Learned, folder
	}
	switch o.skills {
	case "":
	case config.Scripted, config.Learned:
		c.Runner = o.skills
	default:
		return fmt.Errorf("--skills %q: want %s or %s", o.skills, config.Scripted, config.Learned)
	}
	switch o.chunking {
	case "":
	case config.Plain, config.RealTime:
		c.Chunking = o.chunking
	default:
		return fmt.Errorf("--chunking %q: want %s or %s", o.chunking, config.Plain, config.RealTime)
	}
	switch {
	case o.can == "":
	case o.can != config.Scripted && o.can != config.Learned:
		return fmt.Errorf("--can %q: want %s or %s", o.can, config.Scripted, config.Learned)
	case o.can == config.Learned && c.Runner != config.Learned:
		return fmt.Errorf("--can %s: it judges what the learned policy can do: give --skills %s as well", o.can, config.Learned)
	default:
		c.Affordance = o.can
	}
	return nil
}
