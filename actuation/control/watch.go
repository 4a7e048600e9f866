package control

import (
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
)

// Watcher sees everything that the commands follow from, so that a Replayer
// can give the same ones again.
type Watcher interface {
	// Ordered is told each chunk and set-point before the loop can see it, on
	// the goroutine of Submit or Steer.
	Ordered(o *Order)
	// Ticked is told each tick, on the loop's goroutine: it must not wait or
	// allocate, and t is only valid until it returns.
	Ticked(t *Tick)
}

// Order is a chunk, or a set-point as a chunk of one action.
type Order struct {
	// Number is that by which a Tick calls it, from 1.
	Number uint64
	Chunk  robot.Chunk
	// Issued is when it was handed to the loop.
	Issued robot.Time
	// ByVelocity says that the action is velocities for all joints.
	ByVelocity bool
}

// Tick is what one tick was given and what came of it.
type Tick struct {
	// Number counts from 1.
	Number uint64
	// State is the newest that was read when the tick decided.
	State robot.State
	// Orders are the numbers of the orders that each source had; 0 for none.
	Orders [robot.Sources]uint64
	// Restarted says, of the first tick, that the loop began stopped because the
	// program came up after an unclean end.
	Restarted bool
	// Stop, Reset and Release were asked for.
	Stop, Reset, Release bool
	// Command was decided, at Command.At, with Verdict.
	Command robot.Command
	Verdict safety.Verdict
	// Unwritten says that the driver did not take the command.
	Unwritten bool
}

// tell shows the tick that has just been done to the watcher.
func (l *Loop) tell() {
	t := &l.told
	t.Number, t.State, t.Command, t.Verdict = l.ticks.Load(), l.in.State, l.command, l.verdict
	t.Stop, t.Reset, t.Release, t.Unwritten = l.in.Stop, l.in.Reset, l.in.Release, l.deaf != 0
	t.Restarted = l.config.AfterRestart && t.Number == 1
	for s := range l.motions {
		t.Orders[s] = 0
		if o := l.motions[s].order; o != nil {
			t.Orders[s] = o.number
		}
	}
	l.config.Watcher.Ticked(t)
}
