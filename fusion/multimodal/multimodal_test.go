package multimodal_test

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

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/fusion/multimodal"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// The fixture is made by train/multimodal.
const fixture = "testdata/tiny"

// piece is a part of a sequence as the reference reads it.
type piece struct {
	Tokens       []int32
	Project      string
	Rows, Medium [][]float32
}

type parity struct {
	Plain float64 // how far PyTorch in f32 is from itself in f64
	Cases []struct {
		Parts  []piece
		Logits []float64
	}
}

func readParity(t testing.TB) parity {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(fixture, "parity.json"))
	if err != nil {
		t.Fatal(err)
	}
	var p parity
	if err := json.Unmarshal(data, &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Cases) < 7 {
		t.Fatalf("%d cases", len(p.Cases))
	}
	return p
}

// system is the fixture, opened with the decoder that it was made for.
type system struct {
	projectors *multimodal.Projectors
	model      *generate.Model
	session    *generate.Session
}

func open(t testing.TB, backend kernels.Backend, base string, o generate.Options) *system {
	t.Helper()
	m, err := multimodal.Open(fixture)
	if err != nil {
		t.Fatal(err)
	}
	o.Mixed, o.Cross = true, m.Cross
	o.Compile.Precision = kernels.Float32
	s := &system{}
	s.projectors, err = m.Compile(backend, o.Compile)
	if err != nil {
		t.Fatal(err)
	}
	if s.model, err = generate.Open(filepath.Join("..", "testdata", "tiny", "llama", base), backend, o); err != nil {
		t.Fatal(err)
	}
	if s.session, err = s.model.NewSession(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.session.Close(), s.model.Close(), s.projectors.Close(), m.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// parts projects what the pieces hold.
func (s *system) parts(t testing.TB, pieces []piece) []multimodal.Part {
	t.Helper()
	var parts []multimodal.Part
	for _, p := range pieces {
		part := multimodal.Part{Tokens: p.Tokens, Medium: slices.Concat(p.Medium...)}
		if p.Project != "" {
			rows, err := s.projectors.Project(context.Background(), p.Project, slices.Concat(p.Rows...))
			if err != nil {
				t.Fatal(err)
			}
			part.Embeddings = rows
		}
		parts = append(parts, part)
	}
	return parts
}

func worst(a []float32, b []float64) (cosine, off float64) {
	var ab, aa, bb float64
	for i := range a {
		x := float64(a[i])
		ab, aa, bb = ab+x*b[i], aa+x*x, bb+b[i]*b[i]
		off = max(off, math.Abs(x-b[i]))
	}
	return ab / math.Sqrt(aa*bb), off
}

// Mixed sequences give the logits of the reference, on both backends, from both
// layouts of the decoder, in whatever batches they are read, one session after
// the other sequence.
func TestParity(t *testing.T) {
	want := readParity(t)
	for _, c := range []struct {
		backend kernels.Backend
		base    string
		options generate.Options
		most    float64
	}{
		{cpu.New(cpu.Options{Threads: 1}), ".", generate.Options{}, 2 * want.Plain},
		{cpu.New(cpu.Options{Threads: 2}), "model.gguf", generate.Options{Batch: 2}, 2 * want.Plain},
		{ref.New(), ".", generate.Options{Batch: 3}, 5e-5}, // sums in order, without care
		{cpu.New(cpu.Options{Threads: 1}), ".", generate.Options{Cache: kernels.F16}, 0.05},
	} {
		s := open(t, c.backend, c.base, c.options)
		for i, sequence := range want.Cases {
			got, err := s.session.LogitsParts(context.Background(), s.parts(t, sequence.Parts))
			if err != nil {
				t.Fatal(err)
			}
			least := 0.99999
			if cos, off := worst(got, sequence.Logits); cos < least || off > c.most || len(got) != len(sequence.Logits) {
				t.Errorf("%s, %+v: sequence %d: cosine %.7f, a logit is off by %.3g of %.3g", c.backend.Name(), c.options, i, cos, off, c.most)
			}
		}
	}
}

// What is generated after a mixed prompt is what reading the longer sequence
// gives: the cache is as if all had been read at once.
func TestGenerateAfterParts(t *testing.T) {
	s := open(t, cpu.New(cpu.Options{Threads: 1}), "model.gguf", generate.Options{})
	other, err := s.model.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for i, sequence := range readParity(t).Cases {
		parts := s.parts(t, sequence.Parts)
		var got []int32
		err := s.session.GenerateParts(context.Background(), parts, generate.Sampling{MaxTokens: 6, RepeatPenalty: 1.2}, func(token int32, _ string) bool {
			if token >= 0 {
				got = append(got, token)
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		for n := range got {
			longer := append(slices.Clone(parts), multimodal.Part{Tokens: got[:n+1]})
			fresh, err := other.LogitsParts(context.Background(), longer)
			if err != nil {
				t.Fatal(err)
			}
			whole := slices.Clone(fresh)
			cached, err := s.session.LogitsParts(context.Background(), longer)
			if err != nil {
				t.Fatal(err)
			}
			for j := range whole {
				if math.Abs(float64(whole[j]-cached[j])) > 1e-4 {
					t.Fatalf("sequence %d, %d tokens later: logit %d is %g, then %g", i, n+1, j, whole[j], cached[j])
				}
			}
		}
	}
}

// The same picture again is not computed again; another one is.
func TestEqualEmbeddingsAreKept(t *testing.T) {
	s := open(t, cpu.New(cpu.Options{Threads: 1}), "model.gguf", generate.Options{})
	ctx, want := context.Background(), readParity(t)
	parts := s.parts(t, want.Cases[1].Parts)
	for range 2 {
		if _, err := s.session.LogitsParts(ctx, parts); err != nil {
			t.Fatal(err)
		}
	}
	longer := append(slices.Clone(parts), multimodal.Part{Tokens: []int32{20, 21}})
	ended, cancel := context.WithCancel(ctx)
	cancel()
	before := s.session.Held()
	if _, err := s.session.LogitsParts(ended, longer); !errors.Is(err, context.Canceled) || s.session.Held() != before {
		t.Errorf("%v; %d tokens held, then %d: the common beginning was forgotten", err, before, s.session.Held())
	}
	parts[1].Embeddings = slices.Clone(parts[1].Embeddings)
	parts[1].Embeddings[17]++ // of the second row
	if _, err := s.session.LogitsParts(ended, parts); !errors.Is(err, context.Canceled) || s.session.Held() != len(parts[0].Tokens)+1 {
		t.Errorf("%v; %d tokens held, want those before the row that differs", err, s.session.Held())
	}
	// Plain prompts and media forget each other.
	plain, err := s.session.Logits(ctx, want.Cases[0].Parts[0].Tokens)
	if err != nil {
		t.Fatal(err)
	}
	if _, off := worst(plain, want.Cases[0].Logits); off > 1e-4 {
		t.Errorf("a plain prompt after others is off by %g", off)
	}
	if _, err := s.session.LogitsParts(ctx, s.parts(t, want.Cases[5].Parts)); err != nil {
		t.Fatal(err)
	}
	if plain, err = s.session.Logits(ctx, want.Cases[0].Parts[0].Tokens); err != nil {
		t.Fatal(err)
	}
	if _, off := worst(plain, want.Cases[0].Logits); off > 1e-4 {
		t.Errorf("a plain prompt after media is off by %g", off)
	}
}

func TestPartsErrors(t *testing.T) {
	s := open(t, ref.New(), "model.gguf", generate.Options{Context: 16})
	nan := float32(math.NaN())
	row, medium := make([]float32, 16), make([]float32, 12)
	text := multimodal.Part{Tokens: []int32{5}}
	for _, c := range []struct {
		want  string
		parts []multimodal.Part
	}{
		{"empty", nil},
		{"part 0: want one of", []multimodal.Part{{}}},
		{"part 1: want one of", []multimodal.Part{text, {Tokens: []int32{1}, Embeddings: row}}},
		{"15 numbers are not rows of 16", []multimodal.Part{{Embeddings: row[:15]}}},
		{"part 0: token 1 is 999", []multimodal.Part{{Tokens: []int32{1, 999}}}},
		{"token 0 is -1", []multimodal.Part{{Tokens: []int32{-1}}}},
		{"number 1 of the embeddings is NaN", []multimodal.Part{{Embeddings: append([]float32{0, nan}, row[2:]...)}}},
		{"number 0 of the medium is NaN", []multimodal.Part{{Medium: append([]float32{nan}, medium[1:]...)}, text}},
		{"a medium of 11 numbers", []multimodal.Part{{Medium: medium[:11]}, text}},
		{"a medium of 120 numbers", []multimodal.Part{{Medium: make([]float32, 120)}, text}},
		{"medium 4, and cross.media is 3", []multimodal.Part{{Medium: medium}, {Medium: medium}, {Medium: medium}, {Medium: medium}, text}},
		{"ends with a medium", []multimodal.Part{text, {Medium: medium}}},
		{"do not fit the context of 16", []multimodal.Part{{Embeddings: make([]float32, 17*16)}}},
	} {
		if _, err := s.session.LogitsParts(context.Background(), c.parts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one that says %q", err, c.want)
		}
	}
	plain, err := generate.Open("../testdata/tiny/llama/model.gguf", ref.New(), generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	session, err := plain.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for want, part := range map[string]multimodal.Part{"Options.Mixed": {Embeddings: row}, "Options.Cross": {Medium: medium}} {
		if _, err := session.LogitsParts(context.Background(), []multimodal.Part{part, text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}
