package confirm

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/checkpoint"
)

// fakeEncoder gives the same embeddings for every clip.
type fakeEncoder struct {
	rows []float32
	err  error
}

func (f *fakeEncoder) Listen(context.Context, []float32) ([]float32, error) { return f.rows, f.err }

func waves() []float32 {
	x := make([]float32, rows*bucket*width)
	for i := range x {
		x[i] = float32(math.Sin(float64(i%width)*0.7 + float64(i/width)*0.13))
	}
	return x
}

// The head is what the layers say, computed here in another way, in f64.
func TestHead(t *testing.T) {
	c, err := New(&fakeEncoder{rows: waves()})
	if err != nil {
		t.Fatal(err)
	}
	x, mid := waves(), make([]float64, rows*each)
	for r := range rows {
		for o := range each {
			sum := float64(c.each.b[o])
			for b := range bucket {
				for i := range width {
					sum += float64(c.each.w[o*width+i]) * float64(x[(r*bucket+b)*width+i]) / bucket
				}
			}
			mid[r*each+o] = math.Max(0, sum)
		}
	}
	want := float64(c.out.b[0])
	for o := range hidden {
		sum := float64(c.all.b[o])
		for i, m := range mid {
			sum += float64(c.all.w[o*len(mid)+i]) * m
		}
		want += float64(c.out.w[o]) * math.Max(0, sum)
	}
	got, err := c.Nats(context.Background(), make([]float32, Heard), 0.5)
	if err != nil || math.Abs(got-want) > 1e-3 {
		t.Errorf("%g nats, want %g (error %v)", got, want, err)
	}
	more, err := c.Nats(context.Background(), make([]float32, Heard), 0.9)
	if err != nil || math.Abs(more-got-trust*math.Log(9)) > 1e-3 {
		t.Errorf("%g nats with a score of 0.9, want %g more than %g", more, trust*math.Log(9), got)
	}
}

func TestErrors(t *testing.T) {
	broken := errors.New("broken")
	for want, try := range map[string]struct {
		encoder fakeEncoder
		samples int
	}{
		"22399 samples": {fakeEncoder{rows: waves()}, Heard - 1},
		"whisper-base":  {fakeEncoder{rows: make([]float32, 70*384)}, Heard},
		"broken":        {fakeEncoder{err: broken}, Heard},
	} {
		c, err := New(&try.encoder)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Stop(context.Background(), make([]float32, try.samples), 0.5); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

func TestStopAllocatesNothing(t *testing.T) {
	c, err := New(&fakeEncoder{rows: waves()})
	if err != nil {
		t.Fatal(err)
	}
	samples := make([]float32, Heard)
	if n := testing.AllocsPerRun(10, func() {
		if _, err := c.Stop(context.Background(), samples, 0.5); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

// Damaged weights are an error, never a crash or a number that is none.
func FuzzWeights(f *testing.F) {
	f.Add([]byte{}, 0)
	f.Add([]byte("{\"all.weight\":{}}"), 8)
	f.Add([]byte{0xff, 0x7f}, 9000)
	f.Fuzz(func(t *testing.T, patch []byte, at int) {
		data := slices.Clone(builtin)
		copy(data[min(uint(at), uint(len(data))):], patch)
		if _, err := checkpoint.ParseSafetensors(data); err != nil {
			return
		}
		c, err := load(data, &fakeEncoder{rows: waves()})
		if err != nil {
			return
		}
		if nats, err := c.Nats(context.Background(), make([]float32, Heard), 0.5); err != nil || math.IsNaN(nats) {
			t.Errorf("%g nats, error %v", nats, err)
		}
	})
}
