package dataset

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/robot"
)

// A stretch of steering is a demonstration of its own when nobody steered for
// steerGap before it, and one at all when it lasts steerLeast.
const (
	steerGap   = 1500 * time.Millisecond
	steerLeast = time.Second
)

// steering collects the stretches in which a person steered the joints.
type steering struct {
	stretches []stretch
}

type stretch struct{ began, ended robot.Time }

// see notes a tick of the control loop.
func (s *steering) see(r *record.Record) error {
	var c struct {
		At     robot.Time `json:"at"`
		Source string     `json:"source"`
	}
	if err := json.Unmarshal(r.Data, &c); err != nil {
		return fmt.Errorf("topic %s at %v: %w", r.Topic, r.At, err)
	}
	if c.Source != robot.SourceTeleop.String() {
		return nil
	}
	if n := len(s.stretches); n > 0 && c.At.Sub(s.stretches[n-1].ended) < steerGap {
		s.stretches[n-1].ended = c.At
		return nil
	}
	s.stretches = append(s.stretches, stretch{c.At, c.At})
	return nil
}

// episodes gives the stretches as episodes of a task.
func (s *steering) episodes(task string) []replay.Episode {
	var all []replay.Episode
	for i, t := range s.stretches {
		if t.ended.Sub(t.began) >= steerLeast {
			all = append(all, replay.Episode{
				ID: fmt.Sprintf("teleop-%d", i+1), Instruction: task, Status: robot.Succeeded.String(), Started: t.began, Ended: t.ended,
			})
		}
	}
	return all
}
