package daemon

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/kuai-robot/kuai/fusion/vla"
	"github.com/kuai-robot/kuai/internal/dataset"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
	"github.com/kuai-robot/kuai/sim/demos"
	"github.com/kuai-robot/kuai/sim/expert"
)

// DatasetDemos turns the episodes of a LeRobot dataset, somebody's own
// demonstrations, into shards for training in the folder cache. The dataset must
// have the joints of d and the cameras front and wrist, at a whole number of frames
// in a tenth of a second; an episode with missing frames or numbers that are none
// is an error that names it.
func DatasetDemos(ctx context.Context, dir, cache string, d *robot.Description, progress func(number, of int, task string)) (DemoReport, error) {
	set, err := dataset.Open(dir)
	if err != nil {
		return DemoReport{}, err
	}
	t := &retelling{set: set, description: d, stride: set.Info.FPS / int(1/demos.Period.Seconds())}
	if err := t.check(); err != nil {
		return DemoReport{}, fmt.Errorf("dataset %s: %w", dir, err)
	}
	if t.arm, err = hand.New(d); err != nil {
		return DemoReport{}, err
	}
	if t.shards, err = demos.NewShards(cache, d, func(s robot.Skill) string { return s.Name }); err != nil {
		return DemoReport{}, err
	}
	report := DemoReport{}
	for i := range set.Episodes {
		if err := ctx.Err(); err != nil {
			return report, err
		}
		e := &set.Episodes[i]
		if progress != nil {
			progress(i+1, len(set.Episodes), e.Task)
		}
		n, err := t.episode(e)
		if err != nil {
			return report, fmt.Errorf("dataset %s: episode %d: %w", dir, e.Index, err)
		}
		report.Episodes, report.Succeeded, report.Frames = report.Episodes+1, report.Succeeded+1, report.Frames+n
		report.Seconds = float64(report.Frames) * demos.Period.Seconds()
	}
	return report, t.shards.Flush()
}

// retelling makes demonstrations of a dataset's episodes.
type retelling struct {
	set         *dataset.Dataset
	description *robot.Description
	arm         *hand.Arm
	shards      *demos.Shards
	stride      int // frames of the dataset between two of a demonstration
	front       int // index of the camera
	wrist       int
}

func (t *retelling) check() error {
	perSecond := int(1 / demos.Period.Seconds())
	if t.stride < 1 || t.set.Info.FPS%perSecond != 0 {
		return fmt.Errorf("it has %d frames a second, a multiple of %d is needed (export with --fps 30)", t.set.Info.FPS, perSecond)
	}
	if want := jointNames(t.description); !slices.Equal(t.set.Joints(), want) {
		return fmt.Errorf("its joints are %v, those of the robot %s %v", t.set.Joints(), t.description.Name, want)
	}
	t.front, t.wrist = slices.Index(t.set.Cameras, "front"), slices.Index(t.set.Cameras, "wrist")
	if t.front < 0 || t.wrist < 0 {
		return fmt.Errorf("its cameras are %v, front and wrist are needed", t.set.Cameras)
	}
	return nil
}

// told is what is kept of a frame until what follows it is known.
type told struct {
	state        robot.State
	front, wrist []byte
}

func (t *retelling) episode(e *dataset.EpisodeInfo) (int, error) {
	var frames []told
	var actions []robot.Joints
	err := t.set.Frames(e, func(r *dataset.Row, pictures []robot.Frame) error {
		action, err := finiteJoints(r.Action)
		if err != nil {
			return fmt.Errorf("frame %d: action: %w", r.Frame, err)
		}
		actions = append(actions, action)
		if (len(actions)-1)%t.stride != 0 {
			return nil
		}
		f := told{front: make([]byte, 3*demos.FrontWidth*demos.FrontHeight), wrist: make([]byte, 3*demos.WristWidth*demos.WristHeight)}
		if f.state.Position, err = finiteJoints(r.State); err != nil {
			return fmt.Errorf("frame %d: state: %w", r.Frame, err)
		}
		if len(r.Effort) > 0 {
			if f.state.Effort, err = finiteJoints(r.Effort); err != nil {
				return fmt.Errorf("frame %d: effort: %w", r.Frame, err)
			}
		}
		frames = append(frames, f)
		return errors.Join(
			vla.Shrink(f.front, [2]int{demos.FrontHeight, demos.FrontWidth}, &pictures[t.front]),
			vla.Shrink(f.wrist, [2]int{demos.WristHeight, demos.WristWidth}, &pictures[t.wrist]))
	})
	if err != nil {
		return 0, err
	}
	if int64(len(actions)) != e.Length {
		return 0, fmt.Errorf("it has %d frames, %d are announced", len(actions), e.Length)
	}
	return len(frames), t.tell(e, frames, actions)
}

func finiteJoints(values []float64) (q robot.Joints, err error) {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return q, fmt.Errorf("number %d is %g", i, v)
		}
	}
	copy(q[:], values)
	return q, nil
}

// tell writes an episode: what was done in the second after a frame is what should
// be done there.
func (t *retelling) tell(e *dataset.EpisodeInfo, frames []told, actions []robot.Joints) error {
	if err := t.shards.Begin(&demos.Episode{Seed: uint64(e.Index)}); err != nil {
		return err
	}
	var stroke hand.Stroke
	last := actions[len(actions)-1]
	for i := range frames {
		f := &demos.Frame{
			State: frames[i].state, Front: frames[i].front, Wrist: frames[i].wrist, Skill: robot.Skill{Name: e.Task}, Step: i,
			Ahead: expert.Ahead{DoneAt: min(len(frames)-1-i, demos.Horizon)},
		}
		f.Hand = t.arm.Hand(&f.State.Position)
		stroke.See(f.Hand)
		f.Stroke = stroke
		for k := range demos.Horizon {
			action := &last
			if at := (i+k+1)*t.stride - 1; at < len(actions) {
				action = &actions[at]
			}
			f.Ahead.Hands = append(f.Ahead.Hands, t.arm.Hand(action))
		}
		if err := t.shards.Add(f); err != nil {
			return err
		}
	}
	return t.shards.End([]bool{true})
}
