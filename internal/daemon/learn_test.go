package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/lineage"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/demos"
	"github.com/kuai-robot/kuai/sim/world"
)

// trainer is a program in Python's place: it copies the policy that it is given.
const trainer = `#!/bin/sh
case "$1" in -c) exit 0;; esac
test -f train/vla/learn.py && test -n "$(ls new)" || { echo "nothing to learn from" >&2; exit 3; }
while test $# -gt 0; do case "$1" in --out) out=$2;; --method) method=$2;; esac; shift; done
test "$method" = lora || { echo "no such method" >&2; exit 3; }
cp policy/* "$out"
echo '{"episodes": 2, "after": {"new": 0.1}}'
`

func TestLearn(t *testing.T) {
	dir := t.TempDir()
	python, episodes := filepath.Join(dir, "python"), filepath.Join(dir, "mine")
	if err := os.WriteFile(python, []byte(trainer), 0o755); err != nil {
		t.Fatal(err)
	}
	clock := robot.NewManualClock(time.Unix(0, 0), 0)
	o := DemoOptions{Episodes: 1, Seed: 3, Mix: demos.Mix{demos.Press: 1}, Vary: world.Vary{}, Out: episodes, Renderer: "osmesa"}
	if _, err := Demos(t.Context(), clock, o); err != nil {
		t.Fatal(err)
	}
	learn := LearnOptions{Episodes: episodes, Into: filepath.Join(dir, "own"), Method: "lora", Steps: 1, Python: python, Version: "test", Progress: func(string) {}}
	first, err := Learn(t.Context(), clock, learn)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Learn(t.Context(), clock, learn)
	if err != nil {
		t.Fatal(err)
	}
	if first.Version != 1 || second.Version != 2 || first.From != "auto" || !strings.HasSuffix(second.From, "v1") {
		t.Errorf("versions %+v, %+v", first, second)
	}
	if first.DataHash == "" || first.DataHash != second.DataHash || !strings.Contains(string(first.Metrics), "0.1") {
		t.Errorf("lineage %+v", first)
	}
	// What fails changes nothing.
	learn.Method = "juggling"
	if _, err := Learn(t.Context(), clock, learn); err == nil || !strings.Contains(err.Error(), "no such method") {
		t.Errorf("%v", err)
	}
	if n, err := lineage.Open(learn.Into).Current(); n != 2 || err != nil {
		t.Errorf("version %d is in use, %v", n, err)
	}
	learn.Python = filepath.Join(dir, "none")
	if _, err := Learn(t.Context(), clock, learn); err == nil {
		t.Error("a Python that is not there is run")
	}
	bare := "#!/bin/sh\necho 'ModuleNotFoundError: No module named torch' >&2; exit 1\n"
	if err := os.WriteFile(python, []byte(bare), 0o755); err != nil {
		t.Fatal(err)
	}
	learn.Python = python
	if _, err := Learn(t.Context(), clock, learn); !errors.Is(err, errNoTorch) {
		t.Errorf("without torch: %v", err)
	}
}
