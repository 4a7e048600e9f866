package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/robot"
)

// Imported says what became of a dataset.
type Imported struct {
	Episodes int      `json:"episodes"`
	Frames   int      `json:"frames"`
	Joints   []string `json:"joints"`
	Cameras  []string `json:"cameras"`
	Folder   string   `json:"folder"`
}

// between is how long a recording pauses between two episodes.
const between = 2 * lag

// importQuality is libjpeg's, of the pictures that are recorded.
const importQuality = 92

// Import writes the episodes of the dataset in dir as recordings in the folder
// out: joints, commands (the actions), pictures and episodes, one after the
// other from the instant epoch on. What was imported can be looked at and
// exported, but not replayed: it does not say what the commands followed from.
// Progress may be nil.
func Import(ctx context.Context, dir, out string, epoch time.Time, progress func(number, of int, task string)) (*Imported, error) {
	d, err := Open(dir)
	if err != nil {
		return nil, err
	}
	names := d.Joints()
	description := &robot.Description{Name: d.Info.RobotType, Joints: make([]robot.Joint, len(names))}
	for i := range names {
		description.Joints[i].Name = names[i]
	}
	clock := robot.NewManualClock(epoch, robot.Time(time.Second))
	recorder, err := record.Open(record.Options{
		Dir: out, Clock: clock, Description: description, Wait: true, JSONSchemas: replay.Schemas(),
		// A folder that one asked for is not cleaned up behind one's back.
		MaxBytes: 1 << 60, FileBytes: 512 << 20,
		Header:  map[string]string{replay.HeaderRobot: d.Info.RobotType, "source": "LeRobotDataset " + d.Info.CodebaseVersion},
		OnFault: func(error) {},
	})
	if err != nil {
		return nil, err
	}
	m := &importer{d: d, clock: clock, out: recorder, joints: names}
	writing, enough := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- recorder.Run(writing) }()
	for i := range d.Episodes {
		if err = ctx.Err(); err != nil {
			break
		}
		if progress != nil {
			progress(i+1, len(d.Episodes), d.Episodes[i].Task)
		}
		if err = m.episode(&d.Episodes[i]); err != nil {
			err = fmt.Errorf("dataset: episode %d: %w", d.Episodes[i].Index, err)
			break
		}
	}
	enough()
	err = errors.Join(err, <-ended)
	if n := recorder.Dropped(); err == nil && n > 0 {
		err = fmt.Errorf("dataset: %d samples could not be written to %s (is the disk full?)", n, out)
	}
	if err != nil {
		return nil, err
	}
	return &Imported{Episodes: len(d.Episodes), Frames: int(m.tick), Joints: names, Cameras: d.Cameras, Folder: out}, nil
}

type importer struct {
	d      *Dataset
	clock  *robot.ManualClock
	out    *record.Recorder
	joints []string
	tick   uint64
}

func (m *importer) episode(e *EpisodeInfo) (err error) {
	var videos []*pictures
	defer func() {
		for _, v := range videos {
			v.close()
		}
	}()
	for _, c := range m.d.Cameras {
		v, err := m.d.openPictures(e, c)
		if err != nil {
			return err
		}
		videos = append(videos, v)
	}
	started := m.clock.Now()
	mark := replay.Episode{ID: fmt.Sprint("episode-", e.Index), Instruction: e.Task, Status: robot.Running.String(), Started: started}
	if err := m.json(replay.TopicEpisode, mark); err != nil {
		return err
	}
	err = m.d.Rows(e, func(r *Row) error {
		if at := started.Add(instant(r.Frame, m.d.Info.FPS)); at > m.clock.Now() {
			m.clock.Advance(at.Sub(m.clock.Now()))
		}
		for i, v := range videos {
			if err := m.picture(m.d.Cameras[i], v); err != nil {
				return err
			}
		}
		return m.row(r)
	})
	if err != nil {
		return err
	}
	mark.Status, mark.Ended = robot.Succeeded.String(), m.clock.Now()
	if err := m.json(replay.TopicEpisode, mark); err != nil {
		return err
	}
	m.clock.Advance(between)
	return nil
}

func (m *importer) picture(camera string, from *pictures) error {
	p, err := from.next()
	if err != nil {
		return err
	}
	file, err := jpeg.Encode(p.rgb, p.width, p.height, importQuality)
	if err != nil {
		return err
	}
	m.out.Frame(robot.Frame{Camera: camera, At: m.clock.Now(), Width: p.width, Height: p.height, JPEG: file})
	return nil
}

// row records a frame as a tick of a control loop that commanded the action.
func (m *importer) row(r *Row) error {
	m.tick++
	now, n := m.clock.Now(), len(m.joints)
	s := robot.State{At: now}
	copy(s.Position[:], r.State)
	copy(s.Velocity[:], r.Velocity)
	copy(s.Effort[:], r.Effort)
	m.out.State(s)
	action := make(replay.Numbers, n)
	copy(action, r.Action)
	return m.json(replay.TopicCommand, replay.Command{
		Number: m.tick, At: now, Enable: true, Position: action, Velocity: make(replay.Numbers, n), Mode: "moving", Reason: "imported", Joint: -1, Source: "dataset",
		State: replay.State{At: now, Position: s.Position[:n], Velocity: s.Velocity[:n], Effort: s.Effort[:n], Temperature: s.Temperature[:n]},
	})
}

func (m *importer) json(topic string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	m.out.Message(topic, m.clock.Now(), data)
	return nil
}
