package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/daemon"
	"github.com/kuai-robot/kuai/internal/lineage"
)

// learnMethods are those of train/vla/learn.py.
var learnMethods = []string{"lora", "head", "full"}

type learnFlags struct {
	daemon.LearnOptions
	list, back bool
}

func (a *app) learnCommand() *cobra.Command {
	o := learnFlags{LearnOptions: daemon.LearnOptions{Version: version}}
	c := &cobra.Command{
		Use:   "learn",
		Short: "Have the learned policy learn from your own demonstrations",
		Long: "Makes a new version of a policy of the episodes of a LeRobot dataset, such as kuai dataset export --teleop\n" +
			"writes, and takes it into use: FOLDER/current is what policy: in the configuration names. So that what the policy\n" +
			"can do already is not forgotten, demonstrations of that are simulated and mixed in (--replay), only a part of it\n" +
			"may change (--method), and what matters for the old can be held (--ewc). Each version has lineage.json, which\n" +
			"says what it was made of and what was measured; where that Python has mlflow the version is logged to it as a run,\n" +
			"and where it has dvc FOLDER/vN.dvc tracks it. The training runs in Python with torch.",
		Example: "  kuai learn --episodes mine --into policies\n  kuai learn --list --into policies\n  kuai learn --back --into policies",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			switch store := lineage.Open(o.Into); {
			case o.list:
				return a.listVersions(store)
			case o.back:
				return a.stepBack(store)
			}
			return a.runLearn(c.Context(), &o)
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.Episodes, "episodes", "", "`FOLDER` of the dataset to learn from")
	flags.StringVar(&o.Into, "into", "policies", "`FOLDER` of the versions")
	flags.StringVar(&o.From, "from", "", "the policy of this `FOLDER` to begin with, or auto; empty: the version in use, else auto")
	flags.IntVar(&o.Replay, "replay", 100, "how many `EPISODES` of what it can do already are mixed in; 0: none")
	flags.StringVar(&o.Method, "method", "lora", "what may change: lora (matrices of low rank), head (the last layer and what follows) or full")
	flags.Float64Var(&o.EWC, "ewc", 0, "how firmly what matters for the old is held (elastic weight consolidation), such as 1000; 0: not")
	flags.IntVar(&o.Steps, "steps", 400, "how many steps of 32 frames")
	flags.Uint64Var(&o.Seed, "seed", 1, "of the training and of what is mixed in")
	flags.StringVar(&o.Python, "python", "python3", "the Python `PROGRAM` that has torch")
	flags.StringVar(&o.MLflow, "mlflow", a.mlflowDefault(), "where MLflow logs the version, a `URI` or folder; auto: FOLDER/mlruns, if mlflow is installed; off (also MLFLOW_TRACKING_URI)")
	flags.StringVar(&o.DVC, "dvc", daemon.TrackAuto, "whether DVC tracks the version: on, off, or auto: if dvc is installed")
	flags.BoolVar(&o.list, "list", false, "list the versions instead")
	flags.BoolVar(&o.back, "back", false, "take the version before the one in use into use again instead")
	return c
}

func (o *learnFlags) check() error {
	switch {
	case o.list && o.back:
		return exitf(exitInput, "--list and --back: give one of them")
	case (o.list || o.back) && o.Episodes != "":
		return exitf(exitInput, "--episodes: nothing is learned with --list or --back")
	case o.list || o.back:
		return nil
	case o.Episodes == "":
		return exitf(exitInput, "give --episodes FOLDER (kuai dataset export --teleop makes one of a recording)")
	case !slices.Contains(learnMethods, o.Method):
		return exitf(exitInput, "--method %q: want one of %v", o.Method, learnMethods)
	case !slices.Contains([]string{daemon.TrackAuto, daemon.TrackOn, daemon.TrackOff}, o.DVC):
		return exitf(exitInput, "--dvc %q: want auto, on or off", o.DVC)
	case o.Replay < 0 || o.Replay > 0 && o.Replay < 20 || o.Steps < 1 || !(o.EWC >= 0):
		return exitf(exitInput, "--replay is 0 or 20 and more, --steps 1 or more, --ewc 0 or more")
	}
	if _, err := os.Stat(o.Episodes); err != nil {
		return exitf(exitInput, "--episodes: %w", err)
	}
	return nil
}

func (a *app) runLearn(ctx context.Context, o *learnFlags) error {
	o.Progress = func(what string) { a.errors.move(what) }
	var done daemon.Tracked
	o.Tracked = func(t daemon.Tracked) { done = t }
	r, err := daemon.Learn(ctx, a.clock, o.LearnOptions)
	a.errors.clearLine()
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(struct {
			lineage.Record
			Tracked daemon.Tracked `json:"tracked,omitzero"`
		}{r, done})
	}
	var m learnMetrics
	if err := json.Unmarshal(r.Metrics, &m); err != nil {
		return fmt.Errorf("what was measured: %w", err)
	}
	store := lineage.Open(o.Into)
	fmt.Fprintf(a.out, "version %d, of %s and %d episodes of %d phrases: %s\n", r.Version, r.From, m.Episodes, len(m.Phrases), store.Path(r.Version))
	fmt.Fprintf(a.out, "error of the actions, new episodes: %.3f before, %.3f after\n", m.Before.New, m.After.New)
	if m.Replayed > 0 {
		fmt.Fprintf(a.out, "error of the actions, old episodes: %.3f before, %.3f after\n", m.Before.Old, m.After.Old)
	}
	if done.MLflow != nil {
		fmt.Fprintf(a.out, "logged to MLflow: run %s in %s\n", done.MLflow.Run, done.MLflow.URI)
	}
	if done.DVC != nil {
		fmt.Fprintf(a.out, "tracked with DVC: %s\n", done.DVC.File)
	}
	fmt.Fprintf(a.out, "in use: set policy: %s, and compare: kuai eval --suite pixels-seen --given --policy %s\n", store.CurrentPath(), store.CurrentPath())
	return nil
}

// learnMetrics are what train/vla/learn.py measured.
type learnMetrics struct {
	Episodes      int      `json:"episodes"`
	Replayed      int      `json:"replayed"`
	Phrases       []string `json:"phrases"`
	Before, After struct{ New, Old float64 }
}

func (a *app) listVersions(store *lineage.Store) error {
	all, err := store.Versions()
	if err != nil {
		return err
	}
	now, err := store.Current()
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"current": now, "versions": all})
	}
	table := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "version\tmade\tof\tepisodes\tdata (sha256)\tin use")
	for _, r := range all {
		use := ""
		if r.Version == now {
			use = "yes"
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%.12s\t%s\n", r.Version, r.Made.Format("2006-01-02 15:04"), r.From, r.Data, r.DataHash, use)
	}
	return table.Flush()
}

func (a *app) stepBack(store *lineage.Store) error {
	n, err := store.Back()
	if errors.Is(err, lineage.ErrFirst) {
		return exitf(exitInput, "%w", err)
	}
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]int{"current": n})
	}
	fmt.Fprintf(a.out, "version %d is in use again\n", n)
	return nil
}

// mlflowDefault is where versions are logged unless --mlflow says otherwise.
func (a *app) mlflowDefault() string {
	if uri := a.env("MLFLOW_TRACKING_URI"); uri != "" {
		return uri
	}
	return daemon.TrackAuto
}
