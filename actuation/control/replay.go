package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
)

// Replayer does the ticks of a Loop again, from what its Watcher was told, and
// gives the same commands to the bit as long as this package and safety decide
// the same. It belongs to one goroutine.
type Replayer struct {
	loop   *Loop
	orders map[uint64]*order
	past   past
}

// past is the clock and the driver of a Replayer: they say what they said then.
type past struct {
	now    robot.Time
	state  robot.State
	broken error
}

// errUnwritten stands for whatever the driver said then.
var errUnwritten = errors.New("the driver did not take the command")

// NewReplayer gives a Replayer before the first tick. Of c the Watcher,
// Realtime and AfterRestart are ignored.
func NewReplayer(limits *safety.Limits, c Config) (*Replayer, error) {
	c.Watcher, c.Realtime, c.AfterRestart = nil, false, false
	r := &Replayer{orders: map[uint64]*order{}}
	loop, err := New(limits, &r.past, &r.past, c)
	if err != nil {
		return nil, err
	}
	r.loop = loop
	return r, nil
}

// Order takes what Watcher.Ordered was told.
func (r *Replayer) Order(o *Order) {
	r.orders[o.Number] = &order{number: o.Number, chunk: o.Chunk, issued: o.Issued, byVelocity: o.ByVelocity}
}

// Tick does again what Watcher.Ticked was told and gives it as it is now: from
// t it takes what the tick was given. Ticks come in order, without a gap. An
// error says why this one cannot be done.
func (r *Replayer) Tick(t *Tick) (Tick, error) {
	l := r.loop
	if done := l.ticks.Load(); t.Number != done+1 {
		return Tick{}, fmt.Errorf("tick %d follows tick %d: those between are not in the recording", t.Number, done)
	}
	if t.Restarted && t.Number == 1 {
		l.core = safety.Restarted()
	}
	for s := range t.Orders {
		o, err := r.order(robot.Source(s), t.Orders[s])
		if err != nil {
			return Tick{}, fmt.Errorf("tick %d: %w", t.Number, err)
		}
		l.newest[s].Store(o)
	}
	l.release.Store(t.Release)
	l.reset.Store(t.Reset)
	if t.Stop {
		reason := ""
		l.stop.Store(&reason)
	}
	r.past = past{now: t.Command.At, state: t.State}
	if t.Unwritten {
		r.past.broken = errUnwritten
	}
	l.in.State = t.State // a tick that carries out a stop does not read it
	l.Tick()
	again := *t
	again.Command, again.Verdict = l.command, l.verdict
	return again, nil
}

// order gives the order called number and forgets those of its source that it
// took the place of.
func (r *Replayer) order(s robot.Source, number uint64) (*order, error) {
	if number == 0 {
		return nil, nil
	}
	o := r.orders[number]
	if o == nil || o.chunk.Source != s || len(o.chunk.Actions) == 0 {
		return nil, fmt.Errorf("order %d of source %s is not in the recording", number, s)
	}
	if r.loop.motions[s].order != o {
		for n, old := range r.orders {
			if n < number && old.chunk.Source == s {
				delete(r.orders, n)
			}
		}
	}
	return o, nil
}

// Now implements robot.Clock.
func (p *past) Now() robot.Time { return p.now }

// Epoch implements robot.Clock.
func (p *past) Epoch() time.Time { return time.Unix(0, 0) }

// Wait implements robot.Clock; nothing in a tick waits.
func (p *past) Wait(ctx context.Context, _ robot.Time) error { return ctx.Err() }

// Read implements Driver.
func (p *past) Read() (robot.State, error) { return p.state, nil }

// Write implements Driver.
func (p *past) Write(*robot.Command) error { return p.broken }
