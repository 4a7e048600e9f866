package gobot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

const (
	// silence is how long after the last command the worker releases the
	// outputs: before the firmware's own 500 ms, which then are for the case
	// that the whole program hangs.
	silence = 400 * time.Millisecond
	// lapse is how long a board that failed counts as gone at least.
	lapse = time.Second
	// beat is how often the worker looks after a board that is not written to.
	beat = 10 * time.Millisecond
)

// actuators is a connected board. Its worker alone calls it.
type actuators interface {
	// prepare makes a pin ready, at rest; it says what the pin cannot do.
	prepare(o *output) error
	write(o *output, l level) error
	// release gives a pin no more pulses, or duty 0.
	release(o *output) error
	// wrote is called after each command that was carried out, idle on every
	// beat while no output is on. They may answer that the board has forgotten
	// what it was told.
	wrote(now robot.Time) (forgotten bool, err error)
	idle(now robot.Time) (forgotten bool, err error)
	// every is the least time between two commands that the board can take.
	every() time.Duration
	// failed is closed when the board is found gone, and err then says why.
	failed() <-chan struct{}
	err() error
	close() error
}

// opener connects to a board. Whenever the board has shown since that it took
// all that it was told up to some instant, confirm is called with that, from
// any goroutine.
type opener func(ctx context.Context, confirm func(robot.Time)) (actuators, error)

// board is a board as its worker keeps it.
type board struct {
	name    string
	outputs []output
	open    opener
	clock   robot.Clock
	retry   time.Duration

	orders    *robot.Mailbox[robot.Command]
	fault     atomic.Pointer[error] // why the board is not there; nil: it is
	confirmed atomic.Int64          // robot.Time

	// The worker's own.
	sent    []level // by output
	on      []bool  // the output has been written since its release
	carried robot.Time
}

func newBoard(name string, outputs []output, open opener, clock robot.Clock, retry time.Duration) *board {
	b := &board{
		name: name, outputs: outputs, open: open, clock: clock, retry: retry,
		orders: robot.NewMailbox[robot.Command](), sent: make([]level, len(outputs)), on: make([]bool, len(outputs)),
	}
	b.fail(errors.New("is not connected yet"))
	return b
}

func (b *board) fail(err error) {
	err = fmt.Errorf("gobot: board %s: %w", b.name, err)
	b.fault.Store(&err)
}

// run connects, serves and connects again until ctx ends.
func (b *board) run(ctx context.Context) {
	pause := lapse
	for ctx.Err() == nil {
		a, err := b.connect(ctx)
		if err == nil {
			pause = lapse
			b.fault.Store(nil)
			err = b.serve(ctx, a)
			b.fail(err)
			err = errors.Join(err, a.close())
		}
		b.fail(err)
		if b.clock.Wait(ctx, b.clock.Now().Add(pause)) != nil {
			break
		}
		pause = min(2*pause, b.retry)
	}
	b.fail(errors.New("was closed"))
}

func (b *board) connect(ctx context.Context) (actuators, error) {
	a, err := b.open(ctx, func(t robot.Time) { b.confirmed.Store(int64(t)) })
	if err != nil {
		return nil, err
	}
	for i := range b.outputs {
		o := &b.outputs[i]
		b.on[i] = false
		if err := a.prepare(o); err != nil {
			return nil, errors.Join(fmt.Errorf("joint %s, pin %s: %w", o.name, o.pin, err), a.close())
		}
	}
	// What was ordered while nobody was there is not made up for.
	b.orders.Take()
	return a, nil
}

// serve carries out commands until the board fails or ctx ends.
func (b *board) serve(ctx context.Context, a actuators) error {
	beats, stopBeats := b.beats(ctx)
	defer stopBeats()
	ordered := b.clock.Now()
	for {
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("was closed"), b.releaseAll(a))
		case <-a.failed():
			return a.err()
		case <-b.orders.Ready():
			c, ok := b.orders.Take()
			if !ok {
				continue
			}
			ordered = b.clock.Now()
			if err := b.carryOut(a, &c, ordered); err != nil {
				return err
			}
		case <-beats:
			if err := b.lookAfter(a, b.clock.Now(), ordered); err != nil {
				return err
			}
		}
	}
}

// lookAfter lets the outputs go when nothing was ordered for too long, and
// keeps an eye on a board that is at rest. One whose outputs are on hears
// nothing but orders: its dead-man must not be fed by anything else.
func (b *board) lookAfter(a actuators, now, ordered robot.Time) error {
	if now.Sub(ordered) >= silence {
		if err := b.releaseAll(a); err != nil {
			return err
		}
	}
	if slices.Contains(b.on, true) {
		return nil
	}
	_, err := a.idle(now)
	return err
}

// beats gives something to read every now and then by the clock.
func (b *board) beats(ctx context.Context) (<-chan struct{}, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	c := make(chan struct{}, 1)
	go func() {
		for b.clock.Wait(ctx, b.clock.Now().Add(beat)) == nil {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}()
	return c, cancel
}

// carryOut tells the pins what has changed.
func (b *board) carryOut(a actuators, c *robot.Command, now robot.Time) error {
	if !c.Enable {
		if err := b.releaseAll(a); err != nil {
			return err
		}
		_, err := a.wrote(now)
		return err
	}
	// The loop goes on writing, so what is passed over here comes again.
	if now.Sub(b.carried) < a.every() {
		return nil
	}
	b.carried = now
	for i := range b.outputs {
		o := &b.outputs[i]
		l := o.at(o.number(c))
		if b.on[i] && l == b.sent[i] {
			continue
		}
		if err := a.write(o, l); err != nil {
			return fmt.Errorf("joint %s, pin %s: %w", o.name, o.pin, err)
		}
		b.sent[i], b.on[i] = l, true
	}
	forgotten, err := a.wrote(now)
	if forgotten {
		clear(b.on)
	}
	return err
}

func (b *board) releaseAll(a actuators) error {
	var errs []error
	for i := range b.outputs {
		if !b.on[i] {
			continue
		}
		if err := a.release(&b.outputs[i]); err != nil {
			errs = append(errs, fmt.Errorf("joint %s, pin %s: %w", b.outputs[i].name, b.outputs[i].pin, err))
		}
		b.on[i] = false
	}
	return errors.Join(errs...)
}
