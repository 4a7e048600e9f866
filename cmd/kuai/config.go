package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/robot"
)

func (a *app) configCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "config [KEY...]",
		Short: "Print the configuration in effect, every key explained",
		Long: "Prints every key with its value, each under its comment, as YAML that kuai reads back. Start a\n" +
			"configuration of your own from it, or check one: errors name the line and what to write. With keys\n" +
			"it prints their values alone, one a line.",
		Example:           "  kuai config > robot.yaml\n  kuai config --config robot.yaml\n  kuai config robot.name web.listen",
		ValidArgsFunction: completeKeys,
		RunE: func(_ *cobra.Command, keys []string) error {
			c, err := config.Load(a.configPath)
			if err != nil {
				return &exitError{exitInput, err}
			}
			if len(keys) > 0 {
				return a.printKeys(&c, keys)
			}
			if a.json {
				values, err := c.Values()
				if err != nil {
					return err
				}
				return a.printJSON(values)
			}
			return c.Write(a.out)
		},
	}
}

// printKeys prints the value of each key, lists and sections as JSON.
func (a *app) printKeys(c *config.Config, keys []string) error {
	values, err := c.Values()
	if err != nil {
		return err
	}
	for _, key := range keys {
		value, err := valueOf(values, key)
		if err != nil {
			return &exitError{exitInput, err}
		}
		if text, ok := value.(string); ok && !a.json {
			a.out.line("%s", text)
			continue
		}
		if a.json {
			value = map[string]any{"key": key, "value": value}
		}
		if err := a.printJSON(value); err != nil {
			return err
		}
	}
	return nil
}

// valueOf finds a key, "sim.camera.width", in nested maps.
func valueOf(values map[string]any, key string) (any, error) {
	var value any = values
	for part := range strings.SplitSeq(key, ".") {
		section, ok := value.(map[string]any)
		if value, ok = section[part], ok && section[part] != nil; !ok {
			var known []string
			for _, k := range config.Keys() {
				known = append(known, k.Path)
			}
			return nil, fmt.Errorf("%q is no key of the configuration (did you mean %s?)", shorten(key, 60), robot.Nearest(shorten(key, 60), known))
		}
	}
	return value, nil
}
