package gobot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

const (
	// answerTime is how long a board may take to answer,
	answerTime = 300 * time.Millisecond
	// askAgain when a question or an answer may have been lost.
	askAgain = 50 * time.Millisecond
)

// link lies between Gobot's Firmata client and the port. It feeds the client
// only what the client survives, never tells it of an error (the client
// panics on one), and asks the board for signs of life itself.
type link struct {
	clock   robot.Clock
	port    io.ReadWriteCloser
	confirm func(robot.Time) // see opener
	stop    context.CancelFunc
	work    sync.WaitGroup

	write sync.Mutex // of port

	mu       sync.Mutex
	wake     *sync.Cond
	handy    []byte // for the client to read
	shaking  bool   // the client's handshake goes on
	closed   bool
	pins     int
	versions int // answers to the version query
	name     string
	asked    robot.Time // since when an answer is due; 0: none is
	again    robot.Time // when it was last asked for
	told     status
	reports  int // how many status answers came
	fault    error
	gone     chan struct{} // closed with the fault
}

func newLink(clock robot.Clock, port io.ReadWriteCloser, confirm func(robot.Time)) *link {
	l := &link{clock: clock, port: port, confirm: confirm, shaking: true, gone: make(chan struct{})}
	l.wake = sync.NewCond(&l.mu)
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	l.work.Go(l.listen)
	l.work.Go(func() { l.watch(ctx) })
	return l
}

// fail keeps the first fault and closes the port, which ends whoever waits in it.
func (l *link) fail(err error) {
	l.mu.Lock()
	first := l.fault == nil
	if first {
		l.fault = err
		close(l.gone)
	}
	l.mu.Unlock()
	if first {
		l.port.Close()
	}
}

// err gives the fault.
func (l *link) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault
}

// listen takes what the board sends until the port ends.
func (l *link) listen() {
	var s scanner
	buffer := make([]byte, 512)
	for {
		n, err := l.port.Read(buffer)
		for _, b := range buffer[:n] {
			if message := s.feed(b); message != nil {
				l.take(message)
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("the port is gone (unplugged?)")
			}
			l.fail(err)
			return
		}
	}
}

func (l *link) take(message []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shaking && forGobot(message, l.pins) {
		l.handy = append(l.handy, message...)
		l.wake.Broadcast()
	}
	switch {
	case message[0] == protocolVersion:
		l.versions++
		// The board takes messages in order, so it has taken all that was sent
		// before the question.
		if l.asked != 0 {
			l.confirm(l.asked)
		}
		l.asked = 0
	case message[0] != sysexStart:
	case message[1] == capabilityAnswer:
		l.pins = countPins(message)
	case message[1] == firmwareAnswer && len(message) >= 5:
		l.name = strings.ReplaceAll(string(message[4:len(message)-1]), "\x00", "")
	default:
		if s, ok := parseStatus(message); ok {
			l.told = s
			l.reports++
		}
	}
}

// watch fails the link when the board does not answer.
func (l *link) watch(ctx context.Context) {
	for l.clock.Wait(ctx, l.clock.Now().Add(beat)) == nil {
		l.mu.Lock()
		late := l.asked != 0 && l.clock.Now().Sub(l.asked) > answerTime
		l.mu.Unlock()
		if late {
			l.fail(fmt.Errorf("does not answer for %v (hung, or the cable is cut)", answerTime))
		}
	}
}

// Read gives Gobot's client its next bytes. It waits through a fault, since
// the client would spin, until Close.
func (l *link) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.handy) == 0 && !l.closed {
		l.wake.Wait()
	}
	if l.closed {
		return 0, io.EOF
	}
	n := copy(p, l.handy)
	l.handy = l.handy[n:]
	return n, nil
}

// Write sends a message. It never gives an error: see err.
func (l *link) Write(p []byte) (int, error) {
	l.write.Lock()
	_, err := l.port.Write(p)
	l.write.Unlock()
	if err != nil {
		l.fail(err)
	}
	return len(p), nil
}

// Close ends the link and everything that waits in it.
func (l *link) Close() error {
	l.fail(errors.New("was closed"))
	l.stop()
	l.mu.Lock()
	l.closed = true
	l.wake.Broadcast()
	l.mu.Unlock()
	l.work.Wait()
	return nil
}

// ask sends the version query, which every Firmata board answers, unless an
// answer is still due.
func (l *link) ask(now robot.Time) {
	l.mu.Lock()
	due := l.asked != 0 && now.Sub(l.again) < askAgain
	if !due {
		l.again = now
	}
	if l.asked == 0 {
		l.asked = now
	}
	l.mu.Unlock()
	if !due {
		l.Write([]byte{protocolVersion})
	}
}

// askStatus sends kuai's status query.
func (l *link) askStatus() { l.Write([]byte{sysexStart, kuaiSysex, kuaiStatus, sysexEnd}) }

// heard gives what is known of the board.
func (l *link) heard() (versions, reports int, told status) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.versions, l.reports, l.told
}

// kuai says whether the board runs kuai's firmware.
func (l *link) kuai() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.HasPrefix(l.name, "kuai ")
}

// shaken ends the handshake: the client hears nothing more.
func (l *link) shaken() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shaking = false
}

// await waits until ok holds, for at most d, by the clock.
func (l *link) await(ctx context.Context, d time.Duration, ok func() bool) error {
	end := l.clock.Now().Add(d)
	for {
		if err := l.err(); err != nil {
			return err
		}
		if ok() {
			return nil
		}
		if l.clock.Now() >= end {
			return errors.New("does not answer (is Firmata on the board, and the baud rate right?)")
		}
		if err := l.clock.Wait(ctx, l.clock.Now().Add(beat)); err != nil {
			return err
		}
	}
}
