package keyword

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
	"github.com/kuai-robot/kuai/perception/audio"
	"pgregory.net/rapid"
)

func newDetector(t testing.TB, backend kernels.Backend, groups ...Group) *Detector {
	t.Helper()
	m, err := Builtin(backend)
	if err != nil {
		t.Fatal(err)
	}
	d, err := m.NewDetector(groups...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(d.Close(), m.Close()); err != nil {
			t.Error(err)
		}
	})
	return d
}

// chirps is the sound of train/voice/parity.py.
func chirps(seconds float64) []float32 {
	samples := make([]float32, int(seconds*audio.Rate))
	for i := range samples {
		at := uint32(i)*2654435761 + 40503
		at ^= at >> 15
		noise, t, loud := float64(at*2246822519>>16)/32768-1, float64(i), 0.0005
		if i/4000%2 == 0 {
			loud = 0.05
		}
		samples[i] = float32(math.Sin(2*math.Pi*(200+0.05*t)*t/audio.Rate)*0.3 + noise*loud)
	}
	return samples
}

// recorder gives the probabilities of every step.
func (d *Detector) record(t *testing.T, samples []float32) [][]float32 {
	t.Helper()
	var all [][]float32
	for len(samples) > 0 {
		before := d.steps
		n := min(len(samples), step)
		if _, err := d.Process(context.Background(), samples[:n]); err != nil {
			t.Fatal(err)
		}
		samples = samples[n:]
		if d.steps > before {
			all = append(all, slices.Clone(d.kernels.F32(d.model.probability)))
		}
	}
	return all
}

// The network gives what PyTorch gives in f64 for the same weights.
func TestParity(t *testing.T) {
	data, err := os.ReadFile("testdata/parity.json")
	if err != nil {
		t.Fatal(err)
	}
	var want [][]float64
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	for _, backend := range []kernels.Backend{ref.New(), cpu.New(cpu.Options{})} {
		got := newDetector(t, backend).record(t, chirps(3))
		if len(got) != 149 || len(want) != 15 {
			t.Fatalf("%d steps, %d kept by PyTorch, want 149 and 15", len(got), len(want))
		}
		most := 0.0
		for i, w := range want {
			for c := range w {
				most = max(most, math.Abs(float64(got[10*i][c])-w[c]))
			}
		}
		if most > 2e-4 {
			t.Errorf("%s: probabilities are off by %.2g (make parity-voice after new weights)", backend.Name(), most)
		}
	}
}

// However the sound is cut into pieces, the same hits come.
func TestPiecesDoNotMatter(t *testing.T) {
	// Any class will do, at a threshold that chirps cross: what counts is the sum.
	group := Group{Name: "any", Words: Words(), Threshold: 0.02}
	d := newDetector(t, cpu.New(cpu.Options{Threads: 1}), group)
	sound := slices.Concat(chirps(2), spoken(t), make([]float32, audio.Rate/2))
	whole := clone(d.Process(context.Background(), sound))
	if len(whole) == 0 {
		t.Fatal("nothing is heard in the sound of this test")
	}
	rapid.Check(t, func(r *rapid.T) {
		d.Reset()
		var hits []Hit
		for rest := sound; len(rest) > 0; {
			n := min(len(rest), rapid.IntRange(1, 9000).Draw(r, "samples"))
			hits = append(hits, clone(d.Process(context.Background(), rest[:n]))...)
			rest = rest[n:]
		}
		if !slices.Equal(hits, whole) {
			r.Fatalf("hits %v in pieces, %v at once", hits, whole)
		}
	})
}

func clone(hits []Hit, err error) []Hit {
	if err != nil {
		panic(err)
	}
	return slices.Clone(hits)
}

// spoken is "please stop" by a voice that was not trained on, see testdata.
func spoken(t testing.TB) []float32 {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "stop.wav"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	clip, err := audio.ReadWAV(file)
	if err != nil {
		t.Fatal(err)
	}
	return clip.Samples
}

// The word is heard once, soon after its end, and again after Reset.
func TestHearsStop(t *testing.T) {
	d := newDetector(t, cpu.New(cpu.Options{}), Stop(), Wake())
	said := spoken(t)
	sound := slices.Concat(make([]float32, audio.Rate), said, make([]float32, audio.Rate))
	end := int64(audio.Rate + len(said))
	for range 2 {
		hits := clone(d.Process(context.Background(), sound))
		if len(hits) != 1 || hits[0].Group != "stop" || hits[0].Word != "stop" {
			t.Fatalf("heard %v, want stop once", hits)
		}
		if h := hits[0]; h.Heard-end > 300*audio.Rate/1000 || h.End >= h.Heard || h.Score < StopThreshold {
			t.Errorf("%+v for a word that ended at sample %d", h, end)
		}
		d.Reset()
	}
}

// A word is reported once at each of the thresholds that it passes, and again
// after it was quiet.
func TestReportsAgain(t *testing.T) {
	l := listener{group: Group{Name: "stop", Threshold: 0.1, Again: []float32{0.5, 0.9}}, classes: []int{1}}
	p, got := make([]float32, len(words)+1), []float32{}
	for step, x := range []float32{0, 0.2, 0.2, 0.2, 0.3, 0.6, 0.6, 0.6, 0.4, 0.4, 0.4, 0.6, 0.6, 0.6, 0.1, 0.1, 0.1, 0.1, 0.6, 0.6, 0.6, 0, 0, 0, 1, 1, 1} {
		p[1] = x
		if hit, ok := l.judge(p, step%smoothed); ok {
			got = append(got, float32(math.Round(float64(hit.Score)*100)/100))
		}
	}
	// From 0.4 it does not rise anew: that is more than half of 0.5.
	if want := []float32{0.13, 0.5, 0.6, 0.33, 0.67, 1}; !slices.Equal(got, want) {
		t.Errorf("reported at %v, want %v", got, want)
	}
}

// Nothing is heard in silence, clipped noise, a constant and a loud hum, and
// numbers stay numbers after them.
func TestBadSound(t *testing.T) {
	fill := func(f func(i int) float32) []float32 {
		x := make([]float32, 5*audio.Rate)
		for i := range x {
			x[i] = f(i)
		}
		return x
	}
	for name, sound := range map[string][]float32{
		"silence":  fill(func(int) float32 { return 0 }),
		"constant": fill(func(int) float32 { return 0.7 }),
		"clipped":  fill(func(i int) float32 { return float32(1-2*(i/80%2)) * 1e30 }),
		"tiny":     fill(func(i int) float32 { return float32(i%3) * 1e-38 }),
		"hum":      fill(func(i int) float32 { return float32(math.Sin(float64(i) * 2 * math.Pi * 50 / audio.Rate)) }),
	} {
		d := newDetector(t, cpu.New(cpu.Options{}), Stop())
		hits := clone(d.Process(context.Background(), sound))
		if len(hits) != 0 {
			t.Errorf("%s: heard %v", name, hits)
		}
		for _, p := range d.kernels.F32(d.model.probability) {
			if !(p >= 0 && p <= 1) {
				t.Errorf("%s: probability %g", name, p)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	d := newDetector(t, ref.New(), Stop())
	spoilt := make([]float32, step)
	spoilt[9] = float32(math.NaN())
	if _, err := d.Process(context.Background(), spoilt); err == nil || !strings.Contains(err.Error(), "sample 9 is NaN") {
		t.Errorf("error %v for NaN", err)
	}
	if len(d.pending) != 0 {
		t.Errorf("%d samples of a spoilt piece were heard", len(d.pending))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.Process(ctx, make([]float32, heard)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	for want, g := range map[string]Group{
		"did you mean \"stop\"": {Words: []string{"stopp"}, Threshold: 0.5},
		"none given":            {Threshold: 0.5},
		"threshold 1":           {Words: []string{"stop"}, Threshold: 1},
		"again 0.4":             {Words: []string{"stop"}, Threshold: 0.5, Again: []float32{0.4}},
		"given twice":           {Words: []string{"停", "停"}, Threshold: 0.5},
	} {
		if _, err := d.model.NewDetector(g); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

func TestProcessAllocatesNothing(t *testing.T) {
	d, sound := newDetector(t, cpu.New(cpu.Options{}), Stop(), Wake()), chirps(0.1)
	if allocs := testing.AllocsPerRun(20, func() { clone(d.Process(context.Background(), sound)) }); allocs > 0 {
		t.Errorf("%g allocations a piece", allocs)
	}
}

// Damaged weights are an error, never a crash; whatever is read stays finite.
func FuzzWeights(f *testing.F) {
	f.Add([]byte{}, 0)
	f.Add([]byte("{\"conv.0.weight\":{}}"), 8)
	f.Add([]byte{0xff, 0x7f}, 40_000)
	f.Fuzz(func(t *testing.T, patch []byte, at int) {
		data := slices.Clone(builtin)
		copy(data[min(uint(at), uint(len(data))):], patch)
		file, err := checkpoint.ParseSafetensors(data)
		if err != nil {
			return
		}
		m, err := load(file, ref.New())
		if err != nil {
			return
		}
		d, err := m.NewDetector(Stop())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Process(context.Background(), make([]float32, heard)); err != nil {
			t.Fatal(err)
		}
		for _, p := range d.kernels.F32(d.model.probability) {
			if !(p >= 0 && p <= 1) {
				t.Errorf("probability %g", p)
			}
		}
	})
}

func BenchmarkProcess(b *testing.B) {
	d, sound := newDetector(b, cpu.New(cpu.Options{Threads: 1}), Stop(), Wake()), chirps(0.02)
	for b.Loop() {
		clone(d.Process(context.Background(), sound))
	}
}
