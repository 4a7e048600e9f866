package emulator

import (
	"errors"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/actuation/feetech"
)

// ErrUnplugged is what a port gives whose wire is cut.
var ErrUnplugged = errors.New("emulator: the adapter is unplugged")

// Bus is a wire with servos.
type Bus struct {
	mu      sync.Mutex
	servos  []*Servo
	in, out []byte
	cut     bool
	garble  bool
	held    bool // answers come too late
	late    []byte
	spoil   int // the next so many answers
	seed    uint32
}

// New gives a bus with servos of these ids, torque off, at count 2048.
func New(ids ...byte) *Bus {
	b := &Bus{seed: 1}
	for _, id := range ids {
		b.servos = append(b.servos, newServo(id))
	}
	return b
}

func (b *Bus) locked(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

func (b *Bus) find(id byte) *Servo {
	for _, s := range b.servos {
		if s.id == id {
			return s
		}
	}
	return nil
}

// Advance lets d pass for the servos.
func (b *Bus) Advance(d time.Duration) {
	b.locked(func() {
		for _, s := range b.servos {
			s.advance(d)
		}
	})
}

// Turn moves a shaft by hand.
func (b *Bus) Turn(id byte, counts float64) {
	b.locked(func() { s := b.find(id); s.shaft += counts; s.present(0) })
}

// Word reads a register of two bytes, Byte one of one.
func (b *Bus) Word(id, address byte) (v int) {
	b.locked(func() { v = feetech.Word(b.find(id).registers[address:]) })
	return v
}

// Byte reads a register.
func (b *Bus) Byte(id, address byte) (v byte) {
	b.locked(func() { v = b.find(id).registers[address] })
	return v
}

// Set writes a register whatever it is.
func (b *Bus) Set(id, address, value byte) {
	b.locked(func() { b.find(id).registers[address] = value })
}

// Silence makes one servo deaf and dumb; it loses its torque, as without power.
func (b *Bus) Silence(id byte, on bool) {
	b.locked(func() {
		s := b.find(id)
		s.silent = on
		s.registers[feetech.RegTorque] = 0
	})
}

// Unplug cuts the wire, Plug mends it; the servos keep their power.
func (b *Bus) Unplug() { b.locked(func() { b.cut, b.in, b.out = true, nil, nil }) }

// Plug ends Unplug.
func (b *Bus) Plug() { b.locked(func() { b.cut = false }) }

// Spoil flips a bit in each of the next n answers.
func (b *Bus) Spoil(n int) { b.locked(func() { b.spoil = n }) }

// Garble puts noise before, into and behind the answers.
func (b *Bus) Garble(on bool) { b.locked(func() { b.garble = on }) }

// Delay makes answers come only after the next packet was sent.
func (b *Bus) Delay(on bool) { b.locked(func() { b.held, b.late = on, nil }) }

// Port gives an end of the wire in this process.
func (b *Bus) Port() feetech.Port { return &port{b} }

// hear takes bytes from the host and leaves the answers in out.
func (b *Bus) hear(data []byte) {
	b.in = append(b.in, data...)
	for {
		p, done, err := feetech.Scan(b.in)
		p.Params = append([]byte(nil), p.Params...)
		b.in = b.in[done:]
		if errors.Is(err, feetech.ErrIncomplete) {
			return
		}
		if err == nil {
			b.obey(p)
		}
	}
}

func (b *Bus) obey(p feetech.Packet) {
	switch {
	case p.Code == feetech.SyncRead && len(p.Params) > 2:
		for _, id := range p.Params[2:] {
			b.read(b.find(id), p.Params[0], p.Params[1])
		}
	case p.Code == feetech.SyncWrite && len(p.Params) > 2:
		size := int(p.Params[1])
		for rest := p.Params[2:]; len(rest) > size; rest = rest[size+1:] {
			if s := b.find(rest[0]); s != nil && !s.silent {
				s.set(int(p.Params[0]), rest[1:size+1])
			}
		}
	case p.Code == feetech.Read && len(p.Params) == 2:
		b.read(b.find(p.ID), p.Params[0], p.Params[1])
	case p.Code == feetech.Write && len(p.Params) > 1:
		if s := b.find(p.ID); s != nil && !s.silent && int(p.Params[0])+len(p.Params)-1 <= feetech.Registers {
			s.set(int(p.Params[0]), p.Params[1:])
			b.answer(s, nil)
		}
	case p.Code == feetech.Ping:
		if s := b.find(p.ID); s != nil {
			b.answer(s, nil)
		}
	}
}

func (b *Bus) read(s *Servo, address, size byte) {
	if s == nil || int(address)+int(size) > feetech.Registers {
		return
	}
	b.answer(s, s.registers[address:int(address)+int(size)])
}

func (b *Bus) answer(s *Servo, params []byte) {
	if s.silent {
		return
	}
	packet := feetech.Packet{ID: s.id, Params: params}.Append(nil)
	if b.spoil > 0 {
		b.spoil--
		packet[len(packet)-2] ^= 0x10
	}
	if b.garble {
		packet = append(append(b.noise(7), packet...), b.noise(5)...)
		packet[int(b.random())%len(packet)] ^= byte(b.random())
	}
	b.out = append(b.out, packet...)
}

func (b *Bus) noise(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		if out[i] = byte(b.random()); b.random()%3 == 0 {
			out[i] = 0xFF
		}
	}
	return out
}

func (b *Bus) random() uint32 {
	b.seed = b.seed*1664525 + 1013904223
	return b.seed >> 16
}

// port implements feetech.Port without any waiting.
type port struct{ bus *Bus }

func (p *port) Write(data []byte) (int, error) {
	b := p.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cut {
		return 0, ErrUnplugged
	}
	if b.held {
		b.out = append(b.out, b.late...)
		before := len(b.out)
		b.hear(data)
		b.late = append([]byte(nil), b.out[before:]...)
		b.out = b.out[:before]
		return len(data), nil
	}
	b.hear(data)
	return len(data), nil
}

func (p *port) ReadFor(data []byte, _ time.Duration) (int, error) {
	b := p.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cut {
		return 0, ErrUnplugged
	}
	// In pieces, as a port gives them.
	n := copy(data[:min(len(data), 11)], b.out)
	b.out = b.out[n:]
	return n, nil
}

func (p *port) Flush() error {
	b := p.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cut {
		return ErrUnplugged
	}
	b.out = nil
	return nil
}

func (p *port) Close() error { return nil }
