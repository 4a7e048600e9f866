package replay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// errOver ends an agent that goes on where the recording does not.
var errOver = errors.New("the recording ends here")

// Player is the world of an agent as a tape has it. It implements Body and
// robot.Clock. As long as the agent asks what it asked when it was recorded,
// it gets the same answers. From the first other question on, which Diverged
// tells, time passes as the agent waits, and it sees the newest recorded
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

// NewPlayer gives a player of the entries after an episode's begin, with the
// observations that they speak of.
func NewPlayer(started robot.Time, entries []Entry, observations []Observation) *Player {
	p := &Player{entries: entries, observations: observations, now: started, last: started}
	for i := range entries {
		if entries[i].Do == doNow {
			p.last = max(p.last, entries[i].At)
		}
	}
	return p
}

// Context gives the context for the agent, which ends when it ended then.
func (p *Player) Context(ctx context.Context) context.Context {
	ctx, p.cancel = context.WithCancelCause(ctx)
	return playedContext{ctx, p}
}

// Diverged says what the agent asked first that it did not ask then; empty
// when it asked the same to the end.
func (p *Player) Diverged() (what string, at robot.Time) { return p.diverged, p.at }

// Chunks gives what the agent handed over.
func (p *Player) Chunks() []robot.Chunk { return p.chunks }

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

// Report takes what the agent reports: what it decided must be as it was.
func (p *Player) Report(kind string, step int, call, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.expect(doReport)
	if ok && (e.Kind != kind || e.Step != step || e.Call != call || e.Reason != reason) {
		p.diverged = fmt.Sprintf("step %d: the agent now reports %s %s %s, where it reported %s %s %s", step, kind, call, reason, e.Kind, e.Call, e.Reason)
		p.at = p.now
	}
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
