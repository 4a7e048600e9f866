package sensor_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kuai-robot/kuai/perception/sensor"
	"github.com/kuai-robot/kuai/robot"
)

func ms(n int) robot.Time { return robot.Time(time.Duration(n) * time.Millisecond) }

func TestFramesAreNotLaterThanAsked(t *testing.T) {
	j := sensor.New()
	for _, at := range []int{10, 40, 20, 30} {
		j.Frame(robot.Frame{Camera: "wrist", At: ms(at)})
	}
	j.Frame(robot.Frame{Camera: "front", At: ms(35)})
	frames := j.Frames(ms(32))
	if len(frames) != 1 || frames[0].Camera != "wrist" || frames[0].At != ms(30) {
		t.Errorf("at 32 ms: %v", frames)
	}
	frames = j.Frames(ms(50))
	if len(frames) != 2 || frames[0].Camera != "front" || frames[1].At != ms(40) {
		t.Errorf("at 50 ms: %v", frames)
	}
}

// TestNewestOfMany compares with a plain search over all that is still kept.
func TestNewestOfMany(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := sensor.New()
		var newest robot.Time
		for _, at := range rapid.SliceOfN(rapid.IntRange(1, 1000), 1, 30).Draw(t, "times") {
			j.Frame(robot.Frame{Camera: "c", At: ms(at)})
			newest = max(newest, ms(at))
		}
		if frames := j.Frames(ms(1000)); len(frames) != 1 || frames[0].At != newest {
			t.Fatalf("the newest is %v, got %v", newest, frames)
		}
		ask := ms(rapid.IntRange(0, 1000).Draw(t, "ask"))
		for _, f := range j.Frames(ask) {
			if f.At > ask {
				t.Fatalf("asked for %v, got %v", ask, f.At)
			}
		}
	})
}
