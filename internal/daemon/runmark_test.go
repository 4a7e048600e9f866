package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRunMark(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	path := filepath.Join(state, "kuai", "arm.running")
	for _, c := range []struct {
		name                  string
		begun, clean          bool
		wantUnclean, wantLeft bool
	}{
		{"the first start, which fails before it runs", false, false, false, false},
		{"runs and ends as it should", true, true, false, false},
		{"runs and breaks", true, false, false, true},
		{"comes up, fails before it runs", false, false, true, true},
		{"comes up and breaks again", true, false, true, true},
		{"comes up and ends as it should", true, true, true, false},
		{"the next", true, true, false, false},
	} {
		m, err := newRunMark("arm")
		if err != nil || m.unclean != c.wantUnclean {
			t.Errorf("%s: unclean %v, %v; want %v", c.name, m.unclean, err, c.wantUnclean)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: there is no mark: %v", c.name, err)
		}
		m.begun, m.clean = c.begun, c.clean
		if err := m.close(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := os.Stat(path); (err == nil) != c.wantLeft {
			t.Errorf("%s: afterwards: %v, left %v wanted", c.name, err, c.wantLeft)
		}
	}
}

// Who cannot note that the robot runs would not know later that it was killed.
func TestRunMarkThatCannotBeWrittenCountsAsUnclean(t *testing.T) {
	file := filepath.Join(t.TempDir(), "no-folder")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_STATE_HOME", file)
	m, err := newRunMark("arm")
	if !m.unclean {
		t.Error("the robot would start as if all were well")
	}
	// A path through a file cannot be looked up either, which is no error yet.
	if err != nil && !strings.Contains(err.Error(), "run mark") {
		t.Error(err)
	}
	m.begun, m.clean = true, true
	if err := m.close(); err != nil && !strings.Contains(err.Error(), "run mark") {
		t.Error(err)
	}
}
