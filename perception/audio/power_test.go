package audio

import (
	"math"
	"slices"
	"testing"
)

// Powers of a stream are those of a clip's spectrogram where neither end is near,
// whatever the number of windows that are asked for at once.
func TestPowersMatchCompute(t *testing.T) {
	const bands, frames = 40, 30
	m, err := NewLogMel(bands)
	if err != nil {
		t.Fatal(err)
	}
	samples := make([]float32, frames*Hop)
	for i := range samples {
		samples[i] = float32(math.Sin(float64(i*i)*1e-4) * 0.3)
	}
	want := make([]float32, frames*bands)
	m.Compute(want, samples, frames)
	floor := slices.Min(want) // far below the loudest, where Compute does not look
	for _, together := range []int{1, 2, 5} {
		// Row i of Compute is centred on sample 160·i.
		for first := 2; first+together < frames-3; first += together {
			got := make([]float32, together*bands)
			start := first*Hop - Window/2
			if n := m.Powers(got, samples[start:start+Window+(together-1)*Hop]); n != together {
				t.Fatalf("%d rows, want %d", n, together)
			}
			for i, p := range got {
				value := float32((math.Log10(max(float64(p), 1e-10)) + 4) / 4)
				if w := want[first*bands+i]; math.Abs(float64(value-w)) > 1e-4 && w > floor {
					t.Fatalf("%d rows from %d: number %d is %g, want %g", together, first, i, value, w)
				}
			}
		}
	}
	if n := m.Powers(nil, samples[:Window-1]); n != 0 {
		t.Errorf("%d rows of less than a window", n)
	}
}
