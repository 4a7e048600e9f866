package gobot

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/kuai-robot/kuai/robot"
)

// Adaptor is what a program that brings a Gobot adaptor along must give. The
// adaptor must also have those of gpio.ServoWriter, gpio.PwmWriter,
// gpio.DigitalWriter and gobot.PWMPinnerProvider that its joints need. Only
// one goroutine calls it.
type Adaptor interface {
	Connect() error
	Finalize() error
}

// NewAdaptor makes an adaptor for a board; servoPins need a period of 20 ms.
type NewAdaptor func(b *Board, servoPins []string) (Adaptor, error)

// Options of a Driver; Config, Description and Clock are required.
type Options struct {
	Config      *Config
	Description *robot.Description
	Clock       robot.Clock
	// Adaptors that Board.Adaptor may name beside those that are built in.
	Adaptors map[string]NewAdaptor
}

// Driver implements control.Driver.
type Driver struct {
	description *robot.Description
	clock       robot.Clock
	boards      []*board
	stop        context.CancelFunc
	workers     sync.WaitGroup

	// What the control loop's goroutine alone uses.
	state robot.State
	wrote robot.Time // of the last command; 0: none yet
}

// New checks the configuration against the robot and begins to connect.
func New(o Options) (*Driver, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, fmt.Errorf("gobot: %w", err)
	}
	outputs, err := compile(o.Description, o.Config)
	if err != nil {
		return nil, fmt.Errorf("gobot: %w", err)
	}
	d := &Driver{description: o.Description, clock: o.Clock}
	d.state.Position = o.Description.Home()
	retry := o.Config.Retry
	if retry == 0 {
		retry = defaultRetry
	}
	for i := range o.Config.Boards {
		b := &o.Config.Boards[i]
		if len(outputs[b.Name]) == 0 {
			return nil, fmt.Errorf("gobot: board %s moves no joint (take it out, or name it at a joint)", b.Name)
		}
		open, err := newOpener(b, outputs[b.Name], o.Clock, o.Adaptors)
		if err != nil {
			return nil, fmt.Errorf("gobot: board %s: %w", b.Name, err)
		}
		d.boards = append(d.boards, newBoard(b.Name, outputs[b.Name], open, o.Clock, retry))
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.stop = cancel
	for _, b := range d.boards {
		d.workers.Go(func() { b.run(ctx) })
	}
	return d, nil
}

// Close releases the outputs and disconnects.
func (d *Driver) Close() error {
	d.stop()
	d.workers.Wait()
	return nil
}

// fault gives what is wrong with the first board that is not there.
func (d *Driver) fault() error {
	for _, b := range d.boards {
		if err := b.fault.Load(); err != nil {
			return *err
		}
	}
	return nil
}

// Read implements control.Driver: the commanded position is all that is known,
// as of when the board that has been silent longest showed that it listens.
func (d *Driver) Read() (robot.State, error) {
	if err := d.fault(); err != nil {
		return robot.State{}, err
	}
	d.state.At = d.clock.Now()
	for _, b := range d.boards {
		d.state.At = min(d.state.At, robot.Time(b.confirmed.Load()))
	}
	return d.state, nil
}

// Write implements control.Driver. Boards that are there get the command even
// if another is not.
func (d *Driver) Write(c *robot.Command) error {
	for i := range d.description.Joints {
		if v := c.Position[i] + c.Velocity[i]; math.IsNaN(v) || math.IsInf(v, 0) {
			return errors.New("gobot: a command is not a finite number")
		}
	}
	for _, b := range d.boards {
		b.orders.Put(*c)
	}
	if err := d.fault(); err != nil {
		// Where the joints stand now is anybody's guess; what was believed stays.
		d.wrote = 0
		return err
	}
	d.believe(c)
	return nil
}

// believe takes the command for the state.
func (d *Driver) believe(c *robot.Command) {
	now := d.clock.Now()
	var dt float64
	if d.wrote != 0 {
		dt = now.Sub(d.wrote).Seconds()
	}
	for i := range d.description.Joints {
		d.state.Velocity[i] = 0
		switch {
		case !c.Enable:
			// A limp joint is believed where it was let go.
		case d.description.Joints[i].Kind == robot.Wheel:
			d.state.Velocity[i] = c.Velocity[i]
			d.state.Position[i] += c.Velocity[i] * dt
		default:
			if dt > 0 {
				d.state.Velocity[i] = (c.Position[i] - d.state.Position[i]) / dt
			}
			d.state.Position[i] = c.Position[i]
		}
	}
	d.wrote = now
}
