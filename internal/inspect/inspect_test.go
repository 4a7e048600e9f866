package inspect

import (
	"context"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/robot"
)

// recording writes two seconds: 100 Hz of ticks of which five are missing, a
// camera that is 30 ms late with a pause of half a second, an episode.
func recording(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	clock := robot.NewManualClock(time.Unix(1e9, 0), robot.Time(time.Second))
	d := &robot.Description{Name: "two", Joints: []robot.Joint{{Name: "pan"}, {Name: "lift"}}}
	r, err := record.Open(record.Options{Dir: dir, Clock: clock, Description: d, Queue: 10_000, Header: map[string]string{replay.HeaderRobot: "two", replay.HeaderVersion: "v1"}})
	if err != nil {
		t.Fatal(err)
	}
	say := func(topic string, at robot.Time, v any) {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		r.Message(topic, at, data)
	}
	begin := clock.Now()
	for i := range 200 {
		at := begin.Add(time.Duration(i) * 10 * time.Millisecond)
		r.State(robot.State{At: at, Position: robot.Joints{float64(i) / 100, 1}})
		if i%10 == 0 && (i < 50 || i >= 100) {
			r.Frame(robot.Frame{Camera: "front", At: at, JPEG: []byte{1}})
		}
		mode, reason := "held", "nobody asks for a motion"
		if i >= 150 {
			mode, reason = "moving", "moving as asked"
		}
		if i < 20 || i >= 25 {
			say(replay.TopicCommand, at, replay.Command{Number: uint64(i + 1), At: at, Enable: true, Position: replay.Numbers{float64(i) / 90, 1}, Mode: mode, Reason: reason,
				State: replay.State{At: at.Add(-3 * time.Millisecond)}})
		}
	}
	say(replay.TopicEpisode, begin, replay.Episode{ID: "1", Instruction: "go", Status: "running", Started: begin})
	say(replay.TopicEpisode, begin.Add(time.Second), replay.Episode{ID: "1", Instruction: "go", Status: "failed", Reason: "why not", Started: begin, Ended: begin.Add(time.Second)})
	say(replay.TopicRecorder, begin, replay.Counts{Written: 1, Dropped: 7})
	say(replay.TopicRecorder, begin.Add(time.Second), replay.Counts{Written: 1, Dropped: 7})
	clock.Advance(2 * time.Second)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Run(ended); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	return files[0]
}

func TestSummary(t *testing.T) {
	s, err := File(recording(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Robot != "two" || s.Version != "v1" || s.Truncated || s.Seconds < 1.98 || s.Seconds > 2 || !s.Begins.Equal(time.Unix(1e9+1, 0)) {
		t.Errorf("%+v", s)
	}
	if s.Drops != (Drops{Samples: 7, Ticks: 5}) {
		t.Errorf("drops %+v", s.Drops)
	}
	if l := s.Loop; l == nil || l.Ticks != 195 || l.PeriodMS < 9.9 || l.PeriodMS > 10.1 || l.StateAgeMS < 2.99 || l.StateAgeMS > 3.01 {
		t.Errorf("loop %+v", s.Loop)
	}
	if len(s.Episodes) != 1 || s.Episodes[0].Status != "failed" {
		t.Errorf("episodes %+v", s.Episodes)
	}
	if len(s.Verdicts) != 2 || s.Verdicts[0].Mode != "held" || s.Verdicts[0].Seconds < 1.49 || s.Verdicts[0].Seconds > 1.51 {
		t.Errorf("verdicts %+v", s.Verdicts)
	}
	for _, topic := range s.Topics {
		switch topic.Name {
		case "camera/front":
			if topic.Count != 15 || topic.Gap < 0.59 || topic.Gap > 0.61 {
				t.Errorf("%+v", topic)
			}
		case "joints":
			if topic.Count != 200 || topic.Rate < 99.9 || topic.Rate > 100.1 || topic.LateMS < 900 {
				t.Errorf("%+v", topic)
			}
		}
	}
	var text strings.Builder
	if err := s.WriteTable(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"camera/front", "lost: 7 samples, 5 ticks", "why not", "moving as asked"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
}

func TestPlotsAreDrawn(t *testing.T) {
	var shares []float64
	s, err := File(recording(t), func(done, of int64) { shares = append(shares, float64(done)/float64(of)) })
	if len(shares) == 0 || shares[len(shares)-1] != 1 {
		t.Errorf("the end of the file was not told: %v", shares)
	}
	if err != nil {
		t.Fatal(err)
	}
	paths, err := s.Plots(filepath.Join(t.TempDir(), "plots"))
	if err != nil || len(paths) != 4 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		picture, err := png.Decode(file)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		blue := 0
		size := picture.Bounds()
		for y := range size.Dy() {
			for x := range size.Dx() {
				if r, g, b, _ := picture.At(x, y).RGBA(); r>>8 < 40 && g>>8 > 80 && b>>8 > 150 {
					blue++
				}
			}
		}
		if blue < 100 {
			t.Errorf("%s: %d pixels of the first curve", path, blue)
		}
	}
}

func TestSeriesIsBounded(t *testing.T) {
	var s series
	for i := range 100_000 {
		s.add(robot.Time(i), float64(i))
	}
	if len(s.at) > maxPoints || len(s.at) < maxPoints/2 || s.at[0] != 0 || s.values[len(s.values)-1] < 99_000 {
		t.Errorf("%d points, from %v to %v", len(s.at), s.at[0], s.at[len(s.at)-1])
	}
}
