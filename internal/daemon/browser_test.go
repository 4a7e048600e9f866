package daemon

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestBrowser steers the simulated robot from its page in a real browser; what
// the page does by itself is tested in internal/web.
func TestBrowser(t *testing.T) {
	const script = "../../web/test/robot.mjs"
	chromium := "/usr/bin/chromium"
	if other := os.Getenv("CHROMIUM"); other != "" {
		chromium = other
	}
	for _, needed := range []string{"../../web/node_modules/playwright-core", chromium, script} {
		if _, err := os.Stat(needed); err != nil {
			t.Skipf("%s is not installed (make test-web)", needed)
		}
	}
	r, _ := start(t, nil)
	out, err := exec.CommandContext(t.Context(), "node", script, r.daemon.URL()+"/").CombinedOutput()
	for line := range strings.Lines(string(out)) {
		t.Log(strings.TrimSuffix(line, "\n"))
	}
	if err != nil {
		t.Error(err)
	}
}
