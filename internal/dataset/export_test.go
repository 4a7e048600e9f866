package dataset

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/robot"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// recording writes 100 Hz of commands and 20 Hz of a camera, over two episodes:
// one that succeeds between 1.5 s and 2.5 s, one that fails until 3.2 s.
func recording(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	clock := robot.NewManualClock(epoch, robot.Time(time.Second))
	d := &robot.Description{Name: "two", Joints: []robot.Joint{{Name: "pan"}, {Name: "lift"}}}
	r, err := record.Open(record.Options{Dir: dir, Clock: clock, Description: d, Wait: true, Header: map[string]string{replay.HeaderRun: "1", replay.HeaderRobot: "two"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	say := func(topic string, v any) {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		r.Message(topic, clock.Now(), data)
	}
	second := robot.Time(time.Second)
	for i := range 300 {
		now := clock.Now()
		if i%5 == 0 {
			file, err := jpeg.Encode(grey(byte(i/2)), testWidth, testHeight, 95)
			if err != nil {
				t.Fatal(err)
			}
			r.Frame(robot.Frame{Camera: "front", At: now.Add(-20 * time.Millisecond), JPEG: file})
		}
		switch i {
		case 50:
			r.Clip(robot.Clip{Microphone: "desk", At: now, Rate: 16000, Samples: make([]float32, 16000)})
		case 150:
			say(replay.TopicEpisode, replay.Episode{ID: "1", Instruction: "bring Anna the block, call 030 1234567", Status: "succeeded", Started: second * 3 / 2, Ended: second * 5 / 2})
		case 220:
			say(replay.TopicEpisode, replay.Episode{ID: "2", Instruction: "and now?", Status: "failed", Reason: "dropped", Started: second * 5 / 2, Ended: second * 16 / 5})
		}
		x := now.Seconds()
		r.State(robot.State{At: now, Position: robot.Joints{x, -x}})
		source := "policy"
		if i >= 30 && i < 50 || i >= 120 && i < 240 {
			source = "teleop"
		}
		say(replay.TopicCommand, replay.Command{Number: uint64(i + 1), At: now, Source: source, Position: replay.Numbers{x + 0.5, 3}, Velocity: replay.Numbers{0, 0},
			State: replay.State{At: now, Position: replay.Numbers{x, -x}, Velocity: replay.Numbers{1, -1}, Effort: replay.Numbers{0, 0.25}, Temperature: replay.Numbers{20, 20}}})
		clock.Advance(10 * time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	return files[0]
}

// A person who steers long enough demonstrates something.
func TestExportTakesWhatWasSteered(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	done, err := Export(t.Context(), []string{recording(t)}, dir, ExportOptions{FPS: 10, Teleop: "pick up the red block"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	// Between 0.2 s and 1.2 s nobody steered, which is no pause; the first stretch
	// and the second are one of 2.1 s.
	if done.Episodes != 1 || d.Episodes[0].Task != "pick up the red block" || d.Episodes[0].Length < 20 || d.Episodes[0].Length > 22 {
		t.Errorf("%+v, %+v", done, d.Episodes)
	}
}

func TestExportSamplesEpisodes(t *testing.T) {
	file, dir := recording(t), filepath.Join(t.TempDir(), "set")
	done, err := Export(t.Context(), []string{file}, dir, ExportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if done.Episodes != 1 || done.FPS != 20 || done.Frames != 21 || !slices.Equal(done.Cameras, []string{"front"}) || len(done.Skipped) != 1 {
		t.Fatalf("%+v", done)
	}
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	e := &d.Episodes[0]
	pictures, err := d.openPictures(e, "front")
	if err != nil {
		t.Fatal(err)
	}
	defer pictures.close()
	err = d.Rows(e, func(r *Row) error {
		at := 1.5 + float64(r.Frame)/20
		if math.Abs(r.State[0]-at) > 1e-6 || math.Abs(r.Action[0]-at-0.5) > 1e-6 || r.Velocity[1] != -1 || r.Effort[1] != 0.25 {
			t.Errorf("at %.2f s: %+v", at, r)
		}
		p, err := pictures.next()
		if err != nil {
			return err
		}
		// The picture of x was taken 20 ms before it came at x = 1 + i·0.01.
		i := math.Floor((at-1+1e-9)/0.05) * 5
		if got := float64(p.rgb[0]); math.Abs(got-math.Floor(i/2)) > 4 {
			t.Errorf("at %.2f s the picture is %g, want %g", at, got, math.Floor(i/2))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Export(t.Context(), []string{file}, dir, ExportOptions{}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a dataset was written over another one: %v", err)
	}
	both, err := Export(t.Context(), []string{file}, filepath.Join(t.TempDir(), "both"), ExportOptions{Failed: true, FPS: 10})
	if err != nil || both.Episodes != 2 || both.FPS != 10 {
		t.Errorf("%+v, %v", both, err)
	}
}

func TestImportReadsItBack(t *testing.T) {
	set, out, again := filepath.Join(t.TempDir(), "set"), t.TempDir(), filepath.Join(t.TempDir(), "again")
	writeEpisodes(t, set, 12, "put the block away", "do something else")
	done, err := Import(t.Context(), set, out, epoch, nil)
	if err != nil || done.Episodes != 2 || done.Frames != 24 || !slices.Equal(done.Joints, []string{"pan", "lift"}) {
		t.Fatalf("%+v, %v", done, err)
	}
	files, err := filepath.Glob(filepath.Join(out, "*.mcap"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if _, err := Export(t.Context(), files, again, ExportOptions{}); err != nil {
		t.Fatal(err)
	}
	was, is := rowsOf(t, set), rowsOf(t, again)
	if len(is) != 24 || !slices.EqualFunc(was, is, func(a, b Row) bool {
		return a.Frame == b.Frame && slices.Equal(a.State, b.State) && slices.Equal(a.Velocity, b.Velocity) && slices.Equal(a.Effort, b.Effort) && slices.Equal(a.Action, b.Action)
	}) {
		t.Errorf("%d frames came back as %d, or others", len(was), len(is))
	}
}

func rowsOf(t *testing.T, dir string) (all []Row) {
	t.Helper()
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.Episodes {
		if err := d.Rows(&d.Episodes[i], func(r *Row) error { all = append(all, *r); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestAnonymise(t *testing.T) {
	f, err := newFaces(10)
	if err != nil {
		t.Skip(err)
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "set")
	done, err := Export(t.Context(), []string{recording(t)}, dir, ExportOptions{Anonymise: true})
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Episodes[0].Task; got != "bring [name] the block, call [number]" {
		t.Errorf("the task is %q", got)
	}
	r := done.Removed
	if r == nil || r.Texts["name"] != 1 || r.Texts["number"] != 1 || r.SoundSeconds["desk"] != 1 {
		t.Errorf("removed %+v", r)
	}
	data, err := os.ReadFile(filepath.Join(dir, tasksPath))
	if err != nil || strings.Contains(string(data), "Anna") {
		t.Errorf("a name is left in the file: %v", err)
	}
}

func TestScrub(t *testing.T) {
	for text, want := range map[string]string{
		"Put the red block in the blue bowl. Then stop.": "Put the red block in the blue bowl. Then stop.",
		"give it to Maria Schmidt, please":               "give it to [name] [name], please",
		"mail a.b@example.org or see https://x.y/z":      "mail [mail address] or see [address]",
		"look at 10.0.0.7 and call +49 (30) 123-4567":    "look at [network address] and call [number]",
		"I'd like 3 blocks, OK":                          "I'd like 3 blocks, OK",
	} {
		if got := scrub(text, func(string) {}); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
