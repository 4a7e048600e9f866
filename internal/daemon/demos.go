package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/kuai-robot/kuai/internal/dataset"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/demos"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// DemoOptions say what demonstrations to make.
type DemoOptions struct {
	// Episodes of the seeds Seed, Seed+1, …
	Episodes int
	Seed     uint64
	Mix      demos.Mix
	Vary     world.Vary
	// Noise scales the disturbance of what is executed.
	Noise float64
	// Alone leaves a policy alone: the teacher never takes the hand over.
	Alone bool
	// Ask, where Every is not 0, has the teacher asked for more than is done
	// (demos.Studio.Ask).
	Ask demos.Asking
	// Out is the folder of a LeRobotDataset, Cache that of shards for training;
	// where neither is given the episodes are only counted.
	Out, Cache string
	// Backend is what computes a policy, as planner.backend names it; Tell is given the
	// reasons why a GPU is not used.
	Backend string
	Tell    func(error)
	// Renderer as world.Options has it.
	Renderer string
	// Done is called after each episode, for progress.
	Done func(number int, e *demos.Episode, success bool)
}

// DemoReport is what came of them.
type DemoReport struct {
	Episodes  int     `json:"episodes"`
	Succeeded int     `json:"succeeded"`
	Skipped   int     `json:"skipped"`
	Frames    int     `json:"frames"`
	Seconds   float64 `json:"seconds"` // of simulated time
	Took      float64 `json:"took_seconds"`
	// Families gives, for each, how many succeeded of how many.
	Families map[string][2]int `json:"families"`
}

// Demos plays episodes and keeps them.
func Demos(ctx context.Context, clock robot.Clock, o DemoOptions) (DemoReport, error) {
	return playDemos(ctx, clock, o, &demos.Teacher{Noise: o.Noise})
}

func playDemos(ctx context.Context, clock robot.Clock, o DemoOptions, actor demos.Actor) (report DemoReport, err error) {
	if err := o.Mix.Validate(); err != nil {
		return report, err
	}
	studio, err := demos.NewStudio(world.Options{Renderer: o.Renderer})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, studio.Close()) }()
	keep, err := newKeeper(&o)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, keep.close()) }()
	began := clock.Now()
	for i := range o.Episodes {
		if err := ctx.Err(); err != nil {
			return report, err
		}
		e := studio.Draw(o.Seed+uint64(i), o.Mix, o.Vary)
		success, err := o.play(studio, &e, actor, keep)
		if errors.Is(err, demos.ErrSkip) {
			report.Skipped++
			keep.abandon()
			continue
		}
		if err != nil {
			return report, fmt.Errorf("episode of seed %d: %w", e.Seed, err)
		}
		report.Episodes++
		worked := len(success) == len(e.Skills) && success[len(success)-1]
		if worked {
			report.Succeeded++
		}
		report.count(e.Family, worked)
		report.Frames = keep.frames
		report.Seconds = float64(keep.frames) * demos.Period.Seconds()
		report.Took = clock.Now().Sub(began).Seconds()
		if o.Done != nil {
			o.Done(i+1, &e, worked)
		}
	}
	return report, nil
}

// play plays one episode.
func (o *DemoOptions) play(s *demos.Studio, e *demos.Episode, actor demos.Actor, keep *keeper) ([]bool, error) {
	if o.Ask.Every > 0 {
		return s.Ask(e, actor, o.Ask, keep)
	}
	return s.Run(e, actor, keep)
}

func (r *DemoReport) count(family string, worked bool) {
	if r.Families == nil {
		r.Families = map[string][2]int{}
	}
	f := r.Families[family]
	f[1]++
	if worked {
		f[0]++
	}
	r.Families[family] = f
}

// keeper is where the frames of an episode go.
type keeper struct {
	frames  int
	open    bool
	shards  *demos.Shards
	writer  *dataset.Writer
	joints  int
	phrase  func(robot.Skill) string
	episode *dataset.Episode
	skill   string
}

func newKeeper(o *DemoOptions) (*keeper, error) {
	d := so101.Description()
	k := &keeper{joints: len(d.Joints), phrase: phraseOf(skill.Workbench())}
	var err error
	if o.Cache != "" {
		if k.shards, err = demos.NewShards(o.Cache, d, k.phrase); err != nil {
			return nil, err
		}
	}
	if o.Out != "" {
		k.writer, err = dataset.Create(o.Out, dataset.Options{
			FPS: int(1 / demos.Period.Seconds()), RobotType: d.Name, Joints: jointNames(d),
			Cameras: []dataset.Camera{
				{Name: "front", Width: demos.FrontWidth, Height: demos.FrontHeight},
				{Name: "wrist", Width: demos.WristWidth, Height: demos.WristHeight},
			},
		})
	}
	return k, err
}

func jointNames(d *robot.Description) []string {
	names := make([]string, len(d.Joints))
	for i := range d.Joints {
		names[i] = d.Joints[i].Name
	}
	return names
}

// phraseOf gives the words that a catalogue has for a skill.
func phraseOf(c *skill.Catalogue) func(robot.Skill) string {
	return func(s robot.Skill) string {
		if phrase, ok := c.Phrase(s); ok {
			return phrase
		}
		return s.String()
	}
}

// Begin implements demos.Sink.
func (k *keeper) Begin(e *demos.Episode) error {
	k.open, k.skill = true, ""
	if k.shards == nil {
		return nil
	}
	return k.shards.Begin(e)
}

// Add implements demos.Sink. Each skill is an episode of the dataset: its task is
// one sentence.
func (k *keeper) Add(f *demos.Frame) error {
	k.frames++
	if k.shards != nil {
		if err := k.shards.Add(f); err != nil {
			return err
		}
	}
	if k.writer == nil {
		return nil
	}
	if f.Step == 0 {
		if err := k.endEpisode(); err != nil {
			return err
		}
		var err error
		if k.episode, err = k.writer.Begin(k.phrase(f.Skill)); err != nil {
			return err
		}
	}
	n := k.joints
	return k.episode.Add(&dataset.Frame{
		State: f.State.Position[:n], Velocity: f.State.Velocity[:n], Effort: f.State.Effort[:n], Action: f.Command[:n],
		Pictures: [][]byte{f.Front, f.Wrist},
	})
}

func (k *keeper) endEpisode() error {
	if k.episode == nil {
		return nil
	}
	err := k.episode.End()
	k.episode = nil
	return err
}

// End implements demos.Sink. What failed is no demonstration: the dataset does
// without it, the cache says so.
func (k *keeper) End(success []bool) error {
	k.open = false
	if k.shards != nil {
		if err := k.shards.End(success); err != nil {
			return err
		}
	}
	if k.episode != nil && (len(success) == 0 || !success[len(success)-1]) {
		err := k.episode.Abandon()
		k.episode = nil
		return err
	}
	return k.endEpisode()
}

// abandon forgets the episode that was begun, if one was.
func (k *keeper) abandon() {
	if !k.open {
		return
	}
	k.open = false
	if k.shards != nil {
		k.shards.Abandon()
	}
	if k.episode != nil {
		_ = k.episode.Abandon() // what it had is thrown away
		k.episode = nil
	}
}

func (k *keeper) close() error {
	k.abandon()
	if k.shards != nil {
		return k.shards.Flush()
	}
	return nil
}
