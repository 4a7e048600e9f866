package daemon

import (
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// mute is a driver that takes everything.
type mute struct{ control.Driver }

func (mute) Write(*robot.Command) error { return nil }

func TestStages(t *testing.T) {
	clock := robot.NewManualClock(time.Unix(1000, 0), 1)
	var s stages
	driver := &timed{Driver: mute{}, clock: clock, stages: &s}
	pass := func(d time.Duration) robot.Time {
		clock.Advance(d)
		return clock.Now()
	}
	if got := s.health(); len(got) != 0 {
		t.Fatalf("before anything there are %v", got)
	}
	shot := pass(time.Second)
	now := pass(40 * time.Millisecond)
	s.look(&robot.Observation{At: now, Frames: []robot.Frame{{At: now}, {At: shot}}}, now)
	s.chose(200*time.Millisecond, pass(200*time.Millisecond))
	s.act(pass(3 * time.Millisecond))
	for range 2 { // only the first command follows from the chunk
		pass(7 * time.Millisecond)
		if err := driver.Write(&robot.Command{}); err != nil {
			t.Fatal(err)
		}
	}
	want := []topics.StageHealth{{Name: "capture", MS: 40}, {Name: "score", MS: 200}, {Name: "chunk", MS: 3}, {Name: "command", MS: 7}}
	got := s.health()
	if len(got) != len(want) {
		t.Fatalf("the stages are %+v, want %+v", got, want)
	}
	for i, w := range want {
		if g := got[i]; g.Name != w.Name || g.MS != w.MS || g.P50MS < w.MS || g.P99MS > 1.1*w.MS {
			t.Errorf("stage %+v, want %+v with the histogram's bucket above it", g, w)
		}
	}
}
