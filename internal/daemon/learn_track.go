package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/kuai-robot/kuai/internal/lineage"
	tracking "github.com/kuai-robot/kuai/train/lineage"
)

// When a version is logged or tracked, where LearnOptions.MLflow and DVC name
// neither a place nor a wish.
const (
	// TrackAuto does so where the package is installed beside the training.
	TrackAuto = "auto"
	// TrackOff never does.
	TrackOff = "off"
	// TrackOn insists on DVC.
	TrackOn = "on"
)

// Errors of a package that was asked for and is not there.
var (
	errNoMLflow = errors.New("it has no mlflow (pip install mlflow-skinny, or say --mlflow off)")
	errNoDVC    = errors.New("it has no dvc (pip install dvc, or say --dvc off)")
)

// runsFolder is where MLflow's runs lie in the folder of the versions when no other
// place is named.
const runsFolder = "mlruns"

// Tracked says where a version was logged and tracked; empty: it was not.
type Tracked struct {
	MLflow *struct {
		URI string `json:"uri"`
		Run string `json:"run"`
	} `json:"mlflow,omitempty"`
	DVC *struct {
		File string `json:"file"`
		MD5  string `json:"md5"`
	} `json:"dvc,omitempty"`
}

// tracker is what will be done with a version.
type tracker struct {
	mlflow string // the URI; empty: nothing
	dvc    bool
}

// tracker settles what is done with the version, before anything is trained: a
// package that was asked for must be there.
func (o *LearnOptions) tracker(ctx context.Context) (t tracker, err error) {
	switch o.MLflow {
	case TrackOff, "":
	case TrackAuto:
		if hasModule(ctx, o.Python, "mlflow") {
			t.mlflow = filepath.Join(o.Into, runsFolder)
		}
	default:
		if t.mlflow = o.MLflow; !strings.Contains(t.mlflow, ":") { // a folder; Python runs elsewhere
			if t.mlflow, err = filepath.Abs(t.mlflow); err != nil {
				return t, err
			}
		}
		if !hasModule(ctx, o.Python, "mlflow") {
			return t, fmt.Errorf("%s: %w", o.Python, errNoMLflow)
		}
	}
	switch o.DVC {
	case TrackOff, "":
	case TrackAuto:
		t.dvc = hasModule(ctx, o.Python, "dvc")
	case TrackOn:
		if t.dvc = hasModule(ctx, o.Python, "dvc"); !t.dvc {
			return t, fmt.Errorf("%s: %w", o.Python, errNoDVC)
		}
	default:
		return t, fmt.Errorf("dvc: %q: want auto, on or off", o.DVC)
	}
	return t, nil
}

// hasModule says whether python could import a module, without importing it.
func hasModule(ctx context.Context, python, module string) bool {
	look := "import importlib.util, sys; sys.exit(importlib.util.find_spec('" + module + "') is None)"
	return exec.CommandContext(ctx, python, "-c", look).Run() == nil
}

// track logs and tracks the version of r.
func (t tracker) track(ctx context.Context, python string, store *lineage.Store, r *lineage.Record) (done Tracked, err error) {
	if t.mlflow == "" && !t.dvc {
		return done, nil
	}
	work, err := os.MkdirTemp("", "kuai-track-")
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := os.CopyFS(filepath.Join(work, "train", "lineage"), tracking.Source); err != nil {
		return done, err
	}
	args := []string{"-m", "train.lineage.track", "--version", store.Path(r.Version)}
	if t.mlflow != "" {
		args = append(args, "--mlflow", t.mlflow)
	}
	if t.dvc {
		args = append(args, "--dvc")
	}
	c := exec.CommandContext(ctx, python, args...)
	var told, wrong strings.Builder
	c.Dir, c.Stdout, c.Stderr = work, &told, &wrong
	if err := c.Run(); err != nil {
		return done, fmt.Errorf("version %d is made and in use, but not logged or tracked: %w: %s", r.Version, err, lastLine(wrong.String()))
	}
	if err := json.Unmarshal([]byte(lastLine(told.String())), &done); err != nil {
		return done, fmt.Errorf("version %d: what was logged is no JSON: %w: %s", r.Version, err, lastLine(told.String()))
	}
	return done, nil
}
