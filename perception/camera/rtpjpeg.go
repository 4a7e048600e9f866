package camera

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"sync"

	"github.com/pion/rtp"
)

// maxJPEG bounds one assembled picture; RFC 2435's offsets reach 16 MB, far
// beyond what its largest picture of 2040×2040 needs.
const maxJPEG = 8 << 20

var (
	errInterlaced = errors.New("rtp/jpeg: interlaced video is not supported (switch the camera to progressive)")
	errTooWide    = errors.New("rtp/jpeg: pictures above 2040 pixels a side are not supported (lower the camera's resolution)")
	errGap        = errors.New("rtp/jpeg: part of a picture is missing")
)

// jpegAssembler puts RTP/JPEG packets (RFC 2435 §3.1) together into JPEG files.
// It is a parser of bytes from the network: every length is checked and memory
// is bounded by maxJPEG.
type jpegAssembler struct {
	picture   jpegHeader
	timestamp uint32
	started   bool
	scan      []byte
	// tables are those sent in band, by Q, for packets that refer to them.
	tables map[uint8][]byte
}

// jpegHeader is what RFC 2435 sends instead of a JPEG file's own headers.
type jpegHeader struct {
	offset    int
	kind      uint8 // 0: 4:2:2, 1: 4:2:0, plus 64 with restart markers
	q         uint8
	width     int
	height    int
	restart   uint16 // interval, MCUs
	precision uint8  // bit i: table i has 16-bit entries
	tables    []byte // quantisation tables, as in a DQT segment, without ids
}

// add takes the next packet. It gives a JPEG file when the packet completes
// one, nil otherwise; after an error it waits for the next picture.
func (a *jpegAssembler) add(packet *rtp.Packet) ([]byte, error) {
	header, data, err := a.parse(packet.Payload)
	if err != nil {
		a.started = false
		return nil, err
	}
	if header.offset == 0 {
		a.picture, a.timestamp, a.started = header, packet.Timestamp, true
		a.scan = a.scan[:0]
	}
	if !a.started {
		return nil, nil // the rest of a picture whose beginning was lost, or joined midway
	}
	if header.offset != len(a.scan) || packet.Timestamp != a.timestamp || len(a.scan)+len(data) > maxJPEG {
		a.started = false
		return nil, errGap
	}
	a.scan = append(a.scan, data...)
	if !packet.Marker {
		return nil, nil
	}
	a.started = false
	return a.picture.file(a.scan)
}

// parse reads the headers of one packet; data aliases payload.
func (a *jpegAssembler) parse(payload []byte) (h jpegHeader, data []byte, err error) {
	if len(payload) < 8 {
		return h, nil, errors.New("rtp/jpeg: packet too short")
	}
	if payload[0] != 0 {
		return h, nil, errInterlaced
	}
	h.offset = int(payload[1])<<16 | int(binary.BigEndian.Uint16(payload[2:]))
	h.kind, h.q = payload[4], payload[5]
	h.width, h.height = int(payload[6])*8, int(payload[7])*8
	data = payload[8:]
	if h.width == 0 || h.height == 0 {
		return h, nil, errTooWide
	}
	if h.kind&^64 > 1 {
		return h, nil, fmt.Errorf("rtp/jpeg: type %d is not supported", h.kind)
	}
	if h.kind >= 64 {
		if len(data) < 4 {
			return h, nil, errors.New("rtp/jpeg: restart header cut short")
		}
		h.restart = binary.BigEndian.Uint16(data)
		data = data[4:]
	}
	if h.offset == 0 {
		data, err = a.parseTables(&h, data)
	}
	return h, data, err
}

// parseTables finds the quantisation tables of a picture: computed from Q below
// 100 (§4.2), in band from 128 (§3.1.8), where 255 always carries its own.
func (a *jpegAssembler) parseTables(h *jpegHeader, data []byte) ([]byte, error) {
	switch {
	case h.q >= 1 && h.q <= 99:
		h.tables = standardTables(int(h.q))
		return data, nil
	case h.q < 128:
		return nil, fmt.Errorf("rtp/jpeg: Q %d is reserved", h.q)
	}
	if len(data) < 4 {
		return nil, errors.New("rtp/jpeg: quantisation header cut short")
	}
	h.precision = data[1]
	size := int(binary.BigEndian.Uint16(data[2:]))
	data = data[4:]
	if size == 0 {
		known, ok := a.tables[h.q]
		if !ok || h.q == 255 {
			return nil, fmt.Errorf("rtp/jpeg: quantisation tables of Q %d were never sent", h.q)
		}
		h.precision, h.tables = known[0], known[1:]
		return data, nil
	}
	if size > len(data) || size != tableSize(h.precision) && size != tableSize(h.precision)/2 {
		return nil, fmt.Errorf("rtp/jpeg: quantisation tables of %d bytes", size)
	}
	h.tables = append([]byte{h.precision}, data[:size]...)
	if a.tables == nil {
		a.tables = map[uint8][]byte{}
	}
	a.tables[h.q] = h.tables
	h.tables = h.tables[1:]
	return data[size:], nil
}

// tableSize is the length of two tables of which bit i of precision says that
// table i has 16-bit entries. One table alone is half of it when both agree.
func tableSize(precision uint8) int {
	return 128 + 64*int(precision&1) + 64*int(precision>>1&1)
}

// file writes the JPEG file that the picture was before it was packetised
// (§4.1): the headers that RTP left out, then the scan.
func (h *jpegHeader) file(scan []byte) ([]byte, error) {
	out := make([]byte, 0, len(scan)+700)
	out = append(out, 0xFF, 0xD8)
	out, last := h.appendTables(out)
	if h.restart > 0 {
		out = append(out, 0xFF, 0xDD, 0, 4, byte(h.restart>>8), byte(h.restart))
	}
	sampling := byte(0x21) // 4:2:2
	if h.kind&1 == 1 {
		sampling = 0x22 // 4:2:0
	}
	out = append(out, 0xFF, 0xC0, 0, 17, 8, byte(h.height>>8), byte(h.height), byte(h.width>>8), byte(h.width), 3,
		1, sampling, 0, 2, 0x11, last, 3, 0x11, last)
	out = append(out, standardHuffman()...)
	out = append(out, 0xFF, 0xDA, 0, 12, 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0)
	out = append(out, scan...)
	if !bytes.HasSuffix(scan, []byte{0xFF, 0xD9}) {
		out = append(out, 0xFF, 0xD9)
	}
	return out, nil
}

// appendTables writes the DQT segments and gives the id of the chroma table.
func (h *jpegHeader) appendTables(out []byte) ([]byte, byte) {
	rest := h.tables
	id := byte(0)
	for len(rest) > 0 {
		wide := h.precision >> id & 1
		size := 64 << wide
		if size > len(rest) {
			break
		}
		out = append(out, 0xFF, 0xDB, byte((size+3)>>8), byte(size+3), wide<<4|id)
		out = append(out, rest[:size]...)
		rest = rest[size:]
		id++
	}
	return out, max(id, 1) - 1
}

// RTP/JPEG leaves out the tables of JPEG's Annex K: the Huffman tables always,
// the quantisation tables scaled by Q. Go's encoder writes the same ones, with
// the same scaling, so they are read from what it writes.

var standardHuffman = sync.OnceValue(func() []byte { return segments(75, 0xC4) })

// standardTables gives the two quantisation tables of quality q, 1 to 99.
func standardTables(q int) []byte {
	segment := segments(q, 0xDB)[4:]
	return append(bytes.Clone(segment[1:65]), segment[66:130]...)
}

// segments gives the segments with the given marker of a JPEG file of quality q.
func segments(q int, marker byte) []byte {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio420), &jpeg.Options{Quality: q}); err != nil {
		panic(err) // a buffer does not fail
	}
	var found []byte
	for rest := file.Bytes()[2:]; rest[1] != 0xDA; {
		size := 2 + int(binary.BigEndian.Uint16(rest[2:]))
		if rest[1] == marker {
			found = append(found, rest[:size]...)
		}
		rest = rest[size:]
	}
	return found
}
