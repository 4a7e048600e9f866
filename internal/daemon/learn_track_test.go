package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/lineage"
)

// librarian is a program in Python's place that has the packages in HAS, and keeps
// what it is told to log.
const librarian = `#!/bin/sh
if test "$1" = -c; then
	for m in $HAS; do case "$2" in *"find_spec('$m')"*) exit 0;; esac; done
	exit 1
fi
test -f train/lineage/track.py || { echo "no source" >&2; exit 3; }
test -z "$FAILS" || { echo "mlflow: no such server" >&2; exit 3; }
echo "$@" > "$TOLD"
echo 'INFO: something else'
echo '{"mlflow": {"uri": "file:///runs", "run": "abc"}, "dvc": {"file": "v1.dvc", "md5": "1.dir"}}'
`

func TestTrackVersion(t *testing.T) {
	dir := t.TempDir()
	python, told := filepath.Join(dir, "python"), filepath.Join(dir, "told")
	if err := os.WriteFile(python, []byte(librarian), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TOLD", told)
	store := lineage.Open(filepath.Join(dir, "policies"))
	r, err := store.Add(func(string) (lineage.Record, error) { return lineage.Record{Kuai: "test"}, nil })
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		has, mlflow, dvc string
		want             string // of the arguments; empty: nothing is run
		err              error
	}{
		"neither is there":         {mlflow: TrackAuto, dvc: TrackAuto},
		"both are there":           {has: "mlflow dvc", mlflow: TrackAuto, dvc: TrackAuto, want: "--mlflow " + filepath.Join(dir, "policies", "mlruns") + " --dvc"},
		"off":                      {has: "mlflow dvc", mlflow: TrackOff, dvc: TrackOff},
		"not said":                 {has: "mlflow dvc"},
		"a server":                 {has: "mlflow", mlflow: "http://127.0.0.1:5000", dvc: TrackAuto, want: "--mlflow http://127.0.0.1:5000"},
		"mlflow is asked for only": {has: "dvc", mlflow: "http://127.0.0.1:5000", err: errNoMLflow},
		"dvc is asked for only":    {has: "mlflow", dvc: TrackOn, err: errNoDVC},
		"dvc alone":                {has: "dvc", mlflow: TrackAuto, dvc: TrackOn, want: "v1 --dvc"},
	} {
		t.Setenv("HAS", c.has)
		_ = os.Remove(told)
		o := LearnOptions{Python: python, Into: filepath.Join(dir, "policies"), MLflow: c.mlflow, DVC: c.dvc}
		track, err := o.tracker(t.Context())
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", name, err, c.err)
		}
		if err != nil {
			continue
		}
		done, err := track.track(t.Context(), python, store, &r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		args, _ := os.ReadFile(told)
		if !strings.HasSuffix(strings.TrimSpace(string(args)), c.want) || (c.want == "") != (len(args) == 0) {
			t.Errorf("%s: it was run with %q, want %q", name, args, c.want)
		}
		if c.want != "" && (done.MLflow == nil || done.MLflow.Run != "abc" || done.DVC.MD5 != "1.dir") {
			t.Errorf("%s: %+v", name, done)
		}
	}
	t.Setenv("FAILS", "1")
	_, err = tracker{dvc: true}.track(t.Context(), python, store, &r)
	if err == nil || !strings.Contains(err.Error(), "version 1 is made and in use") || !strings.Contains(err.Error(), "no such server") {
		t.Errorf("a failure says %v", err)
	}
}
