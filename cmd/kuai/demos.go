package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/daemon"
	"github.com/kuai-robot/kuai/sim/demos"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

func (a *app) demosCommand() *cobra.Command {
	o := daemon.DemoOptions{Vary: world.Training()}
	var mix string
	var plain bool
	var policy string
	var execute int
	var from string
	c := &cobra.Command{
		Use:   "demos",
		Short: "Let the scripted teacher demonstrate skills in the simulator",
		Long: "Plays episodes at the workbench, as fast as the machine allows, and keeps pictures, joints, actions and\n" +
			"words: as a LeRobot dataset (--out), in which each skill that worked is an episode, or as shards for training\n" +
			"(--cache), which hold what failed as well. What is executed is disturbed, what is recorded is not. The same\n" +
			"seed gives the same episode.",
		Example: "  kuai demos --episodes 100 --out blocks\n  kuai demos --episodes 2000 --mix put=1 --cache ~/.cache/kuai-train/vla/demos\n" +
			"  kuai demos --from mine --cache ~/.cache/kuai-train/vla/mine",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.Episodes < 1 {
				return exitf(exitInput, "--episodes %d: must be 1 or more", o.Episodes)
			}
			if from != "" && (o.Cache == "" || o.Out != "" || policy != "") {
				return exitf(exitInput, "--from: a dataset becomes shards for training: give --cache FOLDER and nothing else")
			}
			if o.Out == "" && o.Cache == "" && policy == "" {
				return exitf(exitInput, "give --out FOLDER for a dataset, --cache FOLDER for training, or both")
			}
			if !(o.Noise >= 0 && o.Noise <= 5) {
				return exitf(exitInput, "--noise %g: want 0 to 5", o.Noise)
			}
			var err error
			if o.Mix, err = parseMix(mix); err != nil {
				return exitf(exitInput, "--mix: %w", err)
			}
			if plain {
				o.Vary = world.Vary{}
			}
			o.Done = func(number int, e *demos.Episode, _ bool) {
				a.errors.move(fmt.Sprintf("episode %d of %d: %s", number, o.Episodes, e.Skills[len(e.Skills)-1]))
			}
			var report daemon.DemoReport
			switch {
			case from != "":
				report, err = daemon.DatasetDemos(c.Context(), from, o.Cache, so101.Description(), a.episodeProgress)
			case policy != "":
				report, err = daemon.PolicyDemos(c.Context(), a.clock, o, policy, execute)
			default:
				report, err = daemon.Demos(c.Context(), a.clock, o)
			}
			a.errors.clearLine()
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(report)
			}
			fmt.Fprintf(a.out, "%d episodes (%d succeeded, %d seeds gave none), %d frames, %.0f s of motion in %.0f s\n",
				report.Episodes, report.Succeeded, report.Skipped, report.Frames, report.Seconds, report.Took)
			for _, family := range demos.Families() {
				if r, ok := report.Families[family]; ok {
					fmt.Fprintf(a.out, "  %-8s %d of %d\n", family, r[0], r[1])
				}
			}
			return nil
		},
	}
	flags := c.Flags()
	flags.IntVar(&o.Episodes, "episodes", 100, "how many `EPISODES`")
	flags.Uint64Var(&o.Seed, "seed", 1, "that of the first episode; the next has the next")
	flags.StringVar(&o.Out, "out", "", "`FOLDER` of the dataset; it must be empty or not be there")
	flags.StringVar(&o.Cache, "cache", "", "`FOLDER` of shards for training; new ones come after those that are there")
	flags.StringVar(&mix, "mix", formatMix(demos.DefaultMix()), "how often each family of `TASKS` is drawn")
	flags.Float64Var(&o.Noise, "noise", 1, "how strongly what is executed is disturbed; 0: not at all")
	flags.BoolVar(&plain, "plain", false, "the usual light, colours, table and camera instead of drawn ones")
	flags.StringVar(&policy, "policy", "", "let the policy of this `FOLDER` move the hand, and keep what the teacher would do (DAgger)")
	flags.StringVar(&from, "from", "", "take the episodes of the LeRobot dataset in this `FOLDER`, your own demonstrations, instead of simulating any")
	flags.IntVar(&execute, "execute", 4, "how many steps of a chunk the policy carries out before it looks again")
	flags.StringVar(&o.Renderer, "renderer", "", "osmesa (the CPU) or egl (a GPU); empty: the GPU where there is one")
	return c
}

// parseMix reads put=5,stack=3.
func parseMix(text string) (demos.Mix, error) {
	mix := demos.Mix{}
	for part := range strings.SplitSeq(text, ",") {
		name, share, ok := strings.Cut(strings.TrimSpace(part), "=")
		v, err := strconv.ParseFloat(share, 64)
		if !ok || err != nil {
			return nil, fmt.Errorf("%q: want family=share, such as put=5", part)
		}
		mix[name] = v
	}
	return mix, mix.Validate()
}

func formatMix(mix demos.Mix) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(mix)) {
		parts = append(parts, fmt.Sprintf("%s=%g", name, mix[name]))
	}
	return strings.Join(parts, ",")
}
