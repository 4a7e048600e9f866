package gobot

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"gobot.io/x/gobot/v2"
	"gobot.io/x/gobot/v2/drivers/gpio"
	"gobot.io/x/gobot/v2/platforms/adaptors"
	"gobot.io/x/gobot/v2/platforms/jetson"
	"gobot.io/x/gobot/v2/platforms/raspi"

	"github.com/kuai-robot/kuai/robot"
)

// servoPeriod is the time between two pulses.
const servoPeriod = 20 * time.Millisecond

var builtIn = map[string]NewAdaptor{
	AdaptorJetson: func(_ *Board, servoPins []string) (Adaptor, error) {
		return jetson.NewAdaptor(servoOptions(servoPins)...), nil
	},
	AdaptorRaspi: func(_ *Board, servoPins []string) (Adaptor, error) {
		return raspi.NewAdaptor(servoOptions(servoPins)...), nil
	},
}

func servoOptions(pins []string) []any {
	var options []any
	for _, pin := range pins {
		options = append(options, adaptors.WithPWMDefaultPeriodForPin(pin, uint32(servoPeriod)))
	}
	return options
}

// newOpener gives what connects to a board.
func newOpener(b *Board, outputs []output, clock robot.Clock, more map[string]NewAdaptor) (opener, error) {
	if b.Adaptor == AdaptorFirmata {
		return newFirmataOpener(b, outputs, clock), nil
	}
	build, ok := more[b.Adaptor]
	if !ok {
		build, ok = builtIn[b.Adaptor]
	}
	if !ok {
		names := []string{AdaptorFirmata, AdaptorJetson, AdaptorRaspi}
		for name := range more {
			names = append(names, name)
		}
		slices.Sort(names)
		return nil, fmt.Errorf("no adaptor is called %q (there are %v)", b.Adaptor, names)
	}
	var servos []string
	for i := range outputs {
		if outputs[i].unit != duty {
			servos = append(servos, outputs[i].pin)
		}
	}
	return func(_ context.Context, confirm func(robot.Time)) (actuators, error) {
		a, err := build(b, servos)
		if err != nil {
			return nil, err
		}
		if err := a.Connect(); err != nil {
			return nil, errors.Join(err, a.Finalize())
		}
		return &header{adaptor: a, confirm: confirm, backward: map[string]bool{}, pulses: map[string]gobot.PWMPinner{}}, nil
	}, nil
}

// header is a computer's pins, or any other Gobot adaptor.
type header struct {
	adaptor  Adaptor
	confirm  func(robot.Time)
	backward map[string]bool // by direction pin
	pulses   map[string]gobot.PWMPinner
}

func (h *header) prepare(o *output) error {
	if o.direction != "" {
		d, ok := h.adaptor.(gpio.DigitalWriter)
		if !ok {
			return errors.New("the adaptor has no digital outputs (gpio.DigitalWriter)")
		}
		if err := d.DigitalWrite(o.direction, 0); err != nil {
			return fmt.Errorf("direction pin %s: %w", o.direction, err)
		}
	}
	switch o.unit {
	case pulses:
		p, ok := h.adaptor.(gobot.PWMPinnerProvider)
		if !ok {
			return errors.New("the adaptor cannot set the width of a pulse (gobot.PWMPinnerProvider): give min_angle and max_angle")
		}
		pin, err := p.PWMPin(o.pin)
		if err != nil {
			return err
		}
		h.pulses[o.pin] = pin
	case degrees:
		if _, ok := h.adaptor.(gpio.ServoWriter); !ok {
			return errors.New("the adaptor has no servos (gpio.ServoWriter)")
		}
		if _, ok := h.adaptor.(gpio.PwmWriter); !ok {
			return errors.New("the adaptor cannot let a servo go (gpio.PwmWriter)")
		}
		// Its first write is what connects the pin, and only at rest.
		return nil
	default:
		if _, ok := h.adaptor.(gpio.PwmWriter); !ok {
			return errors.New("the adaptor has no PWM (gpio.PwmWriter)")
		}
	}
	return h.release(o)
}

func (h *header) write(o *output, l level) error {
	switch o.unit {
	case pulses:
		return h.pulses[o.pin].SetDutyCycle(uint32(math.Round(l.value * 1e3)))
	case degrees:
		return h.adaptor.(gpio.ServoWriter).ServoWrite(o.pin, byte(math.Round(l.value)))
	}
	if o.direction != "" && h.backward[o.direction] != l.backward {
		if err := h.turn(o, l.backward); err != nil {
			return err
		}
	}
	return h.adaptor.(gpio.PwmWriter).PwmWrite(o.pin, byte(math.Round(math.MaxUint8*l.value)))
}

// turn sets a motor's direction, at rest.
func (h *header) turn(o *output, backward bool) error {
	level := byte(0)
	if backward {
		level = 1
	}
	if err := h.release(o); err != nil {
		return err
	}
	if err := h.adaptor.(gpio.DigitalWriter).DigitalWrite(o.direction, level); err != nil {
		return err
	}
	h.backward[o.direction] = backward
	return nil
}

func (h *header) release(o *output) error {
	if o.unit == pulses {
		return h.pulses[o.pin].SetDutyCycle(0)
	}
	return h.adaptor.(gpio.PwmWriter).PwmWrite(o.pin, 0)
}

// wrote implements actuators. These pins forget nothing, and a call that gave
// no error is all the confirmation there is.
func (h *header) wrote(now robot.Time) (forgotten bool, err error) {
	h.confirm(now)
	return false, nil
}

func (h *header) idle(now robot.Time) (forgotten bool, err error) { return h.wrote(now) }

func (h *header) every() time.Duration { return 0 }

// failed implements actuators: only a call can fail.
func (h *header) failed() <-chan struct{} { return nil }

func (h *header) err() error { return nil }

func (h *header) close() error { return h.adaptor.Finalize() }
