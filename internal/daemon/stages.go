package daemon

import (
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// stages measures the way from a picture to the command that follows from it,
// as topics.StageHealth describes. The agent's goroutine and the control loop's
// add; neither waits for who reads.
type stages struct {
	capture, score, chunk, command stage

	// looked is when the agent's present chunk began: at its look at the world,
	// or at the choice of its skill.
	looked atomic.Int64
	// handed is when the newest chunk was given to the control loop; 0 once a
	// command has followed.
	handed atomic.Int64
}

// stage is how long one stage took.
type stage struct {
	all    control.Histogram
	newest atomic.Int64
}

func (s *stage) add(d time.Duration) {
	s.all.Add(d)
	s.newest.Store(int64(d))
}

// look notes that the agent begins to think about o.
func (s *stages) look(o *robot.Observation, now robot.Time) {
	s.looked.Store(int64(now))
	var oldest time.Duration
	for i := range o.Frames {
		oldest = max(oldest, now.Sub(o.Frames[i].At))
	}
	if len(o.Frames) > 0 {
		s.capture.add(oldest)
	}
}

// chose notes that a decision took this long.
func (s *stages) chose(took time.Duration, now robot.Time) {
	if took > 0 {
		s.score.add(took)
	}
	s.looked.Store(int64(now))
}

// act notes that a chunk has been handed to the control loop.
func (s *stages) act(now robot.Time) {
	s.chunk.add(now.Sub(robot.Time(s.looked.Load())))
	s.handed.Store(int64(now))
}

// wrote notes that a command has left for the driver.
func (s *stages) wrote(now robot.Time) {
	if handed := s.handed.Swap(0); handed != 0 {
		s.command.add(now.Sub(robot.Time(handed)))
	}
}

// health gives the stages that have been passed.
func (s *stages) health() (all []topics.StageHealth) {
	ms := func(d time.Duration) float64 { return d.Seconds() * 1e3 }
	for _, one := range []struct {
		name  string
		stage *stage
	}{{"capture", &s.capture}, {"score", &s.score}, {"chunk", &s.chunk}, {"command", &s.command}} {
		h := &one.stage.all
		if h.Count() == 0 {
			continue
		}
		all = append(all, topics.StageHealth{
			Name: one.name, MS: ms(time.Duration(one.stage.newest.Load())), P50MS: ms(h.Quantile(0.5)), P99MS: ms(h.Quantile(0.99)),
		})
	}
	return all
}

// timed is a driver whose writes are noted.
type timed struct {
	control.Driver
	clock  robot.Clock
	stages *stages
}

// Write implements control.Driver.
func (t *timed) Write(c *robot.Command) error {
	err := t.Driver.Write(c)
	t.stages.wrote(t.clock.Now())
	return err
}
