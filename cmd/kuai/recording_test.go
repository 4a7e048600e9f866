package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recordedRun gives the recording of a robot that was asked for one skill.
func recordedRun(t *testing.T) string {
	t.Helper()
	bin, dir := buildKuai(t), t.TempDir()
	broker, page, cameras := freePort(t), freePort(t), freePort(t)
	text := fmt.Sprintf("broker: {listen: \"127.0.0.1:%s\"}\nweb: {listen: \"127.0.0.1:%s\"}\nsim: {demo: \"\", rtsp: {listen: \"127.0.0.1:%s\"}}\n"+
		"cameras:\n  - {name: front, url: \"rtsp://127.0.0.1:%s/front\"}\nrecord: {on: true, folder: rec}\n"+
		// What is tested is the recording, not how busy this machine is.
		"safety: {max_state_age: 5s, max_tick: 5s, policy: {expiry: 5s, max_age: 10s}, skill: {expiry: 5s, max_age: 10s}}\n", broker, page, cameras, cameras)
	path := filepath.Join(dir, "robot.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("run", func(t *testing.T) {
		startDaemon(t, filepath.Join(bin, "kuai"), path)
		if got := kuai(t.Context(), nil, "", "skill", "pick", "red block", "--config", path); got.status != 0 {
			t.Errorf("skill: %d %s", got.status, got.errors)
		}
	})
	files, err := filepath.Glob(filepath.Join(dir, "rec", "*.mcap"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	return files[0]
}

func TestWhatARecordingIsGoodFor(t *testing.T) {
	path := recordedRun(t)
	dir := t.TempDir()
	set, back, plots := filepath.Join(dir, "set"), filepath.Join(dir, "back"), filepath.Join(dir, "plots")

	got := kuai(t.Context(), nil, "", "inspect", path, "--plots", plots)
	if got.status != 0 || !strings.Contains(got.out, "camera/front") || !strings.Contains(got.out, "pick(red block)") || strings.Count(got.errors, "drawn:") != 4 {
		t.Errorf("inspect: %d\n%s%s", got.status, got.out, got.errors)
	}
	got = kuai(t.Context(), nil, "", "replay", path, "--json")
	var report struct {
		Same  bool
		Ticks int
	}
	// The daemon is the built program and this is the test, so a note says that
	// they are not the same; the commands are.
	if err := json.Unmarshal([]byte(got.out), &report); err != nil || got.status != 0 || !report.Same || report.Ticks < 100 {
		t.Errorf("replay: %d %v\n%s%s", got.status, err, got.out, got.errors)
	}
	got = kuai(t.Context(), nil, "", "dataset", "export", path, "--out", set, "--fps", "10", "--json")
	var done struct{ Episodes, Frames int }
	if err := json.Unmarshal([]byte(got.out), &done); err != nil || got.status != 0 || done.Episodes != 1 || done.Frames < 2 {
		t.Fatalf("export: %d %v\n%s%s", got.status, err, got.out, got.errors)
	}
	got = kuai(t.Context(), nil, "", "dataset", "import", set, "--out", back)
	if got.status != 0 || !strings.Contains(got.out, fmt.Sprintf("1 episodes, %d frames", done.Frames)) {
		t.Errorf("import: %d\n%s%s", got.status, got.out, got.errors)
	}
}

func TestRecordingCommandsRefuse(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.mcap")
	if err := os.WriteFile(broken, []byte("\x89MCAP0\r\nnot really"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"replay"}, exitInput, "needs one FILE"},
		{[]string{"replay", "missing.mcap"}, exitFailed, "no such file"},
		{[]string{"replay", broken}, exitFailed, "broken.mcap"},
		{[]string{"inspect", "missing.mcap"}, exitFailed, "no such file"},
		{[]string{"dataset", "export"}, exitInput, "at least one recording"},
		{[]string{"dataset", "export", broken}, exitInput, "--out"},
		{[]string{"dataset", "export", broken, "--out", "x"}, exitFailed, "broken.mcap"},
		{[]string{"dataset", "import", t.TempDir(), "--out", "x"}, exitFailed, "LeRobot dataset"},
		{[]string{"dataset", "exprt"}, exitInput, "did you mean"},
		{[]string{"record", "--for", "-1s"}, exitInput, "negative"},
	} {
		got := kuai(t.Context(), nil, "", c.args...)
		if got.status != c.status || !strings.Contains(got.errors, c.says) {
			t.Errorf("%v: status %d, %q; want %d and %q", c.args, got.status, got.errors, c.status, c.says)
		}
	}
}
