package replay

import (
	"context"
	"fmt"

	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/robot"
)

// Agent is policy/agent.Agent.
type Agent interface {
	Run(ctx context.Context, id, instruction string) agent.Plan
	RunSkill(ctx context.Context, id string, s robot.Skill) agent.Plan
}

// key names a chunk of the agent in a recording.
type key struct {
	source string
	id     uint64
}

// policy runs the agent of each episode again.
type policy struct {
	ctx    context.Context
	joints int
	player *Player
	// make gives the agent when there is an episode; agent is what it gave.
	make  func(*Player) (Agent, error)
	agent Agent

	begin        *Entry // of the episode that is being read
	started      robot.Time
	entries      []Entry
	observations []Observation
	chunks       map[key]Chunk // recorded in this episode
	seq          uint64

	report *Report
	// changed are the chunks that are not as they were.
	changed map[key]Chunk
}

// take reads one record and runs an episode when its end has come.
func (p *policy) take(r *record.Record) error {
	switch r.Topic {
	case TopicChunk:
		var c Chunk
		if err := decode(r, &c); err != nil {
			return err
		}
		if p.begin != nil {
			p.chunks[key{c.Source, c.ID}] = c
		}
	case TopicObservation:
		var o Observation
		if err := decode(r, &o); err != nil {
			return err
		}
		if p.begin != nil {
			p.observations = append(p.observations, o)
		}
	case TopicPolicy:
		var e Entry
		if err := decode(r, &e); err != nil {
			return err
		}
		return p.entry(&e, r.At)
	}
	return nil
}

func (p *policy) entry(e *Entry, at robot.Time) error {
	if p.seq != 0 && e.Seq != p.seq+1 {
		p.report.note(fmt.Sprintf("%d entries of the agent before %v were not recorded", e.Seq-p.seq-1, at))
		if err := p.play(nil); err != nil {
			return err
		}
	}
	p.seq = e.Seq
	switch {
	case e.Do == doRun || e.Do == doSkill && e.Skill != nil:
		if err := p.play(nil); err != nil {
			return err
		}
		p.begin, p.started, p.entries, p.observations, p.chunks = e, at, nil, nil, map[key]Chunk{}
	case e.Do == doEnd:
		return p.play(e)
	case p.begin != nil:
		p.entries = append(p.entries, *e)
	}
	return nil
}

// play runs the episode that was read; end is nil when the recording stops
// before its end.
func (p *policy) play(end *Entry) (err error) {
	begin := p.begin
	if begin == nil || p.make == nil {
		p.begin = nil
		return nil
	}
	if p.agent == nil {
		if p.agent, err = p.make(p.player); err != nil {
			return err
		}
	}
	p.begin = nil
	p.player.load(p.started, p.entries, p.observations)
	ctx := p.player.context(p.ctx)
	defer p.player.cancel(nil)
	e := EpisodeReport{ID: begin.ID, Instruction: begin.Text, At: p.started}
	var plan agent.Plan
	if begin.Do == doSkill {
		e.Instruction = begin.Skill.String()
		plan = p.agent.RunSkill(ctx, begin.ID, *begin.Skill)
	} else {
		plan = p.agent.Run(ctx, begin.ID, begin.Text)
	}
	if err := p.ctx.Err(); err != nil {
		return err
	}
	e.Diverged, e.DivergedAt = p.player.diverged, p.player.at
	e.Status, e.Reason = plan.Status.String(), plan.Reason
	if end == nil {
		e.WasStatus = "cut off"
	} else {
		e.WasStatus, e.WasReason = end.Status, end.Reason
	}
	p.compare(&e)
	p.report.episode(e)
	return nil
}

// compare holds the chunks that the agent gave against those that it gave then.
func (p *policy) compare(e *EpisodeReport) {
	given := p.player.chunks
	n := 0
	for i := range p.entries {
		if p.entries[i].Do != doAct {
			continue
		}
		k := key{p.entries[i].Source, p.entries[i].Chunk}
		was, recorded := p.chunks[k]
		if n >= len(given) || !recorded {
			e.MissingChunks++
			continue
		}
		is := chunkOf(&given[n], p.joints)
		n++
		e.Chunks++
		if !is.same(&was) {
			e.DifferentChunks++
			p.changed[k] = is
		}
	}
	e.AddedChunks = len(given) - n
}
