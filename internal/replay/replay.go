package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/record"
)

// Stages are what a recording is fed through.
type Stages struct {
	Limits  *safety.Limits
	Control control.Config
	// Joints names them.
	Joints []string
	// Agent gives the agent in the world of the player; nil: the recorded
	// chunks are taken as they are.
	Agent func(*Player) (Agent, error)
	// Progress is told how far each file is; nil: nobody.
	Progress record.Progress
}

// Replay feeds the files of one run through the stages and reports what is
// different. refs is a file of WriteReferences to compare with in place of the
// recorded commands; empty: none. update, if not nil, is given every command
// as it is now.
func Replay(ctx context.Context, files []string, s Stages, refs string, update func(*Command) error) (*Report, error) {
	report := newReport(files, s.Joints)
	p := &policy{ctx: ctx, joints: len(s.Joints), player: &Player{}, make: s.Agent, chunks: map[key]Chunk{}, report: report, changed: map[key]Chunk{}}
	if err := read(files, nil, p.take); err != nil {
		return nil, err
	}
	if err := p.play(nil); err != nil {
		return nil, err
	}
	again, err := control.NewReplayer(s.Limits, s.Control)
	if err != nil {
		return nil, err
	}
	m := &motions{ctx: ctx, again: again, joints: len(s.Joints), changed: p.changed, report: report, update: update}
	if refs != "" {
		if m.refs, err = openReferences(refs); err != nil {
			return nil, err
		}
		defer m.refs.close()
		report.References = refs
	}
	if err := read(files, s.Progress, m.take); err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	switch {
	case report.Ticks == 0 && report.Incomplete != "":
		return nil, fmt.Errorf("%s: %s (a run is replayed from its begin: put the files of before into the same folder)", files[0], report.Incomplete)
	case report.Ticks == 0:
		return nil, fmt.Errorf("%s: no tick of a control loop is in it, so there is nothing to replay (record with kuai run and record.on: true)", files[0])
	}
	return report, nil
}

// motions does the ticks of the control loop again.
type motions struct {
	ctx     context.Context
	again   *control.Replayer
	joints  int
	changed map[key]Chunk
	refs    *references
	report  *Report
	update  func(*Command) error
}

func (m *motions) take(r *record.Record) error {
	switch r.Topic {
	case TopicChunk:
		var c Chunk
		if err := decode(r, &c); err != nil {
			return err
		}
		if is, ok := m.changed[key{c.Source, c.ID}]; ok {
			is.Number, is.ID, is.Source, is.Issued = c.Number, c.ID, c.Source, c.Issued
			c = is
		}
		o, err := c.order()
		if err != nil {
			return err
		}
		m.again.Order(o)
	case TopicCommand:
		return m.tick(r)
	}
	return nil
}

func (m *motions) tick(r *record.Record) error {
	if err := m.ctx.Err(); err != nil {
		return err
	}
	var was Command
	if err := decode(r, &was); err != nil {
		return err
	}
	given := was.tick()
	tick, err := m.again.Tick(&given)
	if err != nil {
		m.report.Incomplete = err.Error()
		return errEnough
	}
	is := CommandOf(&tick, m.joints)
	if m.update != nil {
		if err := m.update(&is); err != nil {
			return err
		}
	}
	if m.refs != nil {
		ref, err := m.refs.of(was.Number)
		if err != nil {
			return err
		}
		was.Enable, was.Position, was.Velocity = ref.Enable, ref.Position, ref.Velocity
		was.Mode, was.Reason, was.Joint, was.Source, was.Limited = ref.Mode, ref.Reason, ref.Joint, ref.Source, ref.Limited
	}
	m.report.tick(&was, &is)
	return nil
}
