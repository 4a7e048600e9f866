package daemon

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/dataset"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/demos"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// demonstration writes a dataset of one episode.
func demonstration(t *testing.T, fps int, cameras []string, action float64) string {
	t.Helper()
	d := so101.Description()
	dir := filepath.Join(t.TempDir(), "set")
	o := dataset.Options{FPS: fps, RobotType: d.Name, Joints: jointNames(d)}
	for _, name := range cameras {
		o.Cameras = append(o.Cameras, dataset.Camera{Name: name, Width: 160, Height: 120})
	}
	w, err := dataset.Create(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	e, err := w.Begin("pick up the red block")
	if err != nil {
		t.Fatal(err)
	}
	home := d.Home()
	for i := range 2 * fps {
		at := home
		at[0] = 0.01 * float64(i)
		f := &dataset.Frame{State: at[:6], Velocity: make([]float64, 6), Effort: make([]float64, 6), Action: append([]float64(nil), at[:6]...)}
		if i == fps {
			f.Action[1] = action
		}
		for range cameras {
			f.Pictures = append(f.Pictures, make([]byte, 3*160*120))
		}
		if err := e.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.End(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Somebody's own demonstrations become shards for training.
func TestDatasetDemos(t *testing.T) {
	cache := t.TempDir()
	both := []string{"front", "wrist"}
	report, err := DatasetDemos(t.Context(), demonstration(t, 20, both, 0), cache, so101.Description(), nil)
	if err != nil || report.Episodes != 1 || report.Frames != 20 {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, err := os.Stat(filepath.Join(cache, "shard-00000.safetensors")); err != nil {
		t.Error(err)
	}
	other := so101.Description()
	other.Joints[0].Name = "waist"
	for want, try := range map[string]func() error{
		"multiple of 10": func() error {
			_, err := DatasetDemos(t.Context(), demonstration(t, 15, both, 0), cache, so101.Description(), nil)
			return err
		},
		"front and wrist": func() error {
			_, err := DatasetDemos(t.Context(), demonstration(t, 10, both[:1], 0), cache, so101.Description(), nil)
			return err
		},
		"waist": func() error {
			_, err := DatasetDemos(t.Context(), demonstration(t, 10, both, 0), cache, other, nil)
			return err
		},
		"action: number 1 is NaN": func() error {
			_, err := DatasetDemos(t.Context(), demonstration(t, 10, both, math.NaN()), cache, so101.Description(), nil)
			return err
		},
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, got %v", want, err)
		}
	}
}

// Demonstrations become a dataset in which each skill that worked is an episode,
// and what is recorded is what the teacher meant, not the noise.
func TestDemosAreADataset(t *testing.T) {
	out := filepath.Join(t.TempDir(), "set")
	report, err := Demos(t.Context(), robot.NewSystemClock(), DemoOptions{
		Episodes: 2, Seed: 5, Mix: demos.Mix{demos.Press: 1, demos.Put: 1}, Vary: world.Training(), Noise: 1, Out: out, Renderer: "osmesa",
	})
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Episodes) < report.Succeeded || len(set.Cameras) != 2 || set.Info.FPS != 10 {
		t.Errorf("%+v gave %d episodes with cameras %v", report, len(set.Episodes), set.Cameras)
	}
	if task := set.Episodes[0].Task; !strings.Contains(task, " the ") {
		t.Errorf("the first task is %q", task)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Demos(ctx, robot.NewSystemClock(), DemoOptions{Episodes: 1, Mix: demos.DefaultMix(), Renderer: "osmesa"}); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was cancelled gives %v", err)
	}
}
