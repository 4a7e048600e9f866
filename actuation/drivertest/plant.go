package drivertest

import (
	"errors"
	"math"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/robot"
)

// ErrUnplugged is what a Plant answers while it is unplugged.
var ErrUnplugged = errors.New("plant: unplugged (plug it in again)")

// Plant is a robot whose joints follow their command with a first-order lag.
// It implements control.Driver. What goes wrong is set by its methods.
type Plant struct {
	desc  *robot.Description
	clock robot.Clock
	lag   time.Duration

	mu        sync.Mutex
	state     robot.State
	command   robot.Command
	moved     robot.Time
	commands  []robot.Command
	keep      bool
	unplugged bool
	failReads int
	failWrite int
	frozen    bool
	blocked   [robot.MaxJoints]bool
	offset    robot.Joints
	onWrite   func(*robot.Command)
}

// NewPlant gives a plant that rests at d's home; lag is the time constant of
// its joints, 0 for joints that are where they are told at once.
func NewPlant(d *robot.Description, clock robot.Clock, lag time.Duration) *Plant {
	p := &Plant{desc: d, clock: clock, lag: lag, moved: clock.Now()}
	p.state.Position = d.Home()
	return p
}

// Read implements control.Driver.
func (p *Plant) Read() (robot.State, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unplugged {
		return robot.State{}, ErrUnplugged
	}
	if p.failReads > 0 {
		p.failReads--
		return robot.State{}, errors.New("plant: a read was made to fail")
	}
	p.advance()
	s := p.state
	for i := range s.Position {
		s.Position[i] += p.offset[i]
	}
	return s, nil
}

// Write implements control.Driver.
func (p *Plant) Write(c *robot.Command) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unplugged {
		return ErrUnplugged
	}
	if p.failWrite > 0 {
		p.failWrite--
		return errors.New("plant: a write was made to fail")
	}
	if err := control.CheckCommand(p.desc, c); err != nil {
		return err
	}
	p.advance()
	p.command = *c
	if p.keep {
		p.commands = append(p.commands, *c)
	}
	if p.onWrite != nil {
		p.onWrite(c)
	}
	return nil
}

// advance moves the joints up to the present under the command they have.
func (p *Plant) advance() {
	now := p.clock.Now()
	dt := now.Sub(p.moved).Seconds()
	p.moved = now
	if p.frozen {
		return
	}
	p.state.At = now
	for i := range p.desc.Joints {
		p.advanceJoint(i, dt)
	}
}

func (p *Plant) advanceJoint(i int, dt float64) {
	before, limits := p.state.Position[i], &p.desc.Joints[i].Limits
	p.state.Velocity[i], p.state.Effort[i] = 0, 0
	if !p.command.Enable {
		return
	}
	if p.desc.Joints[i].Kind == robot.Wheel {
		p.state.Velocity[i] = p.command.Velocity[i]
		p.state.Position[i] += p.command.Velocity[i] * dt
		return
	}
	way := p.command.Position[i] - before
	if p.blocked[i] {
		// A servo pushes with all it has once it is a little off.
		const full = 0.02 // rad or m
		p.state.Effort[i] = limits.MaxEffort * max(-1, min(1, way/full))
		return
	}
	if dt <= 0 {
		return
	}
	part := 1.0
	if p.lag > 0 {
		part = 1 - math.Exp(-dt/p.lag.Seconds())
	}
	p.state.Position[i] += part * way
	p.state.Velocity[i] = part * way / dt
}

func (p *Plant) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// Unplug makes every call fail until Plug.
func (p *Plant) Unplug() { p.set(func() { p.unplugged = true }) }

// Plug ends Unplug.
func (p *Plant) Plug() { p.set(func() { p.unplugged = false }) }

// FailReads makes the next n reads fail, FailWrites the next n writes.
func (p *Plant) FailReads(n int) { p.set(func() { p.failReads = n }) }

// FailWrites makes the next n writes fail.
func (p *Plant) FailWrites(n int) { p.set(func() { p.failWrite = n }) }

// Freeze makes reads give the same old state, as a hung device does.
func (p *Plant) Freeze(on bool) { p.set(func() { p.frozen = on }) }

// Block holds joint i where it is; it then pushes against that.
func (p *Plant) Block(i int, on bool) { p.set(func() { p.blocked[i] = on }) }

// Heat sets the temperature of joint i, °C.
func (p *Plant) Heat(i int, celsius float64) { p.set(func() { p.state.Temperature[i] = celsius }) }

// Misread adds off to every position that joint i reports; NaN is allowed.
func (p *Plant) Misread(i int, off float64) { p.set(func() { p.offset[i] = off }) }

// Keep makes the plant remember every command.
func (p *Plant) Keep() { p.set(func() { p.keep = true }) }

// OnWrite has f called inside every Write that succeeds.
func (p *Plant) OnWrite(f func(*robot.Command)) { p.set(func() { p.onWrite = f }) }

// Commands gives the commands since Keep.
func (p *Plant) Commands() []robot.Command {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]robot.Command(nil), p.commands...)
}

// Command gives the newest command.
func (p *Plant) Command() robot.Command {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.command
}

// Position gives where the joints really are.
func (p *Plant) Position() robot.Joints {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance()
	return p.state.Position
}
