package dataset

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"testing"
)

// lerobotPython names a Python with the lerobot package (make test-lerobot).
const lerobotPython = "KUAI_LEROBOT_PYTHON"

// TestLeRobotOpensIt lets the lerobot package open and iterate a dataset.
func TestLeRobotOpensIt(t *testing.T) {
	python := os.Getenv(lerobotPython)
	if python == "" {
		t.Skipf("%s is not set (make test-lerobot sets it)", lerobotPython)
	}
	dir := t.TempDir()
	const frames = 12
	writeEpisodes(t, dir, frames, "put the block away", "do something else", "put the block away")
	command := exec.CommandContext(t.Context(), python, "testdata/check_lerobot.py", dir)
	command.Env = append(os.Environ(), "HF_HUB_OFFLINE=1", "HF_HOME="+t.TempDir())
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	var got struct {
		Episodes, FPS, Loaded int
		LastEpisode           int `json:"last_episode"`
		Frames                []struct {
			Episode, Frame int
			Timestamp      float64
			Task           string
			State, Action  []float64
			Pictures       map[string][2]json.RawMessage
		}
		Stats map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got.Episodes != 3 || got.FPS != testFPS || got.Loaded != 3*frames || got.LastEpisode != frames || len(got.Frames) != 3*frames {
		t.Fatalf("%d episodes, %d frames, %d loaded, %d in the last", got.Episodes, len(got.Frames), got.Loaded, got.LastEpisode)
	}
	for i, f := range got.Frames {
		want := testFrame(i % frames)
		task := []string{"put the block away", "do something else", "put the block away"}[i/frames]
		if f.Episode != i/frames || f.Frame != i%frames || f.Task != task || math.Abs(f.Timestamp-float64(i%frames)/testFPS) > 1e-6 {
			t.Errorf("frame %d: %+v", i, f)
		}
		for k := range want.State {
			if f.State[k] != want.State[k] || f.Action[k] != want.Action[k] {
				t.Errorf("frame %d: state %v, action %v", i, f.State, f.Action)
			}
		}
		var mean float64
		if err := json.Unmarshal(f.Pictures[imagePrefix+"front"][1], &mean); err != nil || math.Abs(mean-float64(20*(i%frames))/255) > 0.02 {
			t.Errorf("frame %d: the picture's mean is %g, want %g (%v)", i, mean, float64(20*(i%frames))/255, err)
		}
	}
	for _, name := range []string{featureState, featureAction, featureVelocity, imagePrefix + "front", "timestamp"} {
		for _, stat := range statNames {
			if len(got.Stats[name][stat]) == 0 {
				t.Errorf("no %s of %s", stat, name)
			}
		}
	}
}
