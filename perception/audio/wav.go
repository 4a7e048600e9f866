package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// MaxBytes bounds a file that is read whole: half an hour of 48 kHz stereo.
const MaxBytes = 512 << 20

// Rates that make sense of sound, Hz.
const (
	minRate = 1000
	maxRate = 384000
)

// ErrEmpty says that a file holds no sample.
var ErrEmpty = errors.New("the clip is empty")

const (
	formatPCM        = 1
	formatFloat      = 3
	formatExtensible = 0xFFFE
)

// wavFormat is the fmt chunk.
type wavFormat struct {
	code, channels int
	rate           int
	bits           int
}

// ReadWAV reads a RIFF WAVE file (Multimedia Programming Interface 1.0, IBM and
// Microsoft) of 8 to 32 bits a sample or 32-bit floats. Channels are averaged.
func ReadWAV(r io.Reader) (*robot.Clip, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("WAV: %w", err)
	case len(data) > MaxBytes:
		return nil, fmt.Errorf("WAV: more than %d MB (cut it into parts)", MaxBytes>>20)
	case len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE":
		return nil, errors.New("WAV: the file does not begin with RIFF and WAVE")
	}
	var format *wavFormat
	for data = data[12:]; len(data) >= 8; {
		id, size := string(data[:4]), int(binary.LittleEndian.Uint32(data[4:]))
		data = data[8:]
		body := data[:min(size, len(data))]
		switch id {
		case "fmt ":
			if format, err = parseFormat(body); err != nil {
				return nil, fmt.Errorf("WAV: fmt: %w", err)
			}
		case "data":
			if format == nil {
				return nil, errors.New("WAV: data comes before fmt")
			}
			return format.decode(body)
		}
		data = data[min(size+size&1, len(data)):]
	}
	return nil, errors.New("WAV: there is no data chunk (truncated?)")
}

func parseFormat(b []byte) (*wavFormat, error) {
	if len(b) < 16 {
		return nil, fmt.Errorf("%d bytes, want 16 (truncated?)", len(b))
	}
	f := &wavFormat{
		code: int(binary.LittleEndian.Uint16(b)), channels: int(binary.LittleEndian.Uint16(b[2:])),
		rate: int(binary.LittleEndian.Uint32(b[4:])), bits: int(binary.LittleEndian.Uint16(b[14:])),
	}
	if f.code == formatExtensible && len(b) >= 26 {
		f.code = int(binary.LittleEndian.Uint16(b[24:])) // the first field of the subformat
	}
	whole := f.code == formatPCM && (f.bits == 8 || f.bits == 16 || f.bits == 24 || f.bits == 32)
	switch {
	case !whole && (f.code != formatFloat || f.bits != 32):
		return nil, fmt.Errorf("format %d of %d bits, kuai reads whole numbers of 8, 16, 24 and 32 bits and floats of 32", f.code, f.bits)
	case f.channels < 1 || f.channels > 32:
		return nil, fmt.Errorf("%d channels, want 1 to 32", f.channels)
	case f.rate < minRate || f.rate > maxRate:
		return nil, fmt.Errorf("%d Hz, want %d to %d", f.rate, minRate, maxRate)
	}
	return f, nil
}

func (f *wavFormat) decode(body []byte) (*robot.Clip, error) {
	size := f.bits / 8
	n := len(body) / (size * f.channels)
	if n == 0 {
		return nil, fmt.Errorf("WAV: data: %w", ErrEmpty)
	}
	clip := &robot.Clip{Rate: f.rate, Samples: make([]float32, n)}
	for i := range clip.Samples {
		sum := float32(0)
		for range f.channels {
			sum += f.sample(body)
			body = body[size:]
		}
		clip.Samples[i] = sum / float32(f.channels)
	}
	for i, x := range clip.Samples {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return nil, fmt.Errorf("WAV: data: sample %d is NaN or infinite", i)
		}
	}
	return clip, nil
}

func (f *wavFormat) sample(b []byte) float32 {
	switch {
	case f.code == formatFloat:
		return math.Float32frombits(binary.LittleEndian.Uint32(b))
	case f.bits == 8: // the only one without a sign
		return (float32(b[0]) - 128) / 128
	case f.bits == 16:
		return float32(int16(binary.LittleEndian.Uint16(b))) / (1 << 15)
	case f.bits == 24:
		return float32(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)>>8) / (1 << 23)
	}
	return float32(int32(binary.LittleEndian.Uint32(b))) / (1 << 31)
}

// ReadRaw reads 16-bit little-endian mono samples without a header.
func ReadRaw(r io.Reader, rate int) (*robot.Clip, error) {
	if rate < minRate || rate > maxRate {
		return nil, fmt.Errorf("raw sound: %d Hz, want %d to %d", rate, minRate, maxRate)
	}
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("raw sound: %w", err)
	case len(data) > MaxBytes:
		return nil, fmt.Errorf("raw sound: more than %d MB (cut it into parts)", MaxBytes>>20)
	case len(data) < 2:
		return nil, fmt.Errorf("raw sound: %w", ErrEmpty)
	}
	clip := &robot.Clip{Rate: rate, Samples: make([]float32, len(data)/2)}
	for i := range clip.Samples {
		clip.Samples[i] = float32(int16(binary.LittleEndian.Uint16(data[2*i:]))) / (1 << 15)
	}
	return clip, nil
}
