package simavr

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Load is what a board stands when it has the most to do.
type Load struct {
	// LongestPass of the main loop from power-on through the load, and until the
	// first session.
	LongestPass, LongestAtStart time.Duration
	// Stack is how many bytes were in use at most.
	Stack int
	// Status at the end.
	Status Status
	// Off is how long after the last byte the outputs went off.
	Off time.Duration
}

// Modes of pins.
const (
	modeOutput = 1
	modeAnalog = 2
	modePWM    = 3
	modeServo  = 4
)

// loadMessages is how many messages a measurement sends at full rate.
const loadMessages = 150

// Measure loads a board that has just been opened with everything at once: every
// servo slot, PWM, all inputs reported at the highest rate, and a host that
// fills the line with the most expensive messages. Then the host falls silent.
func Measure(b *Board) (Load, error) {
	m := &meter{h: Host{b}}
	m.run(50 * time.Millisecond)
	m.say(0xFF)
	atStart := m.ask()
	m.occupy()
	random := rand.New(rand.NewPCG(5, 6))
	for range loadMessages {
		messages := m.expensive(random)
		m.feed(messages[random.IntN(len(messages))]...)
		if b.Unread() > 64 {
			m.run(10 * time.Millisecond)
		}
	}
	m.run(100 * time.Millisecond)
	m.say(0xFF)
	m.run(300 * time.Millisecond) // what it had to say still is said
	s := m.ask()
	l := Load{
		LongestPass: time.Duration(s.LoopMicros) * time.Microsecond, LongestAtStart: time.Duration(atStart.LoopMicros) * time.Microsecond,
		Status: s, Stack: m.stack(), Off: m.silence(),
	}
	return l, m.err
}

// meter is a host that goes on as if nothing was wrong and keeps the first error.
type meter struct {
	h   Host
	err error
}

func (m *meter) do(f func() error) {
	if m.err == nil {
		m.err = f()
	}
}

func (m *meter) run(d time.Duration) { m.do(func() error { return m.h.RunFor(d) }) }
func (m *meter) say(bytes ...byte)   { m.do(func() error { return m.h.Say(bytes...) }) }
func (m *meter) feed(bytes ...byte)  { m.do(func() error { return m.h.Feed(bytes...) }) }
func (m *meter) ask() (s Status) {
	m.do(func() (err error) { s, err = m.h.Ask(); return err })
	return s
}
func (m *meter) write(bytes ...uint8) {
	m.say(append(append([]byte{sysexStart}, bytes...), sysexEnd)...)
}

// occupy gives every pin something to do.
func (m *meter) occupy() {
	model := m.h.model
	m.write(0x7A, 10, 0) // report every 10 ms
	for pin := 3; pin < model.Pins()-model.Channels; pin++ {
		mode := byte(modeServo)
		if pin%2 == 0 {
			mode = modePWM
		}
		m.say(0xF4, byte(pin), mode)
		m.write(0x6F, byte(pin), 100, 0)
	}
	for pin := model.Pins() - model.Channels; pin < model.Pins(); pin++ {
		m.say(0xF4, byte(pin), modeAnalog)
	}
	for port := range (model.Pins() + 7) / 8 {
		m.say(0xD0|byte(port), 1)
	}
}

// expensive are the messages that cost a board most.
func (m *meter) expensive(random *rand.Rand) [][]byte {
	pins := m.h.model.Pins()
	pulse := 500 + random.IntN(2000)
	long := []byte{sysexStart, 0x71}
	for range 40 {
		long = append(long, 0x11)
	}
	limit := []byte{2, 20, modeServo, 0, 1000 & 0x7F, 1000 >> 7, 2000 & 0x7F, 2000 >> 7}
	var sum byte
	for _, v := range limit {
		sum += v
	}
	return [][]byte{
		{0x90, 0x7F, 1}, {0x91, 0, 0}, {0x92, 0x7F, 1},
		{sysexStart, kuaiSysex, kuaiStatus, sysexEnd}, {sysexStart, kuaiSysex, 3, byte(random.IntN(pins)), sysexEnd},
		{sysexStart, 0x6D, byte(random.IntN(pins)), sysexEnd}, {0xE9, byte(pulse & 0x7F), byte(pulse >> 7)},
		{sysexStart, 0x6B, sysexEnd}, {sysexStart, 0x69, sysexEnd}, {sysexStart, 0x79, sysexEnd}, append(long, sysexEnd),
		append(append([]byte{sysexStart, kuaiSysex}, limit...), sum&0x7F, sysexEnd),
	}
}

// stack gives how deep the stack has been: simavr's memory begins as zeros, and
// more than a few in a row lie in no frame.
func (m *meter) stack() int {
	const gap, lowest = 64, 0x200
	zeros, end := 0, m.h.model.ramEnd
	for at := end; at > lowest; at-- {
		if zeros++; m.h.Data(at) != 0 {
			zeros = 0
		}
		if zeros == gap {
			return int(end-at) + 1 - gap
		}
	}
	return int(end)
}

// silence drives an output and gives how long after the last byte it went off.
func (m *meter) silence() time.Duration {
	const pin = 13
	m.say(0xF4, pin, modeOutput)
	m.say(0xF5, pin, 0)
	m.h.Forget()
	m.feed(0xF5, pin, 1)
	m.run(time.Second)
	last := m.h.LastByte()
	edges := m.h.Edges(pin)
	if m.err == nil && (len(edges) != 2 || edges[1].High) {
		m.err = fmt.Errorf("simavr: pin %d changed like %v from cycle %d on, want on and off", pin, edges, last)
	}
	if m.err != nil {
		return 0
	}
	return Duration(edges[1].Cycle - last)
}
