package simavr

// #cgo CFLAGS: -O2 -Wall
// #cgo LDFLAGS: -ldl
// #include <stdlib.h>
// #include "board.h"
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"
)

// Frequency of the processor in Hz.
const Frequency = 16_000_000

// Duration gives how long cycles last.
func Duration(cycles uint64) time.Duration {
	return time.Duration(cycles/Frequency)*time.Second + time.Duration(cycles%Frequency)*time.Second/Frequency
}

func cycles(d time.Duration) uint64 { return uint64(d) * (Frequency / 1e6) / 1e3 }

// ErrCrashed is what running a board gives whose program ran into nothing.
var ErrCrashed = errors.New("simavr: the processor crashed")

// ErrClosed is what a closed board gives.
var ErrClosed = errors.New("simavr: the board is closed")

// Board is one simulated board.
type Board struct {
	model *Model

	mu    sync.Mutex
	c     *C.struct_board // nil once closed
	edges [][]Edge        // by pin
	link  *link           // what the UART is joined to; nil: collected in sent
	sent  []byte
}

// Options of a Board.
type Options struct {
	// Model is what board it is.
	Model *Model
	// ELF is the firmware's file.
	ELF string
	// EEPROM is its content at the start; nil is an unwritten one.
	EEPROM []byte
	// StopOpen leaves the stop switch open; closed is how a robot runs.
	StopOpen bool
}

// Open powers a board up; nothing has run yet.
func Open(o Options) (*Board, error) {
	elf, mcu := C.CString(o.ELF), C.CString(o.Model.MCU)
	defer C.free(unsafe.Pointer(elf))
	defer C.free(unsafe.Pointer(mcu))
	var eeprom *C.uint8_t
	if len(o.EEPROM) > 0 {
		eeprom = (*C.uint8_t)(&o.EEPROM[0])
	}
	message := make([]byte, 300)
	c := C.board_open(elf, mcu, eeprom, C.size_t(len(o.EEPROM)), (*C.char)(unsafe.Pointer(&message[0])), C.size_t(len(message)))
	if c == nil {
		return nil, errors.New(C.GoString((*C.char)(unsafe.Pointer(&message[0]))))
	}
	b := &Board{model: o.Model, c: c, edges: make([][]Edge, len(o.Model.wires))}
	b.SetPin(StopPin, o.StopOpen)
	return b, nil
}

// Close ends the board; closing twice is harmless.
func (b *Board) Close() {
	b.Unplug()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c != nil {
		C.board_close(b.c)
		b.c = nil
	}
}

// slice is how long the processor runs between exchanges with the host.
const slice = time.Millisecond

// RunFor runs the board for d of its time.
func (b *Board) RunFor(d time.Duration) error {
	end := b.Cycles() + cycles(d)
	for {
		now := b.Cycles()
		if now >= end {
			return nil
		}
		if err := b.runTo(min(end, now+cycles(slice))); err != nil {
			return err
		}
	}
}

// runTo runs to a cycle and hands over what was sent meanwhile.
func (b *Board) runTo(cycle uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		return ErrClosed
	}
	b.receive()
	if C.board_run(b.c, C.uint64_t(cycle)) == 0 {
		return ErrCrashed
	}
	b.send()
	return b.collect()
}

// Cycles gives how many the processor has run.
func (b *Board) Cycles() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		return 0
	}
	return uint64(C.board_cycle(b.c))
}

// Now gives how long the board has run.
func (b *Board) Now() time.Duration { return Duration(b.Cycles()) }

// Feed has the board receive bytes from its next cycle on, one after the other.
func (b *Board) Feed(bytes ...byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.feed(bytes)
}

func (b *Board) feed(bytes []byte) error {
	if b.c == nil {
		return ErrClosed
	}
	if len(bytes) == 0 {
		return nil
	}
	if n := int(C.board_feed(b.c, (*C.uint8_t)(&bytes[0]), C.size_t(len(bytes)))); n < len(bytes) {
		return fmt.Errorf("simavr: %d bytes wait for the UART already", n)
	}
	return nil
}

// Unread gives how many bytes are not on the line yet.
func (b *Board) Unread() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		return 0
	}
	return int(C.board_unread(b.c))
}

// LastByte gives the cycle at which the newest byte from the host ends, or ended.
func (b *Board) LastByte() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		return 0
	}
	return uint64(C.board_heard(b.c))
}

// Sent takes what the board has sent while nothing was plugged in.
func (b *Board) Sent() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	sent := b.sent
	b.sent = nil
	return sent
}

// SetAnalog puts a voltage on an analog input.
func (b *Board) SetAnalog(channel int, volts float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c != nil {
		C.board_set_analog(b.c, C.int(channel), C.uint32_t(volts*1e3+0.5))
	}
}

// EEPROM reads n bytes from the start of the EEPROM.
func (b *Board) EEPROM(n int) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	bytes := make([]byte, n)
	if b.c != nil && n > 0 {
		C.board_read_eeprom(b.c, (*C.uint8_t)(&bytes[0]), 0, C.size_t(n))
	}
	return bytes
}

// Data reads a byte of the data space: a register, a variable, the stack.
func (b *Board) Data(address uint16) byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		return 0
	}
	return byte(C.board_data(b.c, C.uint16_t(address)))
}
