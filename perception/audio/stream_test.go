package audio_test

import (
	"math"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/robot"
)

// A stream in small pieces becomes what the whole clip becomes.
func TestResamplerStreams(t *testing.T) {
	for _, from := range []int{8000, 11025, 22050, 44100, 48000, 96000} {
		in := make([]float32, from)
		for i := range in {
			in[i] = float32(math.Sin(2 * math.Pi * 700 * float64(i) / float64(from)))
		}
		r, err := audio.NewResampler(from, audio.Rate)
		if err != nil {
			t.Fatal(err)
		}
		var got []float32
		for rest := in; len(rest) > 0; {
			n := min(len(rest), 333)
			got = append(got, r.Add(rest[:n])...)
			rest = rest[n:]
		}
		if d := r.Delay(); d < 1 || d > from/50 {
			t.Errorf("%d Hz: a delay of %d samples", from, d)
		}
		got = append(got, r.Rest()...)
		r.Close()
		want := audio.Resample(in, from, audio.Rate)
		if d := len(got) - len(want); d < -2 || d > 2 {
			t.Fatalf("%d Hz: %d samples, want %d", from, len(got), len(want))
		}
		for i := range min(len(got), len(want)) - 40 {
			if math.Abs(float64(got[i]-want[i])) > 1e-5 {
				t.Fatalf("%d Hz: sample %d is %g, want %g", from, i, got[i], want[i])
			}
		}
	}
	if _, err := audio.NewResampler(0, audio.Rate); err == nil {
		t.Error("a rate of 0 Hz")
	}
}

func TestConditioner(t *testing.T) {
	var c audio.Conditioner
	samples := make([]float32, audio.Rate)
	for i := range samples {
		samples[i] = 0.4 + 0.1*float32(math.Sin(2*math.Pi*300*float64(i)/audio.Rate))
	}
	samples[100] = float32(math.NaN())
	if n := c.Apply(samples); n != 0 {
		t.Errorf("%d samples clipped in a quiet tone", n)
	}
	mean := 0.0
	for _, x := range samples[audio.Rate/2:] {
		mean += float64(x) / (audio.Rate / 2)
	}
	if math.Abs(mean) > 1e-3 || math.Abs(audio.Level(samples[audio.Rate/2:])-0.1/math.Sqrt2) > 1e-3 {
		t.Errorf("an offset of 0.4 leaves %.4f, level %.3f", mean, audio.Level(samples[audio.Rate/2:]))
	}
	if f := c.Faults(); f.Broken != 1 || f.Clipped != 0 || f.Samples != audio.Rate {
		t.Errorf("%+v", f)
	}
	loud := make([]float32, 1600)
	for i := range loud {
		loud[i] = float32(max(-1, min(1, 3*math.Sin(2*math.Pi*200*float64(i)/audio.Rate))))
	}
	if n := c.Apply(loud); n < 800 {
		t.Errorf("%d of 1600 samples clipped, want most", n)
	}
}

func TestRingKeepsTheNewestAndTheirTimes(t *testing.T) {
	r := audio.NewRing(100, 1000) // a sample a millisecond
	ms := func(n int) robot.Time { return robot.Time(time.Duration(n) * time.Millisecond) }
	number := func(from, n int) []float32 {
		s := make([]float32, n)
		for i := range s {
			s[i] = float32(from + i)
		}
		return s
	}
	dst := make([]float32, 30)
	if _, ok := r.Read(dst); ok {
		t.Fatal("something of nothing")
	}
	r.Write(ms(1000), number(0, 80))
	<-r.Ready()
	if at, ok := r.Read(dst); !ok || at != ms(1000) || dst[0] != 0 {
		t.Fatalf("%v %v %v", at, ok, dst[0])
	}
	r.Write(ms(1080), number(80, 70)) // 50 are here: 20 too many
	if r.Lost() != 20 {
		t.Errorf("%d lost, want 20", r.Lost())
	}
	if at, ok := r.Read(dst); !ok || at != ms(1050) || dst[0] != 50 {
		t.Errorf("%v %v %v, want sample 50 at 1.05s", at, ok, dst[0])
	}
	r.Write(ms(1150), number(150, 250))
	if at, ok := r.Read(dst); !ok || at != ms(1300) || dst[0] != 300 {
		t.Errorf("%v %v %v, want sample 300 at 1.3s", at, ok, dst[0])
	}
}

// noise is white, the same for a seed.
func noise(n int, seed uint32) []float32 {
	s := make([]float32, n)
	for i := range s {
		seed = seed*1664525 + 1013904223
		s[i] = float32(int32(seed)) / (1 << 31) * 0.3
	}
	return s
}

// What the loudspeaker plays comes back late, quieter and with an echo; what a
// person says meanwhile stays.
func TestCancellerKeepsThePerson(t *testing.T) {
	const seconds = 4
	played := noise(seconds*audio.Rate, 1)
	heard := make([]float32, len(played))
	for i := range heard {
		for delay, gain := range map[int]float32{400: 0.5, 900: 0.2, 1300: -0.1} {
			if i >= delay {
				heard[i] += gain * played[i-delay]
			}
		}
	}
	person := noise(audio.Rate/2, 7)
	from := 3 * audio.Rate
	for i, x := range person {
		heard[from+i] += x
	}
	before := audio.Level(heard[2*audio.Rate : from])
	c := audio.NewCanceller(2048)
	for i := 0; i < len(heard); i += audio.Frame {
		c.Cancel(heard[i:i+audio.Frame], played[i:i+audio.Frame])
	}
	if after := audio.Level(heard[2*audio.Rate : from]); after > before/20 {
		t.Errorf("the echo has level %.4f of %.4f, want a twentieth", after, before)
	}
	left := make([]float32, len(person))
	for i := range left {
		left[i] = heard[from+i] - person[i]
	}
	if audio.Level(left) > audio.Level(person)/3 {
		t.Errorf("of a person of level %.3f, %.3f is spoilt", audio.Level(person), audio.Level(left))
	}
}
