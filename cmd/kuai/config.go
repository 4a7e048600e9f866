package main

import (
	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/config"
)

func (a *app) configCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print the configuration in effect, every key explained",
		Long: "Prints every key with its value, each under its comment, as YAML that kuai reads back. Start a\n" +
			"configuration of your own from it, or check one: errors name the line and what to write.",
		Example: "  kuai config > robot.yaml\n  kuai config --config robot.yaml",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			c, err := config.Load(a.configPath)
			if err != nil {
				return &exitError{exitInput, err}
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
