package simavr

import (
	"errors"
	"time"
)

// Bytes of the protocol that a Host sends and takes.
const (
	sysexStart = 0xF0
	sysexEnd   = 0xF7
	kuaiSysex  = 0x0A
	kuaiStatus = 0x00
	answerLen  = 16
)

// Status is the board's answer to kuai's status query (firmata.h).
type Status struct {
	// Stopped are the reasons to stand still that hold, as bits; Cause is the
	// first of them.
	Stopped, Cause int
	// Active is how many outputs are driven.
	Active int
	// LoopMicros is the longest pass of the main loop so far, µs.
	LoopMicros int
	// Errors counts broken messages, Refused those that made no sense, Lost bytes
	// that came too fast.
	Errors, Refused, Lost int
}

// Host talks to a board, byte by byte, while the board runs. Nothing may be
// plugged in.
type Host struct{ *Board }

// Say feeds a message and runs until the board has dealt with it.
func (h Host) Say(bytes ...byte) error {
	if err := h.Feed(bytes...); err != nil {
		return err
	}
	for h.Unread() > 0 {
		if err := h.RunFor(time.Millisecond); err != nil {
			return err
		}
	}
	return h.RunFor(2 * time.Millisecond)
}

// Ask asks for the status.
func (h Host) Ask() (Status, error) {
	h.Sent()
	if err := h.Say(sysexStart, kuaiSysex, kuaiStatus, sysexEnd); err != nil {
		return Status{}, err
	}
	var sent []byte
	for range 100 {
		if err := h.RunFor(5 * time.Millisecond); err != nil {
			return Status{}, err
		}
		sent = append(sent, h.Sent()...)
		for i := len(sent) - answerLen; i >= 0; i-- {
			if s, ok := readStatus(sent[i : i+answerLen]); ok {
				return s, nil
			}
		}
	}
	return Status{}, errors.New("simavr: the board gives no status within half a second")
}

func readStatus(m []byte) (Status, bool) {
	if m[0] != sysexStart || m[1] != kuaiSysex || m[2] != kuaiStatus || m[answerLen-1] != sysexEnd {
		return Status{}, false
	}
	two := func(at int) int { return int(m[at]) | int(m[at+1])<<7 }
	return Status{
		Stopped: two(3), Cause: int(m[5]), Active: int(m[6]), LoopMicros: two(7), Errors: two(9), Refused: two(11), Lost: two(13),
	}, true
}
