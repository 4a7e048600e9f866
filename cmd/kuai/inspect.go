package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/inspect"
	"github.com/kuai-robot/kuai/internal/record"
)

func (a *app) inspectCommand() *cobra.Command {
	var plots string
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Say what is in a recording",
		Long: "Prints the topics with their rates and gaps, how late samples were written down, what was lost, the\n" +
			"episodes, and how long the robot was in which mode and why. --plots draws joints, latencies, drops and\n" +
			"verdicts over time.",
		Example: "  kuai inspect recordings/20260102T030405_000000000Z.mcap\n  kuai inspect drive.mcap --plots drive --json",
		Args:    oneArgument("FILE"), ValidArgsFunction: completeRecordings,
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := inspect.File(args[0], a.reading("reading", args[0]))
			a.errors.clearLine()
			if err != nil {
				return err
			}
			write := s.WriteTable
			if a.json {
				write = s.WriteJSON
			}
			if err := write(a.out); err != nil || plots == "" {
				return err
			}
			paths, err := s.Plots(plots)
			for _, path := range paths {
				a.errors.line("drawn: %s", path)
			}
			return err
		},
	}
	c.Flags().StringVar(&plots, "plots", "", "draw PNG files into this `FOLDER`")
	return c
}

// reading shows how far a recording has been read, on a terminal.
func (a *app) reading(what, path string) record.Progress {
	name := filepath.Base(path)
	a.errors.move(what + " " + name)
	return func(done, of int64) {
		share := float64(done) / float64(max(of, 1))
		a.errors.move(fmt.Sprintf("%s %s  %s  %3.0f %%  of %s", what, name, bar(share, 24), 100*share, megabytes(of)))
	}
}
