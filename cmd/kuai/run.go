package main

import (
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/config"
)

func (a *app) runCommand() *cobra.Command {
	adapter, world, computes := "", "", backendFlag{}
	c := &cobra.Command{
		Use:   "run",
		Short: "Start the robot: in simulation, unless a configuration says otherwise",
		Long: "Runs until it is interrupted. Without a configuration that is the simulated arm with its broker\n" +
			"on port 1883 and its page on http://localhost:8080; kuai config prints what may be changed.",
		Example: "  kuai run\n  kuai run --config robot.yaml\n  kuai run --adapter my-adapter\n  kuai run --world kitchen",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			settings, err := config.Load(a.configPath)
			if err != nil {
				return &exitError{exitInput, err}
			}
			if adapter != "" {
				settings.Planner.Adapter = adapter
			}
			if world != "" {
				if err := settings.SetWorld(world); err != nil {
					return &exitError{exitInput, err}
				}
			}
			if err := computes.set(&settings); err != nil {
				return &exitError{exitInput, err}
			}
			return a.runDaemon(c.Context(), settings, newLog(a.errors, settings.Log))
		},
	}
	c.Flags().StringVar(&adapter, "adapter", "", "plan with this `ADAPTER` instead of planner.adapter: auto, none or a folder")
	computes.add(c.Flags())
	c.Flags().StringVar(&world, "world", "", "simulate this `WORLD` with its robot and skills: tabletop, workbench, kitchen or kitchen-large")
	return c
}

// newLog writes lines of the configured kind.
func newLog(w io.Writer, c config.Log) *slog.Logger {
	options := &slog.HandlerOptions{}
	var level slog.Level
	if level.UnmarshalText([]byte(c.Level)) == nil {
		options.Level = level
	}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
