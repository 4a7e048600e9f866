package microphone

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/format"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/robot"
)

const start = robot.Time(time.Second)

// wav gives a file of a tone of 440 Hz, 16 bits, on an offset.
func wav(rate, channels int, seconds, offset float64) []byte {
	n := int(float64(rate) * seconds)
	var b bytes.Buffer
	b.WriteString("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00")
	for _, x := range []any{uint16(1), uint16(channels), uint32(rate), uint32(2 * rate * channels), uint16(2 * channels), uint16(16)} {
		_ = binary.Write(&b, binary.LittleEndian, x)
	}
	b.WriteString("data")
	_ = binary.Write(&b, binary.LittleEndian, uint32(2*n*channels))
	for i := range n {
		x := int16(32767 * (offset + 0.3*math.Sin(2*math.Pi*440*float64(i)/float64(rate))))
		for range channels {
			_ = binary.Write(&b, binary.LittleEndian, x)
		}
	}
	return b.Bytes()
}

func file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// fast plays a file as fast as it is heard.
func fast(t *testing.T, path string) (frames []robot.Clip, m *Microphone, err error) {
	t.Helper()
	clock := robot.NewManualClock(time.Unix(0, 0), start)
	ctx, cancel := context.WithCancelCause(t.Context())
	m, err = New(Config{Name: "m", URL: "file:" + path, Fast: true}, clock, func(c robot.Clip) { frames = append(frames, c) }, func(r Report) {
		if r.Err != nil {
			cancel(r.Err)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	if err = m.Run(ctx); err != nil {
		err = context.Cause(ctx)
	}
	return frames, m, err
}

// Whatever the rate and the channels, frames are at audio.Rate, in time order,
// without an offset.
func TestFilesOfAnyRate(t *testing.T) {
	for _, rate := range []int{8000, 16000, 22050, 44100, 48000, 96000} {
		for _, channels := range []int{1, 2} {
			frames, m, err := fast(t, file(t, "a.wav", wav(rate, channels, 2, 0.2)))
			if err != nil {
				t.Fatalf("%d Hz: %v", rate, err)
			}
			if n := len(frames); n < 97 || n > 100 {
				t.Errorf("%d Hz: %d frames of 2 s", rate, n)
			}
			var all []float32
			for i, f := range frames {
				if f.Rate != audio.Rate || len(f.Samples) != audio.Frame || f.Microphone != "m" {
					t.Fatalf("%d Hz: frame %d: %d samples at %d Hz", rate, i, len(f.Samples), f.Rate)
				}
				if want := start.Add(time.Duration(i) * frameTime); f.At.Sub(want).Abs() > 8*time.Millisecond {
					t.Fatalf("%d Hz: frame %d at %v, want %v", rate, i, f.At, want)
				}
				all = append(all, f.Samples...)
			}
			half := all[len(all)/2:]
			mean := 0.0
			for _, x := range half {
				mean += float64(x) / float64(len(half))
			}
			if l := audio.Level(half); math.Abs(l-0.3/math.Sqrt2) > 0.01 || math.Abs(mean) > 0.005 {
				t.Errorf("%d Hz: level %.3f, offset %.3f", rate, l, mean)
			}
			if s := m.Stats(); s.State != Ended || s.Frames != uint64(len(frames)) || s.Overrun != 0 {
				t.Errorf("%d Hz: %+v", rate, s)
			}
		}
	}
}

// endless is a WAV file of two hours, which nobody has in memory.
type endless struct {
	io.Reader
}

func (endless) Close() error { return nil }

// zeros gives silence that was never stored.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

func TestATwoHourFileStreams(t *testing.T) {
	const rate, seconds = 8000, 2 * 3600
	head := wav(rate, 1, 0, 0)
	binary.LittleEndian.PutUint32(head[40:], 2*rate*seconds)
	f, err := audio.NewFile("long.wav", endless{io.MultiReader(bytes.NewReader(head), io.LimitReader(zeros{}, 2*rate*seconds))})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	buffer, total := make([]float32, rate), 0
	for {
		n, err := f.Read(buffer)
		total += n
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if total != rate*seconds {
		t.Errorf("%d samples, want %d", total, rate*seconds)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Errorf("%d bytes were taken", grown)
	}
}

func TestFilesThatAreNone(t *testing.T) {
	good := wav(8000, 1, 0.1, 0)
	for want, c := range map[string]struct {
		name string
		data []byte
	}{
		"does not begin with RIFF": {"a.wav", []byte("this is not sound at all")},
		"no data chunk":            {"b.wav", good[:36]},
		"the clip is empty":        {"c.wav", good[:44]},
		"no ending of a sound":     {"d.doc", good},
		"flac":                     {"e.flac", []byte("fLaC but not really")},
		"g.ogg":                    {"g.ogg", []byte("OggS nonsense")},
		"h.mp3":                    {"h.mp3", []byte("nonsense")},
	} {
		if _, _, err := fast(t, file(t, c.name, c.data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", c.name, err, want)
		}
	}
}

func TestURLs(t *testing.T) {
	for url, want := range map[string]string{
		"": "no url", "http://x": "not known", "device:": "no device", "file:": "no file", "rtsp://": "no host", "usb:0": "not known",
		"device:default": "", "rtsp://10.0.0.7/a": "", "file:a.wav": "",
	} {
		err := CheckURL(url)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", url, err, want)
		}
	}
	if _, err := New(Config{URL: "device:default"}, nil, nil, nil); err == nil {
		t.Error("a microphone without a name")
	}
}

// broken fails as often as it is told, and then plays.
type broken struct {
	failures int
	push     Push
}

func (b *broken) Play(ctx context.Context, hear func(at robot.Time, rate int, samples []float32)) error {
	if b.failures > 0 {
		b.failures--
		hear(start, audio.Rate, make([]float32, 3*audio.Frame/2)) // it was unplugged in mid-word
		return errors.New("it stopped (was it unplugged?)")
	}
	return b.push.Play(ctx, hear)
}

func TestAMicrophoneThatComesBack(t *testing.T) {
	clock := robot.NewManualClock(time.Unix(0, 0), start)
	reports := make(chan Report, 10)
	b := &broken{failures: 2}
	m, err := New(Config{Name: "m", Source: b}, clock, func(robot.Clip) {}, func(r Report) { reports <- r })
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	var states []State
	for len(states) < 4 {
		select {
		case r := <-reports:
			states = append(states, r.State)
			if r.State == Lost && (r.Err == nil || !strings.Contains(r.Err.Error(), "microphone m: it stopped")) {
				t.Errorf("%+v", r)
			}
		default:
			if clock.Waiting() > 0 {
				clock.Advance(firstRetry)
			}
			runtime.Gosched()
		}
	}
	if states[0] != Live || states[1] != Lost || states[2] != Live || states[3] != Lost {
		t.Errorf("states %v", states)
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A hole is filled so that the next sample is where its time says; a stream that
// was away for long begins anew.
func TestHolesAreFilled(t *testing.T) {
	var frames []robot.Clip
	m, err := New(Config{Name: "m", Source: &Push{}}, robot.NewManualClock(time.Unix(0, 0), start), func(c robot.Clip) { frames = append(frames, c) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &session{microphone: m}
	defer s.close()
	piece := make([]float32, audio.Rate/10)
	s.take(start, audio.Rate, piece)
	s.take(start.Add(400*time.Millisecond), audio.Rate, piece) // 300 ms are missing
	if got := m.Stats().Filled; got != 3*audio.Rate/10 || len(frames) != 25 {
		t.Errorf("%d samples filled, %d frames of 500 ms", got, len(frames))
	}
	s.take(start.Add(time.Minute), audio.Rate, piece)
	if got := m.Stats().Filled; got != 3*audio.Rate/10 {
		t.Errorf("%d samples filled after a minute away", got)
	}
}

func TestAMachineWithoutSoundSaysSo(t *testing.T) {
	devices, err := Devices()
	if err == nil && len(devices) > 0 {
		t.Skipf("this machine has %v", devices)
	}
	err = (&deviceSource{clock: robot.NewManualClock(time.Unix(0, 0), start), name: "default"}).Play(t.Context(), nil)
	if err == nil || !errors.Is(err, ErrNoSound) && !strings.Contains(err.Error(), "no microphone") {
		t.Errorf("%v", err)
	}
}

func TestTracks(t *testing.T) {
	for name, c := range map[string]struct {
		track   format.Format
		payload []byte
		want    []float32 // nil: an error
	}{
		"PCMU":              {&format.G711{MULaw: true, SampleRate: 8000, ChannelCount: 1}, []byte{0xFF, 0x80, 0x00}, []float32{0, 0.98, -0.98}},
		"PCMA":              {&format.G711{SampleRate: 8000, ChannelCount: 1}, []byte{0xD5, 0xAA, 0x2A}, []float32{0, 0.98, -0.98}},
		"L16":               {&format.LPCM{BitDepth: 16, SampleRate: 48000, ChannelCount: 1}, []byte{0x40, 0, 0xC0, 0}, []float32{0.5, -0.5}},
		"L16, two channels": {&format.LPCM{BitDepth: 16, SampleRate: 48000, ChannelCount: 2}, []byte{0x40, 0, 0xC0, 0}, []float32{0}},
		"half a sample":     {&format.LPCM{BitDepth: 16, SampleRate: 48000, ChannelCount: 2}, []byte{0x40, 0, 0xC0}, nil},
		"broken Opus":       {&format.Opus{ChannelCount: 1}, []byte{0xFF}, nil},
		"no Opus":           {&format.Opus{ChannelCount: 1}, nil, nil},
	} {
		track, d, err := choose([]format.Format{&format.MPEG4Audio{}, c.track})
		if err != nil || track != c.track {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := d.decode(c.payload)
		if (err != nil) != (c.want == nil) || len(got) != len(c.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		for i := range c.want {
			if math.Abs(float64(got[i]-c.want[i])) > 0.02 {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
		d.close()
	}
	for want, all := range map[string][]format.Format{
		"no track":   nil,
		"MPEG-4":     {&format.MPEG4Audio{}},
		"16 bits":    {&format.LPCM{BitDepth: 24, SampleRate: 48000, ChannelCount: 1}},
		"channels":   {&format.LPCM{BitDepth: 16, SampleRate: 48000, ChannelCount: 64}},
		"1000000 Hz": {&format.G711{SampleRate: 1_000_000, ChannelCount: 1}},
	} {
		if _, _, err := choose(all); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Opus as a browser sends it comes out as sound: 20 ms of a packet of silence.
func TestOpusHasItsLength(t *testing.T) {
	d, err := newOpusDecoder()
	if err != nil {
		t.Skip(err)
	}
	defer d.close()
	got, err := d.decode([]byte{0xF8, 0xFF, 0xFE})
	if err != nil || len(got) != d.rate()/50 || audio.Level(got) > 1e-3 {
		t.Errorf("%d samples of level %.4f, %v", len(got), audio.Level(got), err)
	}
}

// Whatever a packet holds, samples are numbers and no more of them than Opus
// allows.
func FuzzTrack(f *testing.F) {
	f.Add(byte(0), []byte{0xFF, 0x80})
	f.Add(byte(1), []byte{0xD5})
	f.Add(byte(2), []byte{0x40, 0, 0xC0, 0})
	f.Add(byte(3), []byte{0xF8, 0xFF, 0xFE})
	f.Add(byte(3), []byte{0x0B, 0x51, 0, 0, 0})
	f.Fuzz(func(t *testing.T, kind byte, payload []byte) {
		tracks := []format.Format{
			&format.G711{MULaw: true, SampleRate: 8000, ChannelCount: 1}, &format.G711{SampleRate: 8000, ChannelCount: 2},
			&format.LPCM{BitDepth: 16, SampleRate: 48000, ChannelCount: 2}, &format.Opus{ChannelCount: 2},
		}
		d, err := newDecoder(tracks[int(kind)%len(tracks)])
		if err != nil {
			t.Skip(err)
		}
		defer d.close()
		for range 2 {
			samples, err := d.decode(payload)
			if err != nil {
				return
			}
			if len(samples) > max(len(payload), 5760) {
				t.Fatalf("%d samples of %d bytes", len(samples), len(payload))
			}
			for _, x := range samples {
				if x != x || math.IsInf(float64(x), 0) {
					t.Fatalf("a sample is %g", x)
				}
			}
		}
	})
}

// Whatever a file holds, reading it ends, and samples are numbers.
func FuzzFile(f *testing.F) {
	f.Add(".wav", wav(8000, 2, 0.01, 0))
	f.Add(".flac", []byte("fLaC\x80\x00\x00\x22"))
	f.Add(".ogg", []byte("OggS\x00\x02"))
	f.Add(".mp3", []byte("ID3\x03\x00\x00\x00\x00\x00\x0a"))
	f.Fuzz(func(t *testing.T, ending string, data []byte) {
		s, err := audio.NewFile("a"+ending, io.NopCloser(bytes.NewReader(data)))
		if err != nil {
			return
		}
		buffer := make([]float32, 4096)
		for range 64 {
			n, err := s.Read(buffer)
			for _, x := range buffer[:n] {
				if x != x || math.IsInf(float64(x), 0) {
					t.Fatalf("a sample is %g", x)
				}
			}
			if err != nil {
				return
			}
		}
	})
}
