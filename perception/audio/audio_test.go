package audio_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/perception/audio"
)

// sound is the clip of the same name in common.py, where the fixtures of the encoders are.
func sound(seconds float64, seed uint32) []float32 {
	samples := make([]float32, int(seconds*audio.Rate))
	for i := range samples {
		at := uint32(i)*2654435761 + seed*40503
		at ^= at >> 15
		noise, t := float64(at*2246822519>>16)/32768-1, float64(i)
		loud := 0.0005
		if i/4000%2 == 0 {
			loud = 0.05
		}
		tone := math.Sin(2*math.Pi*(200+0.05*t)*t/audio.Rate)*0.3 + math.Sin(2*math.Pi*50*t/audio.Rate)*0.1
		samples[i] = float32(tone + noise*loud)
	}
	return samples
}

// The spectrogram is that of transformers' Whisper.
func TestLogMelIsWhispers(t *testing.T) {
	data, err := os.ReadFile("testdata/logmel.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Seconds       float64
		Frames, Bands int
		Seed          uint32
		Rows          []int
		Values        []float32
	}
	if err := json.Unmarshal(data, &cases); err != nil || len(cases) < 3 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		m, err := audio.NewLogMel(c.Bands)
		if err != nil {
			t.Fatal(err)
		}
		got, samples := make([]float32, c.Frames*c.Bands), sound(c.Seconds, c.Seed)
		m.Compute(got, samples, c.Frames)
		worst := 0.0
		for i, row := range c.Rows {
			for b := range c.Bands {
				worst = max(worst, math.Abs(float64(got[row*c.Bands+b]-c.Values[i*c.Bands+b])))
			}
		}
		if worst > 2e-4 { // transformers computes in f32
			t.Errorf("%g s in %d bands: off by %.2g", c.Seconds, c.Bands, worst)
		}
		if allocs := testing.AllocsPerRun(3, func() { m.Compute(got, samples, c.Frames) }); allocs != 0 {
			t.Errorf("%g allocations a spectrogram", allocs)
		}
	}
}

func TestBandsOutOfRange(t *testing.T) {
	for _, bands := range []int{0, -1, 1000} {
		if _, err := audio.NewLogMel(bands); err == nil {
			t.Errorf("a spectrogram of %d bands", bands)
		}
	}
}

// A tone keeps its level and its pitch through a change of rate, and what the
// lower rate cannot hold is gone.
func TestResample(t *testing.T) {
	for _, c := range []struct {
		from, to int
		hz       float64
		level    float64
	}{
		{48000, 16000, 1000, 1}, {44100, 16000, 3000, 1}, {8000, 16000, 1000, 1}, {96000, 16000, 6000, 1},
		{48000, 16000, 9000, 0}, {44100, 16000, 20000, 0}, {16000, 22050, 5000, 1},
	} {
		in := make([]float32, c.from/2)
		for i := range in {
			in[i] = float32(math.Sin(2 * math.Pi * c.hz * float64(i) / float64(c.from)))
		}
		out := audio.Resample(in, c.from, c.to)
		if want := (len(in)*c.to + c.from - 1) / c.from; len(out) != want {
			t.Errorf("%d to %d Hz: %d samples, want %d", c.from, c.to, len(out), want)
		}
		worst := 0.0
		for i := len(out) / 4; i < 3*len(out)/4; i++ { // away from the ends
			want := c.level * math.Sin(2*math.Pi*c.hz*float64(i)/float64(c.to))
			worst = max(worst, math.Abs(float64(out[i])-want))
		}
		if worst > 1e-3 {
			t.Errorf("%d to %d Hz, a tone of %g Hz: off by %.2g", c.from, c.to, c.hz, worst)
		}
	}
}

// wav writes a file; size claims another length of its data where it is not -1.
func wav(code, channels, rate, bits int, data []byte, size int) []byte {
	if size < 0 {
		size = len(data)
	}
	var b bytes.Buffer
	b.WriteString("RIFF\x00\x00\x00\x00WAVELIST\x03\x00\x00\x00abc\x00fmt \x10\x00\x00\x00")
	for _, x := range []any{uint16(code), uint16(channels), uint32(rate), uint32(rate * channels * bits / 8), uint16(channels * bits / 8), uint16(bits)} {
		binary.Write(&b, binary.LittleEndian, x)
	}
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(size))
	b.Write(data)
	return b.Bytes()
}

func TestReadWAV(t *testing.T) {
	half := math.Float32bits(0.5)
	for name, data := range map[string][]byte{
		"16 bits":        wav(1, 1, 16000, 16, []byte{0, 0x40, 0, 0xC0}, -1),
		"8 bits":         wav(1, 1, 16000, 8, []byte{192, 64}, -1),
		"24 bits":        wav(1, 1, 16000, 24, []byte{0, 0, 0x40, 0, 0, 0xC0}, -1),
		"32 bits":        wav(1, 1, 16000, 32, []byte{0, 0, 0, 0x40, 0, 0, 0, 0xC0}, -1),
		"floats":         wav(3, 1, 16000, 32, binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, half), half|1<<31), -1),
		"two channels":   wav(1, 2, 16000, 8, []byte{255, 129, 65, 63}, -1),
		"an open length": wav(1, 1, 16000, 16, []byte{0, 0x40, 0, 0xC0}, 0x7FFFFFFF),
	} {
		clip, err := audio.ReadWAV(bytes.NewReader(data))
		if err != nil || clip.Rate != 16000 || len(clip.Samples) != 2 || clip.Samples[0] != 0.5 || clip.Samples[1] != -0.5 {
			t.Errorf("%s: %+v, %v", name, clip, err)
		}
	}
}

func TestReadErrors(t *testing.T) {
	nan := binary.LittleEndian.AppendUint32(nil, 0x7FC00000)
	for want, data := range map[string][]byte{
		"does not begin with RIFF":     []byte("not sound"),
		"no data chunk":                wav(1, 1, 16000, 16, nil, -1)[:30],
		"the clip is empty":            wav(1, 1, 16000, 16, nil, -1),
		"format 1 of 12 bits":          wav(1, 1, 16000, 12, []byte{1, 2}, -1),
		"format 85 of 16 bits":         wav(85, 1, 16000, 16, []byte{1, 2}, -1),
		"0 channels":                   wav(1, 0, 16000, 16, []byte{1, 2}, -1),
		"5 Hz":                         wav(1, 1, 5, 16, []byte{1, 2}, -1),
		"sample 0 is NaN":              wav(3, 1, 16000, 32, nan, -1),
		"data comes before fmt":        []byte("RIFF\x00\x00\x00\x00WAVEdata\x02\x00\x00\x00ab"),
		"fmt: 2 bytes":                 []byte("RIFF\x00\x00\x00\x00WAVEfmt \x02\x00\x00\x00ab"),
		"format 65534 of 16 bits":      wav(0xFFFE, 1, 16000, 16, []byte{1, 2}, -1),
		"does not begin with RIFF and": nil,
	} {
		if _, err := audio.ReadWAV(bytes.NewReader(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
	if _, err := audio.ReadRaw(strings.NewReader("a"), 16000); !errors.Is(err, audio.ErrEmpty) {
		t.Errorf("one byte: %v", err)
	}
	if _, err := audio.ReadRaw(strings.NewReader("ab"), 0); err == nil {
		t.Error("a rate of 0 Hz")
	}
	clip, err := audio.ReadRaw(strings.NewReader("\x00\x40\x00"), 16000)
	if err != nil || len(clip.Samples) != 1 || clip.Samples[0] != 0.5 {
		t.Errorf("%+v, %v", clip, err)
	}
}

// Whatever a header says, a clip has samples that are numbers, no more of them
// than the file has bytes.
func FuzzReadWAV(f *testing.F) {
	f.Add(wav(1, 2, 44100, 16, []byte("abcdefgh"), -1))
	f.Add(wav(3, 1, 8000, 32, []byte("abcdefgh"), 1<<30))
	f.Add(wav(0xFFFE, 1, 8000, 24, []byte("abcdef"), 3))
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		clip, err := audio.ReadWAV(bytes.NewReader(data))
		if err != nil {
			return
		}
		if len(clip.Samples) == 0 || len(clip.Samples) > len(data) || clip.Rate < 1 {
			t.Errorf("%d samples at %d Hz of %d bytes", len(clip.Samples), clip.Rate, len(data))
		}
		for i, x := range clip.Samples {
			if x != x || math.IsInf(float64(x), 0) {
				t.Fatalf("sample %d is %g", i, x)
			}
		}
	})
}

func BenchmarkLogMel3s(b *testing.B) {
	m, err := audio.NewLogMel(80)
	if err != nil {
		b.Fatal(err)
	}
	dst, samples := make([]float32, 300*80), sound(3, 1)
	for b.Loop() {
		m.Compute(dst, samples, 300)
	}
}
