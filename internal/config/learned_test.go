package config_test

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/config"
)

func TestLearnedParts(t *testing.T) {
	for _, test := range []struct {
		change func(*config.Config)
		key    string // of the mistake; empty: there is none
	}{
		{func(c *config.Config) { c.Runner, c.Affordance = config.Learned, config.Learned }, ""},
		{func(c *config.Config) { c.Chunking = config.RealTime }, ""},
		{func(c *config.Config) { c.Affordance = config.Learned }, "affordance"},
		{func(c *config.Config) { c.Affordance = "felt" }, "affordance"},
		{func(c *config.Config) { c.Chunking = "sometimes" }, "chunking"},
	} {
		c := config.Default()
		test.change(&c)
		err := c.Validate()
		if (err == nil) != (test.key == "") || err != nil && !strings.Contains(err.Error(), test.key) {
			t.Errorf("want a mistake of %q, got %v", test.key, err)
		}
	}
}
