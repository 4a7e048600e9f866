package feetech

import (
	"errors"
	"fmt"
)

// Instructions of the protocol.
const (
	Ping      = 0x01
	Read      = 0x02
	Write     = 0x03
	SyncRead  = 0x82
	SyncWrite = 0x83
)

// Broadcast is the id that all servos listen to and none answers.
const Broadcast = 0xFE

// MaxParams bounds the parameters of one packet: the length is one byte.
const MaxParams = 250

// Packet is one packet of either direction. Code is the instruction on the
// way out and the error bits on the way back.
type Packet struct {
	ID, Code byte
	Params   []byte
}

// Append writes the packet behind out.
func (p Packet) Append(out []byte) []byte {
	start := len(out)
	out = append(out, 0xFF, 0xFF, p.ID, byte(len(p.Params)+2), p.Code)
	out = append(out, p.Params...)
	return append(out, checksum(out[start+2:]))
}

func checksum(body []byte) byte {
	var sum byte
	for _, b := range body {
		sum += b
	}
	return ^sum
}

// ErrIncomplete says that a packet has begun but not ended.
var ErrIncomplete = errors.New("feetech: the packet is not complete")

// ErrChecksum says that a packet was spoilt on the way.
var ErrChecksum = errors.New("feetech: wrong checksum")

// Scan finds the next packet in data. It gives how many bytes are done with:
// those of the packet and of what lay before it. Params aliases data. With
// ErrIncomplete the rest is the beginning of a packet, or nothing; with
// ErrChecksum two bytes of header are dropped, as a packet may begin behind.
func Scan(data []byte) (p Packet, done int, err error) {
	for done < len(data) && !header(data[done:]) {
		done++
	}
	rest := data[done:]
	if len(rest) < 4 {
		return Packet{}, done, ErrIncomplete
	}
	length := int(rest[3])
	if rest[2] == 0xFF || length < 2 || length > MaxParams+2 {
		// A third 0xFF may be the first of the true header.
		return Packet{}, done + 1, ErrChecksum
	}
	if len(rest) < length+4 {
		return Packet{}, done, ErrIncomplete
	}
	if checksum(rest[2:length+3]) != rest[length+3] {
		return Packet{}, done + 2, ErrChecksum
	}
	return Packet{ID: rest[2], Code: rest[4], Params: rest[5 : length+3]}, done + length + 4, nil
}

// header says that data begins like a packet, as far as it goes.
func header(data []byte) bool {
	return data[0] == 0xFF && (len(data) < 2 || data[1] == 0xFF)
}

// Faults are the error bits of a servo's answer.
type Faults byte

var faultNames = [...]string{0: "voltage", 1: "angle sensor", 2: "temperature", 3: "current", 5: "overload"}

// String lists the faults for a person.
func (f Faults) String() string {
	text := ""
	for bit := range 8 {
		if f&(1<<bit) == 0 {
			continue
		}
		name := fmt.Sprintf("bit %d", bit)
		if bit < len(faultNames) && faultNames[bit] != "" {
			name = faultNames[bit]
		}
		if text != "" {
			text += ", "
		}
		text += name
	}
	return text
}
