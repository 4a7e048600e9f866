package replay

import (
	"fmt"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
)

// Command is one tick of the control loop on the topic TopicCommand.
type Command struct {
	// Number counts the ticks from 1; At is when it decided.
	Number uint64     `json:"number"`
	At     robot.Time `json:"at"`
	// What was commanded.
	Enable   bool    `json:"enable"`
	Position Numbers `json:"position"`
	Velocity Numbers `json:"velocity"`
	// What the safety core said. Joint is -1 where none is meant.
	Mode    string       `json:"mode"`
	Reason  string       `json:"reason"`
	Joint   int          `json:"joint"`
	Source  string       `json:"source"`
	Limited safety.Limit `json:"limited"`
	// What the tick was given: the orders of each source, what was asked for,
	// and the joints as they were last read.
	Orders    [robot.Sources]uint64 `json:"orders"`
	Restarted bool                  `json:"restarted,omitempty"`
	Stop      bool                  `json:"stop,omitempty"`
	Reset     bool                  `json:"reset,omitempty"`
	Release   bool                  `json:"release,omitempty"`
	Unwritten bool                  `json:"unwritten,omitempty"`
	State     State                 `json:"state"`
}

// CommandOf gives t of a robot with so many joints. Its numbers are t's own.
func CommandOf(t *control.Tick, joints int) Command {
	v := &t.Verdict
	return Command{
		Number: t.Number, At: t.Command.At,
		Enable: t.Command.Enable, Position: t.Command.Position[:joints], Velocity: t.Command.Velocity[:joints],
		Mode: v.Mode.String(), Reason: v.Code.String(), Joint: v.Joint, Source: v.Source.String(), Limited: v.Limited,
		Orders: t.Orders, Restarted: t.Restarted, Stop: t.Stop, Reset: t.Reset, Release: t.Release, Unwritten: t.Unwritten,
		State: stateOf(&t.State, joints),
	}
}

// tick gives what the tick was given.
func (c *Command) tick() control.Tick {
	return control.Tick{
		Number: c.Number, State: c.State.robot(), Orders: c.Orders, Restarted: c.Restarted,
		Stop: c.Stop, Reset: c.Reset, Release: c.Release, Unwritten: c.Unwritten,
		Command: robot.Command{At: c.At, Enable: c.Enable, Position: c.Position.joints(), Velocity: c.Velocity.joints()},
	}
}

// same says whether both command the same, for the same reason.
func (c *Command) same(d *Command) bool {
	return c.Enable == d.Enable && c.Position.same(d.Position) && c.Velocity.same(d.Velocity) &&
		c.Mode == d.Mode && c.Reason == d.Reason && c.Joint == d.Joint && c.Source == d.Source && c.Limited == d.Limited
}

// Chunk is an order to the control loop on the topic TopicChunk.
type Chunk struct {
	// Number is that by which commands speak of it; ID counts the chunks of one
	// source, 0 for a set-point of the teleoperator.
	Number     uint64        `json:"number"`
	ID         uint64        `json:"id"`
	Source     string        `json:"source"`
	ObservedAt robot.Time    `json:"observed_at"`
	Start      robot.Time    `json:"start"`
	Step       time.Duration `json:"step"`
	Expires    robot.Time    `json:"expires"`
	Issued     robot.Time    `json:"issued"`
	ByVelocity bool          `json:"by_velocity,omitempty"`
	Actions    []Numbers     `json:"actions"`
}

// ChunkOf gives o of a robot with so many joints. Its numbers are o's own.
func ChunkOf(o *control.Order, joints int) Chunk {
	c := chunkOf(&o.Chunk, joints)
	c.Number, c.Issued, c.ByVelocity = o.Number, o.Issued, o.ByVelocity
	return c
}

func chunkOf(from *robot.Chunk, joints int) Chunk {
	c := Chunk{
		ID: from.ID, Source: from.Source.String(), ObservedAt: from.ObservedAt,
		Start: from.Start, Step: from.Step, Expires: from.Expires, Actions: make([]Numbers, len(from.Actions)),
	}
	for i := range c.Actions {
		c.Actions[i] = from.Actions[i][:joints]
	}
	return c
}

// order gives c as the control loop had it.
func (c *Chunk) order() (*control.Order, error) {
	source, ok := sourceNamed(c.Source)
	if !ok || len(c.Actions) == 0 || len(c.Actions) > 1 && c.Step <= 0 {
		return nil, fmt.Errorf("order %d of source %q with %d actions every %v is none that a loop takes", c.Number, c.Source, len(c.Actions), c.Step)
	}
	o := &control.Order{Number: c.Number, Issued: c.Issued, ByVelocity: c.ByVelocity, Chunk: robot.Chunk{
		ID: c.ID, Source: source, ObservedAt: c.ObservedAt, Start: c.Start, Step: c.Step, Expires: c.Expires,
		Actions: make([]robot.Joints, len(c.Actions)),
	}}
	for i := range c.Actions {
		o.Chunk.Actions[i] = c.Actions[i].joints()
	}
	return o, nil
}

func sourceNamed(name string) (robot.Source, bool) {
	for s := robot.SourceNone + 1; s < robot.Sources; s++ {
		if s.String() == name {
			return s, true
		}
	}
	return robot.SourceNone, false
}

// same says whether both are the same motion to the bit, whenever it was
// handed over.
func (c *Chunk) same(d *Chunk) bool {
	if c.ObservedAt != d.ObservedAt || c.Start != d.Start || c.Step != d.Step || c.Expires != d.Expires || len(c.Actions) != len(d.Actions) {
		return false
	}
	for i := range c.Actions {
		if !c.Actions[i].same(d.Actions[i]) {
			return false
		}
	}
	return true
}
