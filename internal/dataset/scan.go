package dataset

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/robot"
)

// run is the recordings of one run of the program.
type run struct {
	id     string
	files  []string
	robot  string
	joints []string

	episodes []replay.Episode // that came to an end
	steering steering
	cameras  map[string]*seen
	sound    map[string]float64 // s of each microphone
	commands int
}

// seen is what is known of a camera.
type seen struct {
	width, height int
	last          robot.Time
	gaps          []time.Duration // between the first pictures
}

// maxGaps is how many gaps between pictures tell the rate.
const maxGaps = 4096

// rate gives the pictures a second, by the median gap: pauses do not count.
func (s *seen) rate() float64 {
	if len(s.gaps) == 0 {
		return 0
	}
	slices.Sort(s.gaps)
	return 1 / s.gaps[len(s.gaps)/2].Seconds()
}

// scan reads what the files hold, a run for those that belong together.
func scan(files []string) ([]*run, error) {
	files = append([]string(nil), files...)
	sort.Strings(files)
	var runs []*run
	for _, path := range files {
		header, err := replay.Header(path)
		if err != nil {
			return nil, err
		}
		var r *run
		for _, old := range runs {
			if old.id == header[replay.HeaderRun] && old.id != "" {
				r = old
			}
		}
		if r == nil {
			r = &run{id: header[replay.HeaderRun], robot: header[replay.HeaderRobot], cameras: map[string]*seen{}, sound: map[string]float64{}}
			runs = append(runs, r)
		}
		r.files = append(r.files, path)
		if _, err := record.Read(path, r.see); err != nil {
			return nil, err
		}
	}
	return runs, nil
}

// see notes one record.
func (r *run) see(rec *record.Record) error {
	switch {
	case strings.HasPrefix(rec.Topic, "camera/"):
		return r.seePicture(rec)
	case strings.HasPrefix(rec.Topic, "microphone/"):
		seconds, err := rec.Audio()
		r.sound[strings.TrimPrefix(rec.Topic, "microphone/")] += seconds
		return err
	case rec.Topic == "joints" && r.joints == nil:
		names, _, err := rec.JointState()
		r.joints = names
		return err
	case rec.Topic == replay.TopicCommand:
		r.commands++
		return r.steering.see(rec)
	case rec.Topic == replay.TopicEpisode:
		var e replay.Episode
		if err := json.Unmarshal(rec.Data, &e); err != nil {
			return fmt.Errorf("topic %s at %v: %w", rec.Topic, rec.At, err)
		}
		if e.Ended != 0 {
			r.episodes = append(r.episodes, e)
		}
	}
	return nil
}

func (r *run) seePicture(rec *record.Record) error {
	name := strings.TrimPrefix(rec.Topic, "camera/")
	s := r.cameras[name]
	if s == nil {
		_, _, file, err := rec.Image()
		if err != nil {
			return err
		}
		width, height, err := jpeg.Size(file)
		if err != nil {
			return fmt.Errorf("topic %s at %v: %w", rec.Topic, rec.At, err)
		}
		s = &seen{width: width, height: height}
		r.cameras[name] = s
	}
	if gap := rec.At.Sub(s.last); s.last != 0 && gap > 0 && len(s.gaps) < maxGaps {
		s.gaps = append(s.gaps, gap)
	}
	s.last = max(s.last, rec.At)
	return nil
}

// options gives how to write a dataset of r: cameras in the order of their
// names, cut to even sides; fps 0 is the slowest camera's rate.
func (r *run) options(fps int) (Options, error) {
	o := Options{FPS: fps, RobotType: r.robot, Joints: r.joints}
	if r.commands == 0 || len(r.joints) == 0 {
		return o, fmt.Errorf("%s: has no commands of a control loop, so there are no actions (record with kuai run and record.on: true)", r.files[0])
	}
	slowest := math.Inf(1)
	for name, s := range r.cameras {
		o.Cameras = append(o.Cameras, Camera{name, s.width &^ 1, s.height &^ 1})
		if rate := s.rate(); rate > 0 {
			slowest = min(slowest, rate)
		}
	}
	sort.Slice(o.Cameras, func(i, k int) bool { return o.Cameras[i].Name < o.Cameras[k].Name })
	if fps == 0 {
		o.FPS = defaultFPS
		if !math.IsInf(slowest, 1) {
			o.FPS = max(1, min(maxFPS, int(math.Round(slowest))))
		}
	}
	return o, nil
}

// defaultFPS is the rate of a dataset without cameras.
const defaultFPS = 30
