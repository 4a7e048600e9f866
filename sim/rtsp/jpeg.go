package rtsp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/robot"
)

// maxSide is what RTP/JPEG's headers can say, in pixels (RFC 2435 §3.1.5).
const maxSide = 2040

// jpegOf gives the frame as a JPEG file that RTP/JPEG can carry.
func jpegOf(frame *robot.Frame, quality int) ([]byte, error) {
	if frame.JPEG != nil && carriable(frame.JPEG) == nil {
		return frame.JPEG, nil
	}
	if frame.Pixels == nil && frame.JPEG != nil {
		return nil, carriable(frame.JPEG)
	}
	return encode(frame.Pixels, frame.Width, frame.Height, quality)
}

// encode gives the JPEG file of an RGB picture.
func encode(rgb []byte, width, height, quality int) ([]byte, error) {
	if width < 8 || height < 8 || width > maxSide || height > maxSide || width%8 != 0 || height%8 != 0 {
		return nil, fmt.Errorf("a picture of %d×%d pixels: RTP/JPEG wants multiples of 8 up to %d", width, height, maxSide)
	}
	// Baseline with the Huffman tables of Annex K, 4:2:0, no restart markers: what
	// the packets' headers can say.
	return jpeg.Encode(rgb, width, height, quality)
}

// Markers of JPEG (ITU-T T.81, Table B.1).
const (
	markerSOF0 = 0xC0
	markerDHT  = 0xC4
	markerSOI  = 0xD8
	markerSOS  = 0xDA
	markerDQT  = 0xDB
	markerDRI  = 0xDD
	markerAPP0 = 0xE0
	markerAPP2 = 0xE2
	markerCOM  = 0xFE
)

// carriable says why RTP/JPEG cannot carry a file: its packets leave out what
// every picture is assumed to have.
func carriable(file []byte) error {
	var frame []byte
	huffman := map[byte][]byte{}
	scan, err := segments(file, func(marker byte, body []byte) error {
		switch {
		case marker == markerSOF0:
			frame = body
		case marker == markerDHT:
			return splitHuffman(body, huffman)
		case marker == markerDQT, marker == markerCOM, marker >= markerAPP0 && marker <= markerAPP2:
		default:
			return fmt.Errorf("jpeg: RTP/JPEG cannot carry a segment %#x", marker)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case len(scan) == 0:
		return errors.New("jpeg: no scan")
	case len(frame) != 15 || frame[0] != 8 || frame[5] != 3:
		return errors.New("jpeg: not baseline with three components")
	case frame[7] != 0x21 && frame[7] != 0x22 || frame[10] != 0x11 || frame[13] != 0x11:
		return errors.New("jpeg: RTP/JPEG carries 4:2:0 and 4:2:2 only")
	}
	height, width := binary.BigEndian.Uint16(frame[1:]), binary.BigEndian.Uint16(frame[3:])
	if width%8 != 0 || height%8 != 0 || width > maxSide || height > maxSide || width == 0 || height == 0 {
		return fmt.Errorf("jpeg: %d×%d pixels: RTP/JPEG wants multiples of 8 up to %d", width, height, maxSide)
	}
	for id, want := range standardHuffman() {
		if !bytes.Equal(huffman[id], want) {
			return errors.New("jpeg: RTP/JPEG wants the standard Huffman tables")
		}
	}
	return nil
}

// standardHuffman gives the tables of Annex K, which libjpeg uses unless told
// otherwise.
var standardHuffman = sync.OnceValue(func() map[byte][]byte {
	tables := map[byte][]byte{}
	file, err := encode(make([]byte, 3*8*8), 8, 8, defaultQuality)
	if err == nil {
		_, err = segments(file, func(marker byte, body []byte) error {
			if marker == markerDHT {
				return splitHuffman(body, tables)
			}
			return nil
		})
	}
	if err != nil {
		panic(err) // no input of anybody's is in this
	}
	return tables
})

// segments calls see with the body of each segment up to the scan, which it
// gives.
func segments(file []byte, see func(marker byte, body []byte) error) (scan []byte, err error) {
	if len(file) < 4 || file[0] != 0xFF || file[1] != markerSOI {
		return nil, errors.New("jpeg: not a JPEG file")
	}
	for rest := file[2:]; ; {
		if len(rest) < 4 || rest[0] != 0xFF {
			return nil, errors.New("jpeg: cut short")
		}
		size := int(binary.BigEndian.Uint16(rest[2:]))
		if size < 2 || len(rest) < 2+size {
			return nil, errors.New("jpeg: cut short")
		}
		marker, body := rest[1], rest[4:2+size]
		rest = rest[2+size:]
		if marker == markerSOS {
			return rest, nil
		}
		if err := see(marker, body); err != nil {
			return nil, err
		}
	}
}

// splitHuffman adds the tables of a DHT segment by their class and number
// (T.81 §B.2.4.2).
func splitHuffman(body []byte, tables map[byte][]byte) error {
	for len(body) > 0 {
		size := 17
		if len(body) < size {
			return errors.New("jpeg: Huffman table cut short")
		}
		for _, codes := range body[1:17] {
			size += int(codes)
		}
		if len(body) < size {
			return errors.New("jpeg: Huffman table cut short")
		}
		tables[body[0]] = body[1:size]
		body = body[size:]
	}
	return nil
}
