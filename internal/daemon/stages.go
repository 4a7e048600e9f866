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
	hear, capture, score, chunk, command stage
	// read and write are the driver's calls.
	read, write took

	// looked is when the agent's present chunk began: at its look at the world,
	// or at the choice of its skill.
	looked atomic.Int64
	// handed is when the newest chunk was given to the control loop; 0 once a
	// command has followed.
	handed atomic.Int64
}

// stage is how long one stage took.
type stage struct {
	took
	newest atomic.Int64
}

func (s *stage) add(d time.Duration) {
	s.took.add(d)
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

// namedStage is a stage and what people call it.
type namedStage struct {
	name  string
	stage *stage
}

// list gives the stages in the order in which they are passed.
func (s *stages) list() []namedStage {
	return []namedStage{{"hear", &s.hear}, {"capture", &s.capture}, {"score", &s.score}, {"chunk", &s.chunk}, {"command", &s.command}}
}

// health gives the stages that have been passed.
func (s *stages) health() (all []topics.StageHealth) {
	ms := func(d time.Duration) float64 { return d.Seconds() * 1e3 }
	for _, one := range s.list() {
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

// timed is a driver whose calls are noted.
type timed struct {
	control.Driver
	clock  robot.Clock
	stages *stages
}

// Read implements control.Driver.
func (t *timed) Read() (robot.State, error) {
	began := t.clock.Now()
	s, err := t.Driver.Read()
	t.stages.read.add(t.clock.Now().Sub(began))
	return s, err
}

// Write implements control.Driver.
func (t *timed) Write(c *robot.Command) error {
	began := t.clock.Now()
	err := t.Driver.Write(c)
	now := t.clock.Now()
	t.stages.write.add(now.Sub(began))
	t.stages.wrote(now)
	return err
}
