package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
)

// recordEpisode runs a daemon that records an instruction, a stop in the middle
// of a skill, a reset and somebody who steers, and gives its recording.
func recordEpisode(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	r, h := start(t, func(c *config.Config) { c.Record.On, c.Record.Folder = true, dir })
	r.mustSend(t, topics.NameInstruction, topics.Instruction{ID: "1", Text: "put the red block in the blue bowl"})
	if e := h.kind("1", topics.EventSucceeded, topics.EventFailed, topics.EventRefused); e.Kind != topics.EventSucceeded {
		t.Fatalf("%s: %s", e.Kind, e.Reason)
	}
	r.mustSend(t, topics.NameSkill, topics.Skill{ID: "2", Name: "pick", Args: []string{"green block"}})
	if err := r.underWay(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.daemon.Stop("test")
	h.kind("2", topics.EventFailed)
	r.mustSend(t, topics.NameReset, topics.Reset{ID: "3"})
	h.kind("3", topics.EventReset)
	r.mustSend(t, topics.NameTeleop, topics.Teleop{At: 1, Velocity: []float64{0.2, 0, 0, 0, 0, 0}})
	if err := r.underWay(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.cancel()
	if err := <-r.ended; err != nil {
		t.Fatal(err)
	}
	r.ended <- nil
	files, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
	if err != nil || len(files) != 1 {
		t.Fatalf("recordings %v, %v", files, err)
	}
	return files[0]
}

func TestReplayGivesTheRecordedBits(t *testing.T) {
	path := recordEpisode(t)
	report, err := Replay(t.Context(), path, ReplayOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.WriteTable(&text); err != nil {
		t.Fatal(err)
	}
	if !report.Same() || len(report.Episodes) != 2 || report.Ticks < 300 || report.Episodes[0].Chunks < 20 || len(report.Notes) != 0 {
		t.Fatalf("%s", text.String())
	}
	t.Logf("%s", text.String())

	// Other limits give other commands; from then on those are the reference.
	slow, err := config.Load("")
	if err != nil {
		t.Fatal(err)
	}
	slow.Safety.Policy.Speed /= 4
	if report, err = Replay(t.Context(), path, ReplayOptions{Config: &slow}); err != nil {
		t.Fatal(err)
	}
	if report.Same() || report.First == nil || report.Joints[0].MaxPosition == 0 {
		t.Errorf("a quarter of the speed gave the same commands: %+v", report)
	}
	if _, err := Replay(t.Context(), path, ReplayOptions{Config: &slow, Update: true}); err != nil {
		t.Fatal(err)
	}
	if report, err = Replay(t.Context(), path, ReplayOptions{Config: &slow}); err != nil || !report.Same() || report.References == "" {
		t.Errorf("against its own references: %+v, %v", report, err)
	}
}

func TestReplayRefusesWhatItCannotReplay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.mcap")
	if err := os.WriteFile(path, []byte("not MCAP"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, filepath.Join(t.TempDir(), "missing.mcap")} {
		if _, err := Replay(t.Context(), p, ReplayOptions{}); err == nil {
			t.Errorf("%s was replayed", p)
		}
	}
}

// TestTheRobotGoesOnWhenRecordingCannot takes the folder of the recording away,
// which is what a full disk amounts to: nothing more can be written.
func TestTheRobotGoesOnWhenRecordingCannot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	r, h := start(t, func(c *config.Config) {
		c.Record.On, c.Record.Folder, c.Runner, c.Affordance = true, dir, config.None, config.None
	})
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.daemon.recording.recorder.Rotate()
	h.event("recording fails", func(e topics.Event) bool {
		return e.Kind == topics.EventWarning && strings.Contains(e.Reason, "recording pauses")
	})
	r.mustSend(t, topics.NameTeleop, topics.Teleop{At: 1, Velocity: []float64{0.2, 0, 0, 0, 0, 0}})
	if err := r.underWay(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	h.event("recording works again", func(e topics.Event) bool { return e.Reason == "recording works again" })
}
