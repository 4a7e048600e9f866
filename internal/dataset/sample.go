package dataset

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/robot"
)

// lag is how much later than the command of its instant a picture may be
// written down.
const lag = time.Second

// sampler turns the records of one run into the frames of its episodes: at each
// instant the newest of every sensor.
type sampler struct {
	cameras  []Camera
	fps      int
	episodes []replay.Episode // in the order of time
	// begin and end are told of each episode, frame of each of its instants. An
	// error of frame costs the episode; whole says whether it came to its end.
	begin func(*replay.Episode) error
	frame func(*Frame) error
	end   func(e *replay.Episode, why error) error

	commands []replay.Command
	pictures [][]shot // of each camera
	open     bool
	broken   error
	started  robot.Time
	count    int
}

// shot is a picture as it was recorded.
type shot struct {
	at   robot.Time
	file []byte
}

// take reads one record and gives the frames that it completes.
func (s *sampler) take(r *record.Record) error {
	switch {
	case r.Topic == replay.TopicCommand:
		var c replay.Command
		if err := json.Unmarshal(r.Data, &c); err != nil {
			return fmt.Errorf("topic %s at %v: %w", r.Topic, r.At, err)
		}
		s.commands = append(s.commands, c)
		return s.until(c.At.Add(-lag))
	case strings.HasPrefix(r.Topic, "camera/"):
		_, _, file, err := r.Image()
		if err != nil {
			return err
		}
		for i := range s.cameras {
			if "camera/"+s.cameras[i].Name == r.Topic {
				s.pictures[i] = append(s.pictures[i], shot{r.At, append([]byte(nil), file...)})
			}
		}
	}
	return nil
}

// until gives the frames of all instants before t.
func (s *sampler) until(t robot.Time) error {
	for len(s.episodes) > 0 {
		e := &s.episodes[0]
		if !s.open {
			if t < e.Started {
				break
			}
			if err := s.begin(e); err != nil {
				return err
			}
			s.open, s.broken, s.started, s.count = true, nil, e.Started, 0
		}
		if s.ready(t) {
			s.frames(min(t, e.Ended))
		}
		if t < e.Ended {
			return nil
		}
		if s.broken == nil && s.count == 0 {
			s.broken = fmt.Errorf("not every camera and joint was there")
		}
		if err := s.end(e, s.broken); err != nil {
			return err
		}
		s.open, s.episodes = false, s.episodes[1:]
	}
	s.forget(t)
	return nil
}

// ready moves the begin of the episode to where every sensor has a sample.
func (s *sampler) ready(t robot.Time) bool {
	if s.count > 0 {
		return true
	}
	if len(s.commands) == 0 {
		return false
	}
	s.started = max(s.started, s.commands[0].At)
	for _, p := range s.pictures {
		if len(p) == 0 {
			return false
		}
		s.started = max(s.started, p[0].at)
	}
	return s.started <= t
}

// instant gives when a frame is due after the begin of its episode.
func instant(frame, fps int) time.Duration {
	return time.Duration(frame) * time.Second / time.Duration(fps)
}

// frames gives the frames up to t.
func (s *sampler) frames(t robot.Time) {
	for s.broken == nil {
		at := s.started.Add(instant(s.count, s.fps))
		if at > t {
			return
		}
		f, err := s.at(at)
		if err == nil {
			err = s.frame(f)
		}
		s.broken = err
		s.count++
	}
}

// at joins the newest sample of each sensor not later than t, and forgets older
// ones.
func (s *sampler) at(t robot.Time) (*Frame, error) {
	s.forget(t)
	c := &s.commands[0]
	f := &Frame{State: c.State.Position, Velocity: c.State.Velocity, Effort: c.State.Effort, Action: c.Position}
	for i := range s.cameras {
		rgb, err := s.decode(i)
		if err != nil {
			return nil, fmt.Errorf("camera %s at %v: %w", s.cameras[i].Name, t, err)
		}
		f.Pictures = append(f.Pictures, rgb)
	}
	return f, nil
}

// forget drops what a newer sample before t has replaced.
func (s *sampler) forget(t robot.Time) {
	for len(s.commands) > 1 && s.commands[1].At <= t {
		s.commands = s.commands[1:]
	}
	for i := range s.pictures {
		for len(s.pictures[i]) > 1 && s.pictures[i][1].at <= t {
			s.pictures[i] = s.pictures[i][1:]
		}
	}
}

// decode gives the first picture that is kept of camera i, cut to its size.
func (s *sampler) decode(i int) ([]byte, error) {
	width, height, rgb, err := jpeg.Decode(s.pictures[i][0].file)
	if err != nil {
		return nil, err
	}
	c := s.cameras[i]
	if width&^1 != c.Width || height&^1 != c.Height {
		return nil, fmt.Errorf("the picture has %d×%d pixels, those before it %d×%d", width, height, c.Width, c.Height)
	}
	if width == c.Width {
		return rgb[:3*c.Width*c.Height], nil
	}
	cut := make([]byte, 0, 3*c.Width*c.Height)
	for y := range c.Height {
		cut = append(cut, rgb[3*y*width:3*(y*width+c.Width)]...)
	}
	return cut, nil
}
