package hear

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/perception/audio"
)

// room gives so much of a quiet room, of loudness level.
func room(lasts time.Duration, level float64) []float32 {
	draw := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, samplesOf(lasts))
	for i := range x {
		x[i] = float32(level * draw.NormFloat64())
	}
	return x
}

// bang adds a short loud sound at an instant.
func bang(x []float32, at time.Duration) {
	for i := range audio.Rate / 10 {
		x[samplesOf(at)+i] += float32(0.3 * math.Exp(-float64(i)/400) * math.Sin(float64(i)))
	}
}

// clips gives the instants at which clips were full.
func (o *Onset) clips(t *testing.T, x []float32) (at []time.Duration) {
	t.Helper()
	for i := 0; i+audio.Frame <= len(x); i += audio.Frame {
		clip := o.Add(x[i : i+audio.Frame])
		if clip == nil {
			continue
		}
		if len(clip) != samplesOf(clipTime) {
			t.Fatalf("a clip of %d samples, want %d", len(clip), samplesOf(clipTime))
		}
		at = append(at, time.Duration(i+audio.Frame)*time.Second/audio.Rate)
	}
	return at
}

func TestOnset(t *testing.T) {
	for name, c := range map[string]struct {
		room  float64
		bangs []time.Duration
		want  []time.Duration
	}{
		"a quiet room":      {0.002, nil, nil},
		"a noisy one":       {0.1, nil, nil},
		"a bang":            {0.002, []time.Duration{2 * time.Second}, []time.Duration{3100 * time.Millisecond}},
		"one after another": {0.002, []time.Duration{2 * time.Second, 2200 * time.Millisecond, 4 * time.Second}, []time.Duration{3100 * time.Millisecond, 5100 * time.Millisecond}},
		"in a pause":        {0.002, []time.Duration{2 * time.Second, 3200 * time.Millisecond}, []time.Duration{3100 * time.Millisecond}},
	} {
		x := room(7*time.Second, c.room)
		for _, at := range c.bangs {
			bang(x, at)
		}
		got := NewOnset().clips(t, x)
		if name == "a noisy one" && len(got) == 1 && got[0] < 1500*time.Millisecond {
			continue // that it is noisy there is heard once
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: clips at %v, want %v", name, got, c.want)
			continue
		}
		for i := range got {
			if d := got[i] - c.want[i]; d < -40*time.Millisecond || d > 40*time.Millisecond {
				t.Errorf("%s: clip at %v, want %v", name, got[i], c.want[i])
			}
		}
	}
}

func TestResetDropsAClip(t *testing.T) {
	x := room(3*time.Second, 0.002)
	bang(x, time.Second)
	o := NewOnset()
	if got := o.clips(t, x[:samplesOf(1500*time.Millisecond)]); got != nil {
		t.Fatalf("clips at %v", got)
	}
	o.Reset()
	if got := o.clips(t, x[samplesOf(1500*time.Millisecond):]); got != nil {
		t.Errorf("clips at %v after Reset", got)
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	o, x := NewOnset(), room(3*time.Second, 0.002)
	bang(x, time.Second)
	if n := testing.AllocsPerRun(5, func() {
		for i := 0; i+audio.Frame <= len(x); i += audio.Frame {
			o.Add(x[i : i+audio.Frame])
		}
	}); n > 0 {
		t.Errorf("%g allocations", n)
	}
}
