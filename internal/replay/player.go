package replay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/robot"
)

// errOver ends an agent that goes on where the recording does not.
var errOver = errors.New("the recording ends here")

// Player is the world of an agent as a tape has it. It implements Body and
// robot.Clock. As long as the agent asks what it asked when it was recorded,
// it gets the same answers. From the first other question on, where it has
// diverged, time passes as the agent waits, and it sees the newest recorded
// observation of that time.
type Player struct {
	entries      []Entry
	observations []Observation

	mu     sync.Mutex
	next   int // entry
	seen   int // observations given
	now    robot.Time
	last   robot.Time // of the recording
	cancel context.CancelCauseFunc
	over   bool
	// diverged is the first question that was another one.
	diverged string
	at       robot.Time
	chunks   []robot.Chunk
}

// load readies the player for an episode: the entries after its begin and the
// observations that they speak of.
func (p *Player) load(started robot.Time, entries []Entry, observations []Observation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries, p.observations, p.now, p.last = entries, observations, started, started
	p.next, p.seen, p.over, p.diverged, p.chunks = 0, 0, false, "", nil
	for i := range entries {
		if entries[i].Do == doNow {
			p.last = max(p.last, entries[i].At)
		}
	}
}

// context gives the context for the agent, which ends when it ended then.
func (p *Player) context(ctx context.Context) context.Context {
	ctx, p.cancel = context.WithCancelCause(ctx)
	return playedContext{ctx, p}
}

// expect gives the next entry if it is of the kind that the agent asks for.
func (p *Player) expect(do string) (*Entry, bool) {
	switch {
	case p.diverged != "" || p.over:
		return nil, false
	case p.next == len(p.entries):
		p.end()
		return nil, false
	case p.entries[p.next].Do != do:
		p.diverge(do)
		return nil, false
	}
	p.next++
	return &p.entries[p.next-1], true
}

// diverge notes that the agent asks for do and the tape has something else.
func (p *Player) diverge(do string) {
	e := &p.entries[p.next]
	p.diverged, p.at = fmt.Sprintf("the agent now asks %q where it asked %q (entry %d)", do, e.Do, e.Seq), p.now
}

func (p *Player) end() {
	p.over = true
	p.cancel(errOver)
}

// Now implements robot.Clock.
func (p *Player) Now() robot.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e, ok := p.expect(doNow); ok {
		p.now = e.At
	}
	return p.now
}

// Epoch implements robot.Clock.
func (p *Player) Epoch() time.Time { return time.Unix(0, 0).UTC() }

// Wait implements robot.Clock.
func (p *Player) Wait(ctx context.Context, until robot.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.expect(doWait)
	switch {
	case ok && e.Error != "":
		p.cancel(errors.New(e.Error))
	case ok && e.At != until:
		p.next--
		p.diverged, p.at = fmt.Sprintf("the agent now waits until %v where it waited until %v (entry %d)", until, e.At, e.Seq), p.now
	case !ok && !p.over:
		if p.now = max(p.now, until); p.now > p.last {
			p.end()
		}
	}
	if c, ok := ctx.(playedContext); ok {
		ctx = c.Context
	}
	return ctx.Err()
}

// Observe implements agent.Body.
func (p *Player) Observe() robot.Observation {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.expect(doObserve)
	if ok && (p.seen == len(p.observations) || p.observations[p.seen].Seq != e.Seq) {
		p.diverged, p.at = fmt.Sprintf("observation %d is not in the recording", e.Seq), p.now
		ok = false
	}
	if ok {
		p.seen++
		return p.observations[p.seen-1].robot()
	}
	for p.seen < len(p.observations) && p.observations[p.seen].At <= p.now {
		p.seen++
	}
	if p.seen == 0 {
		return robot.Observation{At: p.now}
	}
	return p.observations[p.seen-1].robot()
}

func (o *Observation) robot() robot.Observation {
	out := robot.Observation{At: o.At, State: o.State.robot(), Scene: o.Scene}
	for _, f := range o.Frames {
		out.Frames = append(out.Frames, robot.Frame{Camera: f.Camera, At: f.At})
	}
	return out
}

// Act implements agent.Body.
func (p *Player) Act(c robot.Chunk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expect(doAct)
	p.chunks = append(p.chunks, c)
}

// Hold implements agent.Body.
func (p *Player) Hold(robot.Source) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expect(doHold)
}

// Halted implements agent.Brake.
func (p *Player) Halted() (reason string, halted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e, ok := p.expect(doHalted); ok {
		return e.Reason, e.Halted
	}
	return "", false
}

// Report is the agent's Config.Report: what it tells must be what it told.
func (p *Player) Report(u agent.Update) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.expect(doReport)
	if is := told(string(u.Kind), u.Skill, u.Reason); ok && (is != told(e.Kind, e.Call, e.Reason) || u.Step != e.Step) {
		p.diverged, p.at = fmt.Sprintf("step %d %s, where it was step %d %s", u.Step, is, e.Step, told(e.Kind, e.Call, e.Reason)), p.now
	}
}

func told(kind, call, reason string) string {
	return strings.TrimSpace(kind + " " + call + " " + reason)
}

// playedContext ends where the agent found it ended.
type playedContext struct {
	context.Context
	player *Player
}

// Err implements context.Context.
func (c playedContext) Err() error {
	p := c.player
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.diverged == "" && p.next < len(p.entries) && p.entries[p.next].Do == doCancelled {
		p.cancel(errors.New(p.entries[p.next].Error))
		p.next++
	}
	return c.Context.Err()
}
