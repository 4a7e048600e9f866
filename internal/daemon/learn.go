package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/lineage"
	"github.com/kuai-robot/kuai/policy/learned"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/demos"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/so101"
	"github.com/kuai-robot/kuai/train/vla"
)

// LearnOptions say what a policy learns from, and how.
type LearnOptions struct {
	// Episodes is the folder of a LeRobot dataset, Into that of the versions.
	Episodes, Into string
	// From is the folder of the policy to begin with; empty: the version of Into that
	// is in use, or the policy that kuai comes with.
	From string
	// Replay is how many episodes of what the policy was taught are mixed in, so that
	// it does not forget.
	Replay int
	// Method, Steps, EWC and Seed are those of train/vla/learn.py.
	Method string
	Steps  int
	EWC    float64
	Seed   uint64
	// Python runs the training; Version is kuai's.
	Python, Version string
	Renderer        string
	// MLflow is where a version is logged: TrackAuto, TrackOff or MLflow's URI; DVC
	// whether it is tracked: TrackAuto, TrackOn or TrackOff. Empty: off.
	MLflow, DVC string
	// Progress is told what happens.
	Progress func(what string)
	// Tracked, where it is set, is told where the version was logged and tracked.
	Tracked func(Tracked)
}

// Learn makes a new version of a policy of the episodes that o names, and takes it
// into use.
func Learn(ctx context.Context, clock robot.Clock, o LearnOptions) (r lineage.Record, err error) {
	if err := canTrain(ctx, o.Python); err != nil {
		return r, err
	}
	for _, path := range []*string{&o.Into, &o.Episodes} { // the training runs elsewhere
		if *path, err = filepath.Abs(*path); err != nil {
			return r, err
		}
	}
	track, err := o.tracker(ctx)
	if err != nil {
		return r, err
	}
	store := lineage.Open(o.Into)
	from, base, err := o.begin(store)
	if err != nil {
		return r, err
	}
	r = lineage.Record{Made: clock.Epoch().Add(time.Duration(clock.Now())).UTC(), Kuai: o.Version, From: from, Data: o.Episodes, Settings: map[string]any{
		"method": o.Method, "steps": o.Steps, "ewc": o.EWC, "replay": o.Replay, "seed": o.Seed,
	}}
	if r.FromHash, err = lineage.Hash(base); err != nil {
		return r, fmt.Errorf("policy %s: %w", from, err)
	}
	if r.DataHash, err = lineage.Hash(os.DirFS(o.Episodes)); err != nil {
		return r, fmt.Errorf("episodes %s: %w", o.Episodes, err)
	}
	work, err := os.MkdirTemp("", "kuai-learn-")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := o.gather(ctx, clock, work, base); err != nil {
		return r, err
	}
	o.Progress("learning")
	r, err = store.Add(func(dir string) (lineage.Record, error) {
		r.Metrics, err = o.train(ctx, work, dir)
		return r, err
	})
	if err != nil {
		return r, err
	}
	done, err := track.track(ctx, o.Python, store, &r)
	if o.Tracked != nil {
		o.Tracked(done)
	}
	return r, err
}

// begin gives the policy to begin with: its name and its files.
func (o *LearnOptions) begin(store *lineage.Store) (string, fs.FS, error) {
	if o.From == config.Auto {
		return config.Auto, learned.Weights(), nil
	}
	if o.From != "" {
		return o.From, os.DirFS(o.From), nil
	}
	n, err := store.Current()
	if err != nil || n == 0 {
		return config.Auto, learned.Weights(), err
	}
	return store.Path(n), os.DirFS(store.Path(n)), nil
}

// gather puts what the training needs into work: its source, the policy, the new
// episodes and the old ones.
func (o *LearnOptions) gather(ctx context.Context, clock robot.Clock, work string, base fs.FS) error {
	err := errors.Join(os.CopyFS(filepath.Join(work, "train", "vla"), vla.Source), copyPolicy(filepath.Join(work, "policy"), base))
	if err != nil {
		return err
	}
	_, err = DatasetDemos(ctx, o.Episodes, filepath.Join(work, "new"), so101.Description(), func(number, of int, task string) {
		o.Progress(fmt.Sprintf("episode %d of %d: %s", number, of, task))
	})
	if err != nil || o.Replay == 0 {
		return err
	}
	_, err = Demos(ctx, clock, DemoOptions{
		Episodes: o.Replay, Seed: replaySeed + o.Seed<<20, Mix: demos.DefaultMix(), Vary: world.Training(), Noise: 1,
		Cache: filepath.Join(work, "replay"), Renderer: o.Renderer,
		Done: func(number int, _ *demos.Episode, _ bool) {
			o.Progress(fmt.Sprintf("episode %d of %d of what it can do", number, o.Replay))
		},
	})
	return err
}

// replaySeed is that of the first old episode; no suite and no training has it.
const replaySeed = 1 << 50

func copyPolicy(dir string, from fs.FS) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"config.json", "model.safetensors"} {
		data, err := fs.ReadFile(from, name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
		if err != nil {
			return fmt.Errorf("policy: %w", err)
		}
	}
	return nil
}

// errNoTorch says what is missing.
var errNoTorch = errors.New("it has no torch, numpy and safetensors (pip install torch numpy safetensors, or name another Python with --python)")

// canTrain says why python cannot train.
func canTrain(ctx context.Context, python string) error {
	out, err := exec.CommandContext(ctx, python, "-c", "import torch, numpy, safetensors").CombinedOutput()
	if err == nil {
		return nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && strings.Contains(string(out), "ModuleNotFoundError") {
		return fmt.Errorf("%s: %w", python, errNoTorch)
	}
	return fmt.Errorf("%s: %w: %s", python, err, lastLine(string(out)))
}

// train runs the training, which prints what it measured, and gives that.
func (o *LearnOptions) train(ctx context.Context, work, out string) (json.RawMessage, error) {
	args := []string{"-m", "train.vla.learn", "--policy", "policy", "--new", "new", "--out", out, "--method", o.Method,
		"--steps", strconv.Itoa(o.Steps), "--ewc", strconv.FormatFloat(o.EWC, 'g', -1, 64), "--seed", strconv.FormatUint(o.Seed, 10)}
	if o.Replay > 0 {
		args = append(args, "--replay", "replay")
	}
	c := exec.CommandContext(ctx, o.Python, args...)
	var told, wrong strings.Builder
	c.Dir, c.Stdout, c.Stderr = work, &told, &wrong
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("the training failed: %w: %s", err, lastLine(wrong.String()))
	}
	metrics := json.RawMessage(strings.TrimSpace(told.String()))
	if !json.Valid(metrics) {
		return nil, fmt.Errorf("the training said what is no JSON: %s", lastLine(told.String()))
	}
	return metrics, nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
