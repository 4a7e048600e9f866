package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/daemon"
	"github.com/kuai-robot/kuai/sim/demos"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// demoFlags are what the user asked for.
type demoFlags struct {
	daemon.DemoOptions
	mix, policy, from string
	plain             bool
	execute           int
}

func (a *app) demosCommand() *cobra.Command {
	o := demoFlags{DemoOptions: daemon.DemoOptions{Vary: world.Demonstrations()}}
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
			if err := o.check(); err != nil {
				return err
			}
			return a.runDemos(c.Context(), &o)
		},
	}
	flags := c.Flags()
	flags.IntVar(&o.Episodes, "episodes", 100, "how many `EPISODES`")
	flags.Uint64Var(&o.Seed, "seed", 1, "that of the first episode; the next has the next")
	flags.StringVar(&o.Out, "out", "", "`FOLDER` of the dataset; it must be empty or not be there")
	flags.StringVar(&o.Cache, "cache", "", "`FOLDER` of shards for training; new ones come after those that are there")
	flags.StringVar(&o.mix, "mix", formatMix(demos.DefaultMix()), "how often each family of `TASKS` is drawn")
	flags.Float64Var(&o.Noise, "noise", 1, "how strongly what is executed is disturbed; 0: not at all")
	flags.BoolVar(&o.plain, "plain", false, "the usual light, colours, table and camera instead of drawn ones")
	flags.StringVar(&o.policy, "policy", "", "let the policy of this `FOLDER` move the hand, and keep what the teacher would do (DAgger)")
	flags.BoolVar(&o.Alone, "alone", false, "with --policy: the teacher never takes the hand over, so that success is the policy's own (train.vla.judge)")
	flags.IntVar(&o.Ask.Others, "ask", 0, "look only now and then, and ask the teacher for so many other skills then, instead of keeping every frame of one (--cache)")
	flags.StringVar(&o.from, "from", "", "take the episodes of the LeRobot dataset in this `FOLDER`, your own demonstrations, instead of simulating any")
	flags.IntVar(&o.execute, "execute", 4, "how many steps of a chunk the policy carries out before it looks again")
	flags.StringVar(&o.Backend, "backend", config.BackendCPU, "with --policy: what computes it: cpu, cuda (a GPU; the processor where there is none), or ref (plain and slow)")
	flags.StringVar(&o.Renderer, "renderer", "", "osmesa (the CPU) or egl (a GPU); empty: the GPU where there is one")
	return c
}

// check says what of the flags makes no sense, and reads the mix.
func (o *demoFlags) check() (err error) {
	switch {
	case o.Episodes < 1:
		return exitf(exitInput, "--episodes %d: must be 1 or more", o.Episodes)
	case o.from != "" && (o.Cache == "" || o.Out != "" || o.policy != ""):
		return exitf(exitInput, "--from: a dataset becomes shards for training: give --cache FOLDER and nothing else")
	case o.Out == "" && o.Cache == "" && o.policy == "":
		return exitf(exitInput, "give --out FOLDER for a dataset, --cache FOLDER for training, or both")
	case !slices.Contains([]string{config.BackendCPU, config.BackendCUDA, config.BackendRef}, o.Backend):
		return exitf(exitInput, "--backend %q: want %s, %s or %s", o.Backend, config.BackendCPU, config.BackendCUDA, config.BackendRef)
	case o.Alone && o.policy == "":
		return exitf(exitInput, "--alone: give the --policy that is left alone")
	case o.Ask.Others < 0 || o.Ask.Others > 0 && (o.Cache == "" || o.Out != "" || o.policy != ""):
		return exitf(exitInput, "--ask: how many other skills; they become shards for training: give --cache FOLDER")
	case !(o.Noise >= 0 && o.Noise <= 5):
		return exitf(exitInput, "--noise %g: want 0 to 5", o.Noise)
	}
	if o.Mix, err = parseMix(o.mix); err != nil {
		return exitf(exitInput, "--mix: %w", err)
	}
	if o.Ask.Others > 0 {
		o.Ask.Every = askEvery
	}
	if o.plain {
		o.Vary = world.Vary{}
	}
	return nil
}

// askEvery is how many steps there are between two frames in which others are asked
// for: a second of motion.
const askEvery = 10

// runDemos makes the demonstrations and prints what came of them.
func (a *app) runDemos(ctx context.Context, o *demoFlags) (err error) {
	o.Done = func(number int, e *demos.Episode, _ bool) {
		a.errors.move(fmt.Sprintf("episode %d of %d: %s", number, o.Episodes, e.Skills[len(e.Skills)-1]))
	}
	o.Tell = a.tellOnce()
	var report daemon.DemoReport
	switch {
	case o.from != "":
		report, err = daemon.DatasetDemos(ctx, o.from, o.Cache, so101.Description(), a.episodeProgress)
	case o.policy != "":
		report, err = daemon.PolicyDemos(ctx, a.clock, o.DemoOptions, o.policy, o.execute)
	default:
		report, err = daemon.Demos(ctx, a.clock, o.DemoOptions)
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
