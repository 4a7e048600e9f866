package arduino

// #cgo CFLAGS: -std=gnu11 -O2 -Wall -Werror
// #include "host.h"
import "C"

import (
	"errors"
	"time"
)

// Reasons to stand still, as guard.h numbers them.
const (
	StopBoot = 1 << iota
	StopSilence
	StopHost
	StopPin
	StopLimits
	StopNoise
)

// Board is the firmware over checked pins; see the package comment.
type Board struct{}

// New gives a board that has just been powered for the first time.
func New() Board {
	C.host_new()
	return Board{}
}

// Power cycles the power; the EEPROM keeps what it holds.
func (Board) Power() { C.host_power() }

// Corrupt flips bits of a byte of the EEPROM.
func (Board) Corrupt(address uint16, mask byte) {
	C.host_corrupt(C.uint16_t(address), C.uint8_t(mask))
}

// StopSwitch opens or closes the stop switch.
func (Board) StopSwitch(open bool) { C.host_stop_switch(C.bool(open)) }

// Feed has the board receive bytes, one a pass of its main loop.
func (Board) Feed(bytes ...byte) {
	for _, b := range bytes {
		C.host_feed(C.uint8_t(b))
	}
}

// Wait lets time pass, in whole milliseconds.
func (Board) Wait(d time.Duration) { C.host_wait(C.uint16_t(d.Milliseconds())) }

// Err says which promise the firmware has broken first, or nil.
func (Board) Err() error {
	if broken := C.host_broken(); broken != nil {
		return errors.New(C.GoString(broken))
	}
	return nil
}

// Driven counts, over all boards, how often an output was found away from its
// stop level after a pass.
func Driven() uint64 { return uint64(C.host_driven()) }

// Reasons gives the reasons to stand still.
func (Board) Reasons() byte { return byte(C.host_reasons()) }
