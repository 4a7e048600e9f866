package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/dataset"
)

func (a *app) datasetCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "dataset",
		Short:   "Turn recordings into datasets for training, and back",
		Long:    "Datasets are LeRobotDataset v3, which the lerobot package opens.",
		Example: "  kuai dataset export recordings/*.mcap --out blocks\n  kuai dataset import blocks --out recordings",
		Args:    knownCommand,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.datasetExportCommand(), a.datasetImportCommand())
	return c
}

func (a *app) datasetExportCommand() *cobra.Command {
	var out string
	var o dataset.ExportOptions
	c := &cobra.Command{
		Use:   "export RECORDING...",
		Short: "Write the episodes of recordings as a LeRobot dataset",
		Long: "An episode is the time from an instruction to its end. At a fixed rate each frame holds the newest joints\n" +
			"and pictures, and as action the position that was commanded. Episodes that failed are left out unless\n" +
			"--failed asks for them.",
		Example: "  kuai dataset export recordings/*.mcap --out blocks\n  kuai dataset export monday.mcap --out blocks --fps 30 --anonymise\n" +
			"  kuai dataset export tuesday.mcap --out mine --fps 10 --teleop \"pick up the red block\"",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return exitf(exitInput, "%s needs at least one recording", c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return exitf(exitInput, "--out: give the folder that the dataset is to be written to")
			}
			if o.FPS < 0 || o.FPS > 1000 {
				return exitf(exitInput, "--fps %d: want 1 to 1000, or 0 for the rate of the cameras", o.FPS)
			}
			o.Progress = a.episodeProgress
			done, err := dataset.Export(c.Context(), args, out, o)
			a.errors.clearLine()
			if err != nil {
				return err
			}
			if a.json {
				return done.WriteJSON(a.out)
			}
			return done.WriteText(a.out)
		},
	}
	flags := c.Flags()
	flags.StringVar(&out, "out", "", "`FOLDER` of the dataset; it must be empty or not be there")
	flags.IntVar(&o.FPS, "fps", 0, "frames a second; 0: the rate of the slowest camera")
	flags.BoolVar(&o.Failed, "failed", false, "take episodes that failed as well")
	flags.StringVar(&o.Teleop, "teleop", "", "take what a person demonstrated by steering instead, each stretch as an episode of this `TASK`")
	flags.BoolVar(&o.Anonymise, "anonymise", false, "hide faces, scrub names and numbers from the tasks, leave sound out, and say what was removed")
	return c
}

func (a *app) datasetImportCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:     "import FOLDER",
		Short:   "Write a LeRobot dataset as a recording",
		Long:    "What was imported can be inspected, opened in Foxglove and exported again; it cannot be replayed.",
		Example: "  kuai dataset import blocks --out recordings",
		Args:    oneArgument("FOLDER"),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return exitf(exitInput, "--out: give the folder that the recording is to be written to")
			}
			done, err := dataset.Import(c.Context(), args[0], out, a.clock.Epoch(), a.episodeProgress)
			a.errors.clearLine()
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(done)
			}
			fmt.Fprintf(a.out, "%d episodes, %d frames, %d joints, cameras %v, in %s\n", done.Episodes, done.Frames, len(done.Joints), done.Cameras, done.Folder)
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "", "`FOLDER` of the recording")
	return c
}

// episodeProgress shows which episode is being worked on.
func (a *app) episodeProgress(number, of int, task string) {
	a.errors.move(fmt.Sprintf("episode %d of %d: %s", number, of, shorten(task, 60)))
}
