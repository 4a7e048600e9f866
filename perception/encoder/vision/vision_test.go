package vision_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
	"github.com/kuai-robot/kuai/perception/encoder/vision"
	"github.com/kuai-robot/kuai/robot"
)

const fixtures = "../testdata"

// noise is the picture of the same name in common.py there.
func noise(width, height int, seed uint32) *robot.Frame {
	draw := func(at uint32) uint32 {
		at = at*2654435761 + seed*40503
		at ^= at >> 15
		return at * 2246822519 >> 24
	}
	f := &robot.Frame{Width: width, Height: height, Pixels: make([]byte, 3*width*height)}
	for i := range f.Pixels {
		y, x, c := i/3/width, i/3%width, i%3
		coarse := draw(uint32((y/16*1000+x/16)*3 + c))
		f.Pixels[i] = byte((draw(uint32(i)) + 2*coarse + uint32(x*255/width)) / 4)
	}
	return f
}

func readJSON(t testing.TB, path string, to any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func open(t testing.TB, family string, backend kernels.Backend, o vision.Options) *vision.Session {
	t.Helper()
	m, err := vision.Open(filepath.Join(fixtures, family), backend, o)
	if err != nil {
		t.Fatal(err)
	}
	return session(t, m)
}

func session(t testing.TB, m *vision.Model) *vision.Session {
	t.Helper()
	s, err := m.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func cosine(a []float32, b []float64) float64 {
	var ab, aa, bb float64
	for i := range a {
		x := float64(a[i])
		ab, aa, bb = ab+x*b[i], aa+x*x, bb+b[i]*b[i]
	}
	return ab / math.Sqrt(aa*bb)
}

func worst(a []float32, b []float64) float64 {
	most := 0.0
	for i := range a {
		most = max(most, math.Abs(float64(a[i])-b[i]))
	}
	return most
}

type fixture struct {
	Plain    float64 `json:"plain"` // how far transformers in f32 is from itself in f64
	Pictures []struct {
		Width, Height int
		Seed          uint32
		Embedding     []float64
		Hidden        []float64 // of the last patch
	}
}

// The towers agree with transformers: in f32 to the last useful digit, and
// nearly so at lower precisions.
func TestParity(t *testing.T) {
	for _, family := range []string{"clip", "siglip"} {
		var want fixture
		readJSON(t, filepath.Join(fixtures, family, "parity.json"), &want)
		if len(want.Pictures) < 4 {
			t.Fatalf("%s: %d pictures", family, len(want.Pictures))
		}
		for _, c := range []struct {
			backend   kernels.Backend
			precision kernels.Precision
			cosine    float64
			error     float64
		}{
			{ref.New(), kernels.Float32, 0.99999, 1e-6}, // sums in order, without care
			{cpu.New(cpu.Options{}), kernels.Float32, 0.99999, 2 * want.Plain},
			{cpu.New(cpu.Options{}), kernels.BFloat16, 0.999, 0.05},
			{cpu.New(cpu.Options{}), kernels.Int8, 0.998, 0.05},
		} {
			s := open(t, family, c.backend, vision.Options{Compile: kernels.Options{Precision: c.precision}})
			for _, p := range want.Pictures {
				got, err := s.Encode(context.Background(), noise(p.Width, p.Height, p.Seed))
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != len(p.Embedding) {
					t.Fatalf("%s: an embedding of %d, want %d", family, len(got), len(p.Embedding))
				}
				if cos, off := cosine(got, p.Embedding), worst(got, p.Embedding); cos < c.cosine || off > c.error {
					t.Errorf("%s on %s in %v, picture %d×%d: cosine %.7f, off by %.3g, want %g and %.3g",
						family, c.backend.Name(), c.precision, p.Width, p.Height, cos, off, c.cosine, c.error)
				}
				hidden := s.Hidden()
				if cos := cosine(hidden[len(hidden)-len(p.Hidden):], p.Hidden); cos < c.cosine {
					t.Errorf("%s on %s in %v, picture %d×%d: hidden state of the last patch: cosine %.7f, want %g",
						family, c.backend.Name(), c.precision, p.Width, p.Height, cos, c.cosine)
				}
			}
		}
	}
}

// Two sessions of one model run from two goroutines, and neither disturbs what
// the other computes.
func TestSessionsShareAModel(t *testing.T) {
	m, err := vision.Open(filepath.Join(fixtures, "clip"), cpu.New(cpu.Options{}), vision.Options{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 2)
	for seed := range uint32(2) {
		s, picture := session(t, m), noise(50, 40, seed)
		first, err := s.Encode(context.Background(), picture)
		if err != nil {
			t.Fatal(err)
		}
		want := append([]float32(nil), first...)
		go func() {
			for range 200 {
				got, err := s.Encode(context.Background(), picture)
				for i := range want {
					if err == nil && got[i] != want[i] {
						t.Errorf("seed %d: component %d became %g, was %g", seed, i, got[i], want[i])
						done <- nil
						return
					}
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

func TestEncodeAllocatesNothing(t *testing.T) {
	s, picture := open(t, "clip", cpu.New(cpu.Options{}), vision.Options{}), noise(64, 48, 1)
	allocs := testing.AllocsPerRun(20, func() {
		if _, err := s.Encode(context.Background(), picture); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%g allocations a picture", allocs)
	}
}

func TestCancelledContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := open(t, "clip", ref.New(), vision.Options{})
	if _, err := s.Encode(ctx, noise(8, 8, 1)); err != context.Canceled {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}
