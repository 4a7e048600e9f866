package vad_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/vad"
)

func newSession(t testing.TB, backend kernels.Backend) *vad.Session {
	t.Helper()
	m, err := vad.BuiltIn(backend)
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), m.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// clips are what make_silero.py let the package hear; the recording is left out
// where it is not installed.
func clips(t testing.TB) map[string][]float32 {
	t.Helper()
	all := map[string][]float32{"sound": sound(1.5, 1)}
	const recording = "goforward.raw"
	file, err := os.Open(filepath.Join("/usr/share/pocketsphinx/test/data", recording))
	if err != nil {
		t.Logf("%v (apt-get install pocketsphinx-testdata)", err)
		return all
	}
	defer file.Close()
	clip, err := audio.ReadRaw(file, audio.Rate)
	if err != nil {
		t.Fatal(err)
	}
	all[recording] = clip.Samples
	return all
}

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

// The detector gives the probabilities of the network in f64, again after Reset,
// and hears that somebody speaks.
func TestParity(t *testing.T) {
	data, err := os.ReadFile("testdata/silero.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]float64
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	for _, backend := range []kernels.Backend{ref.New(), cpu.New(cpu.Options{})} {
		s := newSession(t, backend)
		for name, samples := range clips(t) {
			s.Reset()
			most, highest := 0.0, 0.0
			for i, p := range want[name] {
				got, err := s.Hear(context.Background(), samples[i*vad.Chunk:(i+1)*vad.Chunk])
				if err != nil {
					t.Fatal(err)
				}
				most, highest = max(most, math.Abs(float64(got)-p)), max(highest, float64(got))
			}
			if len(want[name]) < 40 || most > 1e-4 {
				t.Errorf("%s on %s: %d chunks, off by %.2g", name, backend.Name(), len(want[name]), most)
			}
			if speech := name == "goforward.raw"; speech != (highest > 0.9) {
				t.Errorf("%s: a probability of up to %.2f", name, highest)
			}
		}
	}
}

func TestHearAllocatesNothing(t *testing.T) {
	s, samples := newSession(t, cpu.New(cpu.Options{})), sound(0.1, 1)
	if allocs := testing.AllocsPerRun(20, func() {
		if _, err := s.Hear(context.Background(), samples[:vad.Chunk]); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("%g allocations a chunk", allocs)
	}
}

func TestHearErrors(t *testing.T) {
	s := newSession(t, ref.New())
	spoilt := make([]float32, vad.Chunk)
	spoilt[9] = float32(math.Inf(1))
	for want, samples := range map[string][]float32{"0 samples, want 512": nil, "513 samples": make([]float32, 513), "sample 9 is NaN": spoilt} {
		if _, err := s.Hear(context.Background(), samples); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Hear(ctx, make([]float32, vad.Chunk)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

// A file of other weights is an error that names the tensor.
func TestOpenErrors(t *testing.T) {
	header := []byte(`{"stft_conv.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}`)
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	file = append(append(file, header...), make([]byte, 8)...)
	for want, data := range map[string][]byte{
		"tensor stft_conv.weight has shape [2 1]": file,
		"no tensor stft_conv.weight":              bytes.Replace(file, []byte("stft_conv"), []byte("stft_conf"), 1),
		"truncated":                               file[:20],
	} {
		path := filepath.Join(t.TempDir(), "vad.safetensors")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := vad.Open(path, ref.New()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

func BenchmarkHear(b *testing.B) {
	s, samples := newSession(b, cpu.New(cpu.Options{Threads: 1})), sound(0.1, 1)
	for b.Loop() {
		if _, err := s.Hear(context.Background(), samples[:vad.Chunk]); err != nil {
			b.Fatal(err)
		}
	}
}
