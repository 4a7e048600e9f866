package replay

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A recording that ends in the middle, as a power cut leaves it, is replayed to
// the same bits as far as it goes, or the reason why not is told; and so is one
// whose first file is gone.
func TestARecordingCutAnywhereIsTheSameOrSaysWhyNot(t *testing.T) {
	whole := dream(t, t.TempDir())
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]int{}
	var ticks uint64
	const cuts = 24
	for i := 1; i <= cuts; i++ {
		path := filepath.Join(t.TempDir(), "cut.mcap")
		if err := os.WriteFile(path, data[:len(data)*i/(cuts+1)], 0o600); err != nil {
			t.Fatal(err)
		}
		report, err := Replay(t.Context(), []string{path}, stages(t, nil), "", nil)
		switch {
		case err != nil:
			outcomes["refused"]++
			if !strings.Contains(err.Error(), "nothing to replay (") {
				t.Errorf("cut %d: refused for no reason that a person could use: %v", i, err)
			}
		case report.Same():
			outcomes["same"]++
			if n := uint64(report.Ticks); n < ticks {
				t.Errorf("cut %d: %d ticks, the cut before had %d", i, n, ticks)
			} else {
				ticks = n
			}
		default:
			t.Errorf("cut %d differs: %s", i, text(t, report))
		}
	}
	t.Logf("of %d cuts: %v, up to %d ticks", cuts, outcomes, ticks)
	if outcomes["same"] < cuts/4 || ticks == 0 {
		t.Errorf("too few could be replayed: %v", fmt.Sprint(outcomes))
	}
}
