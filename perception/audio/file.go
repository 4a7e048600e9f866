package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/faiface/beep"
	"github.com/faiface/beep/flac"
	"github.com/faiface/beep/mp3"
	"github.com/faiface/beep/vorbis"

	"github.com/kuai-robot/kuai/robot"
)

// File is a sound file that is read piece by piece, whatever its length: WAV,
// and MP3, OGG (Vorbis) and FLAC through beep. One goroutine uses it.
type File struct {
	path   string
	rate   int
	stream func(dst []float32) (int, error)
	closer io.Closer
}

// Formats lists the endings of files that Open reads.
var Formats = []string{".wav", ".wave", ".mp3", ".ogg", ".flac"}

// Open opens the file at path, by its ending.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("sound file: %w", err)
	}
	s, err := NewFile(path, f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

// NewFile reads r, whose kind the ending of name tells. Close closes r.
func NewFile(name string, r io.ReadCloser) (s *File, err error) {
	s = &File{path: name, closer: r}
	defer func() { // the decoders of MP3, OGG and FLAC trust what they read
		if p := recover(); p != nil {
			s, err = nil, fmt.Errorf("%s: the file is damaged (%v)", name, p)
		}
	}()
	switch ending := strings.ToLower(filepath.Ext(name)); ending {
	case ".wav", ".wave":
		err = s.openWAV(r)
	case ".mp3":
		err = s.openBeep(mp3.Decode(r))
	case ".ogg":
		err = s.openBeep(vorbis.Decode(r))
	case ".flac":
		err = s.openFLAC(r)
	default:
		err = fmt.Errorf("%q is no ending of a sound file that kuai reads (%s; ffmpeg -i FILE FILE.wav makes one)", ending, strings.Join(Formats, " "))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func (f *File) openFLAC(r io.ReadCloser) error {
	stream, format, err := flac.Decode(r)
	return f.openBeep(stream, format, err)
}

func (f *File) openBeep(stream beep.StreamSeekCloser, format beep.Format, err error) error {
	if err != nil {
		return fmt.Errorf("the file is not what its ending says, or damaged (%w)", err)
	}
	f.rate, f.closer = int(format.SampleRate), stream
	if f.rate < minRate || f.rate > maxRate {
		return fmt.Errorf("%d Hz, want %d to %d", f.rate, minRate, maxRate)
	}
	pairs := make([][2]float64, 2048)
	f.stream = func(dst []float32) (int, error) {
		pairs = pairs[:min(len(dst), cap(pairs))]
		n, ok := stream.Stream(pairs)
		for i := range n {
			dst[i] = float32((pairs[i][0] + pairs[i][1]) / 2)
		}
		if !ok || n == 0 {
			if err := stream.Err(); err != nil {
				return n, err
			}
			return n, io.EOF
		}
		return n, nil
	}
	return nil
}

// openWAV reads the header up to the data, and then the data as it is asked for.
func (f *File) openWAV(r io.Reader) error {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return errors.New("WAV: the file does not begin with RIFF and WAVE")
	}
	var format *wavFormat
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return errors.New("WAV: there is no data chunk (truncated?)")
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "fmt ":
			body := make([]byte, min(size, 64))
			n, _ := io.ReadFull(r, body) // parseFormat says what is missing
			var err error
			if format, err = parseFormat(body[:n]); err != nil {
				return fmt.Errorf("WAV: fmt: %w", err)
			}
			size -= int64(len(body))
		case "data":
			if format == nil {
				return errors.New("WAV: data comes before fmt")
			}
			f.rate, f.stream = format.rate, format.stream(io.LimitReader(r, size))
			return nil
		}
		if _, err := io.CopyN(io.Discard, r, size+size&1); err != nil {
			return errors.New("WAV: there is no data chunk (truncated?)")
		}
	}
}

// stream gives what reads the samples of r.
func (w *wavFormat) stream(r io.Reader) func(dst []float32) (int, error) {
	block := w.bits / 8 * w.channels
	var buffer []byte
	return func(dst []float32) (int, error) {
		if need := block * len(dst); cap(buffer) < need {
			buffer = make([]byte, need)
		}
		got, err := io.ReadFull(r, buffer[:block*len(dst)])
		b, n := buffer[:got-got%block], 0
		for ; len(b) > 0; n++ {
			sum := float32(0)
			for range w.channels {
				sum += w.sample(b)
				b = b[w.bits/8:]
			}
			dst[n] = sum / float32(w.channels)
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return n, err
	}
}

// Rate is how many samples a second the file has.
func (f *File) Rate() int { return f.rate }

// Read fills dst with the next samples, mono; at the end it gives io.EOF, with
// the last samples or without.
func (f *File) Read(dst []float32) (n int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: the file is damaged (%v)", f.path, p)
		}
	}()
	if n, err = f.stream(dst); err != nil && !errors.Is(err, io.EOF) {
		return n, fmt.Errorf("%s: %w", f.path, err)
	}
	for i, x := range dst[:n] {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return i, fmt.Errorf("%s: a sample is NaN or infinite", f.path)
		}
	}
	return n, err
}

// ReadAll gives the rest of the file as one clip, of at most MaxBytes.
func (f *File) ReadAll() (*robot.Clip, error) {
	clip := &robot.Clip{Rate: f.rate}
	buffer := make([]float32, 1<<14)
	for {
		n, err := f.Read(buffer)
		clip.Samples = append(clip.Samples, buffer[:n]...)
		switch {
		case errors.Is(err, io.EOF) && len(clip.Samples) == 0:
			return nil, fmt.Errorf("%s: %w", f.path, ErrEmpty)
		case errors.Is(err, io.EOF):
			return clip, nil
		case err != nil:
			return nil, err
		case 4*len(clip.Samples) > MaxBytes:
			return nil, fmt.Errorf("%s: more than %d MB of samples (cut it into parts)", f.path, MaxBytes>>20)
		}
	}
}

// Close closes the file.
func (f *File) Close() error { return f.closer.Close() }
