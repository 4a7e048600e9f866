package main

import "github.com/spf13/cobra"

func (a *app) evalCommand() *cobra.Command {
	var o evalFlags
	c := &cobra.Command{
		Use:   "eval",
		Short: "Run whole episodes in the simulator and report how many succeed",
		Long: "Runs a suite of episodes headless, as fast as the machine allows, and reports for each family of\n" +
			"instructions and in all: goal reached, plan right, executed right, with Wilson intervals. A suite is\n" +
			"\"tabletop\", \"kitchen\" (a household and its robot on wheels), \"kitchen-fresh\", \"kitchen-later\" and \"kitchen-third\"\n" +
			"(the same with sentences and scenes that were written after the planner), one of those of the policy that sees (pixels-seen and so on, at the workbench), or a JSONL file,\n" +
			"one episode a line. \"stopword\" lets the stop word detector hear voices it was\n" +
			"not trained on and prints what it missed and what it heard where there was none. \"voice\" speaks commands into\n" +
			"a noisy room and prints how many begin the right skill. \"bias\" compares what is refused and understood\n" +
			"over names, dialects and languages.",
		Example: "  kuai eval --suite tabletop --episodes 100 --seed 1\n  kuai eval --suite pixels-seen --skills learned --given\n  kuai eval --suite mine.jsonl --json --out episodes",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.episodes < 0 {
				return exitf(exitInput, "--episodes %d: must be 0 (the suite as it is) or more", o.episodes)
			}
			if o.suite == stopwordSuite {
				return a.runStopword(c.Context(), &o)
			}
			if o.suite == biasSuite {
				return a.runBias()
			}
			if o.suite == voiceSuite {
				return a.runVoice(c.Context(), &o)
			}
			return a.runEval(c.Context(), &o)
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.suite, "suite", "tabletop", "\"tabletop\", \"kitchen\", \"kitchen-fresh\", \"kitchen-later\", \"kitchen-third\", \"stopword\", \"voice\", \"bias\", \"pixels-…\" or a JSONL `FILE`")
	flags.IntVar(&o.episodes, "episodes", 0, "how many `EPISODES`; 0: each line of the suite once")
	flags.Uint64Var(&o.seed, "seed", 1, "draws what the suite leaves open")
	flags.StringVar(&o.out, "out", "", "keep each episode's steps, candidates and scores in this `FOLDER`")
	flags.BoolVar(&o.given, "given", false, "run each episode's plan without the language model: what the body can do")
	o.skillFlags(flags)
	o.backend.add(flags)
	flags.StringVar(&o.world, "world", "", "the `WORLD` of the simulator that a JSONL file is about; empty: as the suite or the configuration has it")
	flags.StringVar(&o.adapter, "adapter", "", "plan with this `ADAPTER` instead of planner.adapter: auto, none or a folder")
	return c
}

// evalFlags are what the user asked for.
type evalFlags struct {
	suite    string
	episodes int
	seed     uint64
	out      string
	given    bool
	adapter  string
	skills   string
	policy   string
	can      string
	chunking string
	world    string
	backend  backendFlag
}

func (a *app) benchCommand() *cobra.Command {
	var static bool
	c := &cobra.Command{
		Use:   "bench [GROUP...]",
		Short: "Measure this machine against the budgets",
		Long: "Runs the groups of measurements that are named, or all of them, and prints value, unit and bar.\n" +
			"With --static, \"cuda\" measures nothing: it tells what the assembler and the cards' data sheets say of the\n" +
			"CUDA kernels, and predicts the time of whole models.",
		Example:           "  kuai bench\n  kuai bench loop stop --json\n  kuai bench cuda --static",
		ValidArgsFunction: completeGroups,
		RunE: func(c *cobra.Command, groups []string) error {
			if static {
				return a.benchStatic(c.Context(), groups)
			}
			if err := needGPU(groups); err != nil {
				return err
			}
			return a.runBench(c.Context(), groups)
		},
	}
	c.Flags().BoolVar(&static, "static", false, "predict the times of the CUDA kernels without a GPU (with the group cuda)")
	return c
}
