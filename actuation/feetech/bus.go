package feetech

import (
	"errors"
	"fmt"
	"time"
)

// Port is the wire. Its methods are called from one goroutine.
type Port interface {
	// Write sends all of p.
	Write(p []byte) (int, error)
	// ReadFor gives what has come, waiting at most d for the first byte; 0 and
	// no error when nothing came.
	ReadFor(p []byte, d time.Duration) (int, error)
	// Flush drops what has come and was not read.
	Flush() error
	Close() error
}

// Counters of what went wrong on a bus.
type Counters struct {
	// Packets is how many were sent.
	Packets uint64
	// Silent counts answers that did not come, Spoilt those with a wrong
	// checksum, Strange those nobody had asked for.
	Silent, Spoilt, Strange uint64
}

// Bus speaks the protocol over a Port.
type Bus struct {
	port     Port
	timeout  time.Duration
	counters Counters
	out      []byte
	in       [1024]byte
}

// NewBus speaks over port; no answer is waited for longer than timeout.
func NewBus(port Port, timeout time.Duration) *Bus {
	return &Bus{port: port, timeout: timeout, out: make([]byte, 0, 512)}
}

// ErrSilent says that a servo did not answer.
var ErrSilent = errors.New("no answer (is it powered, and is its id right?)")

// send drops what is left of older answers and sends p.
func (b *Bus) send(p Packet) error {
	if err := b.port.Flush(); err != nil {
		return err
	}
	b.counters.Packets++
	b.out = p.Append(b.out[:0])
	_, err := b.port.Write(b.out)
	return err
}

// answers reads until take has had every answer it wants, nothing more comes,
// or as much has come as can be meant. take says whether it wants more.
func (b *Bus) answers(expected int, take func(Packet) (more bool)) error {
	have := 0
	// Answers come in pieces of any size; each piece is waited for once.
	for reads := 16 + expected/4; reads > 0 && have < len(b.in); reads-- {
		n, err := b.port.ReadFor(b.in[have:], b.timeout)
		if err != nil || n == 0 {
			return err
		}
		have += n
		left, more := b.scan(b.in[:have], take)
		if !more {
			return nil
		}
		have = copy(b.in[:], b.in[have-left:have])
	}
	return nil
}

// scan hands the packets in data to take and gives how many bytes are left.
func (b *Bus) scan(data []byte, take func(Packet) bool) (left int, more bool) {
	for {
		p, done, err := Scan(data)
		data = data[done:]
		switch {
		case errors.Is(err, ErrIncomplete):
			return len(data), true
		case err != nil:
			b.counters.Spoilt++
		case !take(p):
			return len(data), false
		}
	}
}

// Ping says whether a servo answers, and its faults.
func (b *Bus) Ping(id byte) (Faults, error) {
	return b.ask(Packet{ID: id, Code: Ping}, nil)
}

// Read fills out from the registers of one servo from address on.
func (b *Bus) Read(id, address byte, out []byte) (Faults, error) {
	return b.ask(Packet{ID: id, Code: Read, Params: []byte{address, byte(len(out))}}, out)
}

// Write sets registers of one servo and waits for its answer.
func (b *Bus) Write(id, address byte, data ...byte) (Faults, error) {
	return b.ask(Packet{ID: id, Code: Write, Params: append([]byte{address}, data...)}, nil)
}

func (b *Bus) ask(p Packet, out []byte) (Faults, error) {
	if err := b.send(p); err != nil {
		return 0, err
	}
	var faults Faults
	got := false
	err := b.answers(len(out)+6, func(a Packet) bool {
		if a.ID != p.ID || len(a.Params) != len(out) {
			b.counters.Strange++
			return true
		}
		copy(out, a.Params)
		faults, got = Faults(a.Code), true
		return false
	})
	if err == nil && !got {
		b.counters.Silent++
		err = fmt.Errorf("servo %d: %w", p.ID, ErrSilent)
	}
	return faults, err
}

// SyncRead reads size registers of each of ids from address on, with one
// packet. take gets each answer that came, by its place in ids.
func (b *Bus) SyncRead(ids []byte, address, size byte, take func(place int, data []byte, f Faults)) error {
	var params [MaxParams]byte
	params[0], params[1] = address, size
	n := 2 + copy(params[2:], ids)
	if err := b.send(Packet{ID: Broadcast, Code: SyncRead, Params: params[:n]}); err != nil {
		return err
	}
	var had [256]bool
	missing := len(ids)
	err := b.answers(len(ids)*(int(size)+6), func(a Packet) bool {
		place := -1
		for i, id := range ids {
			if id == a.ID && !had[i] {
				place = i
			}
		}
		if place < 0 || len(a.Params) != int(size) {
			b.counters.Strange++
			return true
		}
		had[place] = true
		missing--
		take(place, a.Params, Faults(a.Code))
		return missing > 0
	})
	b.counters.Silent += uint64(missing)
	return err
}

// SyncWrite sets size registers of each of ids from address on; data holds
// them one servo after the other. Nobody answers.
func (b *Bus) SyncWrite(ids []byte, address, size byte, data []byte) error {
	var params [MaxParams]byte
	params[0], params[1] = address, size
	n := 2
	for i, id := range ids {
		params[n] = id
		n += 1 + copy(params[n+1:], data[i*int(size):(i+1)*int(size)])
	}
	return b.send(Packet{ID: Broadcast, Code: SyncWrite, Params: params[:n]})
}

// Close closes the port.
func (b *Bus) Close() error { return b.port.Close() }
