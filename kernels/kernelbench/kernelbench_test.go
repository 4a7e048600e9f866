package kernelbench_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/kernelbench"
)

// TestMeasure runs every benchmark once by a clock that makes each repetition
// as short as it can be.
func TestMeasure(t *testing.T) {
	var clock time.Duration
	now := func() time.Duration { clock += 5 * time.Millisecond; return clock }
	rows, err := kernelbench.Measure(cpu.New(cpu.Options{Threads: 2}), "cpu", 2, now)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range rows {
		if !strings.HasPrefix(r.Name, "kernel.") || strings.Count(r.Name, ".") != 3 || seen[r.Name] {
			t.Errorf("name %q: want kernel.<op>.<backend>.<precision>, each once", r.Name)
		}
		if !(r.Value > 0) || r.Unit == "" {
			t.Errorf("%s is %g %s", r.Name, r.Value, r.Unit)
		}
		seen[r.Name] = true
		if strings.HasSuffix(r.Name, ".f32") && !(r.Peak > 0) {
			t.Errorf("%s has no peak: every processor multiplies in f32 and moves memory", r.Name)
		}
	}
}
