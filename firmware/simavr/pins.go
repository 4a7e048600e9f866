package simavr

// #include "board.h"
import "C"

import (
	"fmt"
	"strings"
	"time"
)

// StopPin is the Arduino number of the pin that the stop switch grounds.
const StopPin = 2

// Model is a kind of board.
type Model struct {
	// Name is what Build calls it, MCU what simavr calls its processor.
	Name, MCU string
	// Channels is how many analog inputs there are, the last of the pins.
	Channels int
	ramEnd   uint16
	wires    []wire
	numbers  map[wire]int
}

// wire is a port's letter and bit.
type wire struct{ port, bit byte }

// The wires of the pins in Arduino's order.
var (
	Uno = model("uno", "atmega328p", 6, 0x8FF, `
		D0 D1 D2 D3 D4 D5 D6 D7 B0 B1 B2 B3 B4 B5
		C0 C1 C2 C3 C4 C5`)
	Mega = model("mega", "atmega2560", 16, 0x21FF, `
		E0 E1 E4 E5 G5 E3 H3 H4 H5 H6 B4 B5 B6 B7 J1 J0 H1 H0 D3 D2 D1 D0
		A0 A1 A2 A3 A4 A5 A6 A7 C7 C6 C5 C4 C3 C2 C1 C0 D7 G2 G1 G0
		L7 L6 L5 L4 L3 L2 L1 L0 B3 B2 B1 B0
		F0 F1 F2 F3 F4 F5 F6 F7 K0 K1 K2 K3 K4 K5 K6 K7`)
)

func model(name, mcu string, channels int, ramEnd uint16, wires string) *Model {
	m := &Model{Name: name, MCU: mcu, Channels: channels, ramEnd: ramEnd, numbers: map[wire]int{}}
	for i, w := range strings.Fields(wires) {
		m.wires = append(m.wires, wire{w[0], w[1] - '0'})
		m.numbers[m.wires[i]] = i
	}
	return m
}

// Pins gives how many pins the board has.
func (m *Model) Pins() int { return len(m.wires) }

// Edge is a change of a pin's level.
type Edge struct {
	Cycle uint64
	High  bool
}

// edgesKept bounds what is kept of each pin; of more, the oldest go.
const edgesKept = 1 << 16

// collect takes the newest edges from the simulator.
func (b *Board) collect() error {
	var batch [512]C.struct_edge
	for {
		n := int(C.board_edges(b.c, &batch[0], C.size_t(len(batch))))
		for _, e := range batch[:n] {
			pin, ok := b.model.numbers[wire{byte(e.port), byte(e.bit)}]
			if !ok {
				continue
			}
			if len(b.edges[pin]) == edgesKept {
				b.edges[pin] = append(b.edges[pin][:0], b.edges[pin][edgesKept/2:]...)
			}
			b.edges[pin] = append(b.edges[pin], Edge{Cycle: uint64(e.cycle), High: e.level != 0})
		}
		if n < len(batch) {
			break
		}
	}
	if lost := uint64(C.board_edges_lost(b.c)); lost > 0 {
		return fmt.Errorf("simavr: %d edges were lost (a pin changes faster than they are collected)", lost)
	}
	return nil
}

// Edges gives the changes of a pin's level since Forget.
func (b *Board) Edges(pin int) []Edge {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Edge(nil), b.edges[pin]...)
}

// Forget drops the edges of all pins.
func (b *Board) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.edges {
		b.edges[i] = b.edges[i][:0]
	}
}

// Pulse is a stretch for which a pin was high.
type Pulse struct {
	Start uint64 // cycle
	Width time.Duration
}

// Pulses gives the whole pulses of a pin since Forget.
func (b *Board) Pulses(pin int) []Pulse {
	var pulses []Pulse
	edges := b.Edges(pin)
	for i := 1; i < len(edges); i++ {
		if edges[i-1].High && !edges[i].High {
			pulses = append(pulses, Pulse{Start: edges[i-1].Cycle, Width: Duration(edges[i].Cycle - edges[i-1].Cycle)})
		}
	}
	return pulses
}

// Level says what the program makes of a pin.
type Level int

// The levels of a pin.
const (
	Floating Level = iota
	Pulled         // up, by the pull-up
	Low
	High
)

// String names the level.
func (l Level) String() string { return [...]string{"floating", "pulled up", "low", "high"}[l] }

// Level gives what a pin's registers drive it to at this moment. A PWM pin is
// Low here: see Pulses.
func (b *Board) Level(pin int) Level {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		return Floating
	}
	w := b.model.wires[pin]
	registers := uint32(C.board_port(b.c, C.char(w.port)))
	high, driven := registers>>w.bit&1 != 0, registers>>(8+w.bit)&1 != 0
	switch {
	case driven && high:
		return High
	case driven:
		return Low
	case high:
		return Pulled
	}
	return Floating
}

// SetPin puts a level on a pin from outside.
func (b *Board) SetPin(pin int, high bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		return
	}
	level := C.int(0)
	if high {
		level = 1
	}
	w := b.model.wires[pin]
	C.board_set_pin(b.c, C.char(w.port), C.int(w.bit), level)
}
