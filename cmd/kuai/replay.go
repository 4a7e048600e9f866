package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/daemon"
)

func (a *app) replayCommand() *cobra.Command {
	var update bool
	c := &cobra.Command{
		Use:   "replay FILE",
		Short: "Feed a recording through the robot's stages again and compare",
		Long: "Runs the agent, the control loop and the safety core again under the recorded clock, on what the robot\n" +
			"saw then; nothing moves. The same program gives the same commands to the bit; what differs is reported,\n" +
			"and the exit status is 1. A recording of kuai run with record.on: true holds what this needs.\n" +
			"The configuration is that of the recording, unless --config gives another.",
		Example: "  kuai replay recordings/20260102T030405_000000000Z.mcap\n  kuai replay drive.mcap --update-refs\n  kuai replay drive.mcap --config careful.yaml --json",
		Args:    oneArgument("FILE"), ValidArgsFunction: completeRecordings,
		RunE: func(c *cobra.Command, args []string) error {
			o := daemon.ReplayOptions{Update: update, Progress: a.reading("replaying", args[0])}
			if a.configPath != "" {
				settings, err := config.Load(a.configPath)
				if err != nil {
					return &exitError{exitInput, err}
				}
				o.Config = &settings
			}
			report, err := daemon.Replay(c.Context(), args[0], o)
			a.errors.clearLine()
			if err != nil {
				return err
			}
			write := report.WriteTable
			if a.json {
				write = report.WriteJSON
			}
			if err := write(a.out); err != nil {
				return err
			}
			switch {
			case update:
				a.errors.line("from now on replays of this file are held against %s", daemon.ReferencesOf(args[0]))
				return nil
			case !report.Same():
				return exitf(exitFailed, "the replay differs from the recording (if that is wanted: kuai replay %s --update-refs)", args[0])
			}
			return nil
		},
	}
	c.Flags().BoolVar(&update, "update-refs", false, "keep the commands as they are now beside the file; later replays are held against those")
	return c
}

// oneArgument asks for exactly one argument, which errors call name.
func oneArgument(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return exitf(exitInput, "%s needs one %s, got %s", c.CommandPath(), name, fmt.Sprint(len(args)))
		}
		return nil
	}
}
