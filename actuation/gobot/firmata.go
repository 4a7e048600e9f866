package gobot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gobot.io/x/gobot/v2/platforms/firmata"
	"gobot.io/x/gobot/v2/platforms/firmata/client"

	"github.com/kuai-robot/kuai/robot"
)

const (
	// wakeTime is how long a board may take from the opening of its port, which
	// resets most Arduinos, to its first answer.
	wakeTime = 5 * time.Second
	// handshakeTime bounds Gobot's handshake.
	handshakeTime = 5 * time.Second
	statusEvery   = 250 * time.Millisecond
	// refusals is how many status answers in a row may report refused messages.
	refusals = 4
	// shortPins is how many pins the three-byte messages reach.
	shortPins = 16
)

// firmataBoard is a Firmata board behind Gobot's adaptor.
type firmataBoard struct {
	adaptor *firmata.Adaptor
	link    *link
	period  time.Duration
	shook   bool // Gobot has been given the link

	polled  robot.Time
	reports int
	known   status
	refused int
}

// newFirmataOpener gives what connects to a Firmata board. One adaptor serves
// all connections: Gobot's event goroutines outlive theirs.
func newFirmataOpener(b *Board, outputs []output, clock robot.Clock) opener {
	adaptor := firmata.NewAdaptor(b.Port)
	if c, ok := adaptor.Board.(*client.Client); ok {
		c.ConnectTimeout = handshakeTime
	}
	period := firmataPeriod(b, outputs)
	return func(ctx context.Context, confirm func(robot.Time)) (actuators, error) {
		port, err := openPort(ctx, b)
		if err != nil {
			return nil, err
		}
		f := &firmataBoard{adaptor: adaptor, link: newLink(clock, port, confirm), period: period}
		if err := f.connect(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", b.Port, errors.Join(err, f.close()))
		}
		return f, nil
	}
}

// firmataPeriod gives how often all pins can be written with half of the
// line's rate to spare.
func firmataPeriod(b *Board, outputs []output) time.Duration {
	bits := 0
	for i := range outputs {
		bits += 10 * 6 // the longer of the two messages
		if outputs[i].direction != "" {
			bits += 10 * 3
		}
	}
	const least = 2 * time.Millisecond
	if strings.HasPrefix(b.Port, tcpPrefix) {
		return least
	}
	return max(least, time.Duration(bits)*time.Second/time.Duration(b.baud()))
}

// connect waits for the board to wake, has Gobot shake hands, and sees that
// the board lets its outputs be driven.
func (f *firmataBoard) connect(ctx context.Context) error {
	l := f.link
	asked := -1
	err := l.await(ctx, wakeTime, func() bool {
		// Whoever wakes late has not heard the first question.
		if asked++; asked%15 == 0 {
			l.Write([]byte{protocolVersion})
		}
		versions, _, _ := l.heard()
		return versions > 0
	})
	if err != nil {
		return err
	}
	f.shook = true
	if err := f.adaptor.Board.Connect(l); err != nil {
		return fmt.Errorf("gobot's handshake: %w", errors.Join(err, l.err()))
	}
	l.shaken()
	if err := l.err(); err != nil {
		return err
	}
	if !l.kuai() {
		return nil
	}
	if err := f.poll(ctx); err != nil || f.known.stopped == 0 {
		return err
	}
	// What stopped the board has stopped the control loop as well, which waits
	// for a reset of its own; reasons that still hold are not cleared by this.
	l.Write([]byte{sysexStart, kuaiSysex, kuaiReset, sysexEnd})
	if err := f.poll(ctx); err != nil {
		return err
	}
	return f.stoppedError()
}

// poll asks for the status and waits for it.
func (f *firmataBoard) poll(ctx context.Context) error {
	_, before, _ := f.link.heard()
	f.link.askStatus()
	return f.link.await(ctx, answerTime, func() bool {
		_, f.reports, f.known = f.link.heard()
		return f.reports > before
	})
}

func (f *firmataBoard) stoppedError() error {
	if f.known.stopped == 0 {
		return nil
	}
	var reasons []string
	for i, reason := range stopReasons {
		if f.known.stopped>>i&1 != 0 {
			reasons = append(reasons, reason)
		}
	}
	return fmt.Errorf("has stopped by itself: %s", strings.Join(reasons, ", "))
}

// pin gives a pin's number, having seen that it can be put in the mode.
func (f *firmataBoard) pin(id string, mode int) (int, error) {
	n, err := strconv.Atoi(id)
	pins := f.adaptor.Board.Pins()
	if err != nil || n < 0 || n >= len(pins) {
		return 0, fmt.Errorf("the board has no such pin (0 to %d)", len(pins)-1)
	}
	if !slices.Contains(pins[n].SupportedModes, mode) {
		return 0, fmt.Errorf("the board offers no %s there", map[int]string{client.Servo: "servo", client.Pwm: "PWM", client.Output: "digital output"}[mode])
	}
	if mode == client.Output && n|7 >= len(pins) {
		// It writes a port of eight pins at a time.
		return 0, errors.New("the last pins of a board whose pins are no multiple of eight cannot be switched through Gobot")
	}
	return n, nil
}

func (o *output) firmataMode() int {
	if o.unit == duty {
		return client.Pwm
	}
	return client.Servo
}

func (f *firmataBoard) prepare(o *output) error {
	if o.direction != "" {
		n, err := f.pin(o.direction, client.Output)
		if err != nil {
			return fmt.Errorf("direction pin %s: %w", o.direction, err)
		}
		if err := f.adaptor.Board.SetPinMode(n, client.Output); err != nil {
			return err
		}
	}
	n, err := f.pin(o.pin, o.firmataMode())
	if err != nil {
		return err
	}
	return f.adaptor.Board.SetPinMode(n, o.firmataMode())
}

func (f *firmataBoard) write(o *output, l level) error {
	n, err := strconv.Atoi(o.pin)
	if err != nil {
		return err
	}
	if f.adaptor.Board.Pins()[n].Mode != o.firmataMode() {
		if err := f.adaptor.Board.SetPinMode(n, o.firmataMode()); err != nil {
			return err
		}
	}
	if o.direction != "" {
		if err := f.turn(o, n, l.backward); err != nil {
			return err
		}
	}
	value := int(math.Round(l.value))
	if o.unit == duty {
		value = int(math.Round(math.MaxUint8 * l.value))
	}
	return f.analog(n, value)
}

// turn sets a motor's direction, at rest.
func (f *firmataBoard) turn(o *output, pin int, backward bool) error {
	level := byte(0)
	if backward {
		level = 1
	}
	n, err := strconv.Atoi(o.direction)
	if err != nil {
		return err
	}
	if f.adaptor.Board.Pins()[n].Value == int(level) {
		return nil
	}
	return errors.Join(f.analog(pin, 0), f.adaptor.DigitalWrite(o.direction, level))
}

func (f *firmataBoard) analog(pin, value int) error {
	if pin < shortPins {
		return f.adaptor.Board.AnalogWrite(pin, value)
	}
	return f.adaptor.WriteSysex([]byte{extendedAnalog, byte(pin), byte(value & 0x7F), byte(value >> 7 & 0x7F)})
}

func (f *firmataBoard) release(o *output) error {
	n, err := strconv.Atoi(o.pin)
	if err != nil {
		return err
	}
	if o.unit == duty {
		return f.analog(n, 0)
	}
	return f.adaptor.Board.SetPinMode(n, client.Input)
}

func (f *firmataBoard) wrote(now robot.Time) (forgotten bool, err error) {
	f.link.ask(now)
	poll := now.Sub(f.polled) >= statusEvery
	if poll {
		f.polled = now
	}
	if !f.link.kuai() {
		// Nothing says whether such a board understood: it is told again.
		return poll, nil
	}
	if poll {
		f.link.askStatus()
	}
	return f.heed()
}

func (f *firmataBoard) idle(now robot.Time) (forgotten bool, err error) { return f.wrote(now) }

// heed looks at what the board has said of itself since last time.
func (f *firmataBoard) heed() (forgotten bool, err error) {
	_, reports, told := f.link.heard()
	if reports == f.reports {
		return false, nil
	}
	before := f.known
	f.reports, f.known = reports, told
	if err := f.stoppedError(); err != nil {
		return false, err
	}
	if told.errors == before.errors && told.refused == before.refused && told.lost == before.lost {
		f.refused = 0
		return false, nil
	}
	if f.refused++; f.refused > refusals {
		return false, fmt.Errorf("does not take what it is told (%d broken messages, %d refused, %d times bytes lost; are its limits for these pins?)", told.errors, told.refused, told.lost)
	}
	// A message was lost, perhaps one that set a mode.
	for i := range f.adaptor.Board.Pins() {
		if mode := f.adaptor.Board.Pins()[i].Mode; mode == client.Servo || mode == client.Pwm {
			if err := f.adaptor.Board.SetPinMode(i, mode); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

func (f *firmataBoard) every() time.Duration { return f.period }

func (f *firmataBoard) failed() <-chan struct{} { return f.link.gone }

func (f *firmataBoard) err() error { return f.link.err() }

// close ends the link, and has Gobot's client know that it has ended.
func (f *firmataBoard) close() error {
	if f.shook {
		return f.adaptor.Board.Disconnect()
	}
	return f.link.Close()
}

var _ io.ReadWriteCloser = (*link)(nil)
