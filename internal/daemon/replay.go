package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// ReplayOptions say how to replay. Without a Config it is that of the
// recording.
type ReplayOptions struct {
	Config *config.Config
	// Update writes the commands as they are now beside the recording; later
	// replays are held against those.
	Update bool
	// Progress is told how far each file is; nil: nobody.
	Progress record.Progress
}

// Replay feeds the recording at path through the agent, the control loop and
// the safety core and reports what is not as it was. There is no robot and no
// simulator; nothing moves.
func Replay(ctx context.Context, path string, o ReplayOptions) (report *replay.Report, err error) {
	header, files, err := replay.Run(path)
	if err != nil {
		return nil, err
	}
	again, err := newAgain(header, o.Config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer func() { err = errors.Join(err, again.Close()) }()
	stages, err := again.stages()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	stages.Progress = o.Progress
	refs := replay.ReferencesOf(path)
	if o.Update {
		if report, err = update(ctx, files, stages, refs); err != nil {
			return nil, err
		}
	} else {
		if _, err := os.Stat(refs); errors.Is(err, os.ErrNotExist) {
			refs = ""
		}
		if report, err = replay.Replay(ctx, files, stages, refs, nil); err != nil {
			return nil, err
		}
	}
	if sum, err := programSum(); err == nil && sum != header[replay.HeaderBinary] {
		report.Notes = append(report.Notes, fmt.Sprintf("kuai %s made the recording, and this is another program", header[replay.HeaderVersion]))
	}
	return report, nil
}

// update writes references and reports how they differ from the recording.
func update(ctx context.Context, files []string, s replay.Stages, refs string) (*replay.Report, error) {
	out, err := replay.CreateReferences(refs)
	if err != nil {
		return nil, err
	}
	report, err := replay.Replay(ctx, files, s, "", out.Add)
	return report, errors.Join(err, out.Close(err == nil))
}

// again is what a recording is replayed with: its header and what is loaded for
// it.
type again struct {
	config      *config.Config
	description *robot.Description
	catalogue   *skill.Catalogue
	closers     []func() error
}

// newAgain reads what the header of a recording says.
func newAgain(header map[string]string, override *config.Config) (*again, error) {
	c, err := config.Read("of the recording", strings.NewReader(header[replay.HeaderConfig]))
	if err != nil {
		return nil, err
	}
	a := &again{config: &c, catalogue: skill.Tabletop()}
	if config.BuiltInSkills(c.Planner.Catalogue) {
		if a.catalogue, err = readCatalogue(c.Planner.Catalogue); err != nil {
			return nil, err
		}
	}
	if override != nil {
		a.config = override
	}
	if a.description, err = config.ReadDescription("of the recording", strings.NewReader(header[replay.HeaderDescription])); err != nil {
		return nil, err
	}
	if text := header[replay.HeaderCatalogue]; text != "" {
		if a.catalogue, err = skill.Read("of the recording", strings.NewReader(text)); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *again) stages() (replay.Stages, error) {
	limits, err := safety.Compile(a.description, safetyConfig(&a.config.Safety))
	if err != nil {
		return replay.Stages{}, err
	}
	s := replay.Stages{Limits: limits, Control: control.Config{RateHz: a.config.Control.RateHz}}
	for i := range a.description.Joints {
		s.Joints = append(s.Joints, a.description.Joints[i].Name)
	}
	if a.config.Runner != config.None {
		s.Agent = a.agent
	}
	return s, nil
}

// agent loads the model and makes the agent in the world of p.
func (a *again) agent(p *replay.Player) (replay.Agent, error) {
	m, err := loadMind(a.config, a.catalogue)
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, m.Close)
	e := newScripted(a.description)
	planner, closePlanner, err := m.planner(robot.NewSystemClock(), e)
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, closePlanner)
	return m.newAgent(planner, e, p, p, p.Report)
}

// Close frees the model.
func (a *again) Close() error {
	var errs []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		errs = append(errs, a.closers[i]())
	}
	return errors.Join(errs...)
}

// ReferencesOf names the file in which ReplayOptions.Update keeps commands.
func ReferencesOf(recording string) string { return replay.ReferencesOf(recording) }
