package embed_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/internal/models"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
	"github.com/kuai-robot/kuai/robot"
)

// The fixtures lie with those of the image towers, which share their files; see
// make_parity.py there.
const fixtures = "../../perception/encoder/testdata"

type fixture struct {
	Plain float64 `json:"plain_text"` // how far transformers in f32 is from itself in f64
	Scale float64
	Bias  float64
	Texts []struct {
		Text      string
		IDs       []int32
		Embedding []float64
	}
	Pictures []struct {
		Width, Height int
		Seed          uint32
		Embedding     []float64
	}
}

func readFixture(t testing.TB, path ...string) fixture {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{fixtures}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Texts) < 10 {
		t.Fatalf("%v: %d texts", path, len(f.Texts))
	}
	return f
}

func openText(t testing.TB, dir string, backend kernels.Backend, precision kernels.Precision) (*embed.Text, *embed.TextSession) {
	t.Helper()
	text, err := embed.OpenText(dir, backend, embed.Options{Compile: kernels.Options{Precision: precision}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := text.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return text, s
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

// checkTexts compares tokens and embeddings with those of transformers.
func checkTexts(t *testing.T, want fixture, text *embed.Text, s *embed.TextSession, least, most float64) {
	t.Helper()
	for _, c := range want.Texts {
		if ids := text.Tokens(c.Text); !slices.Equal(ids, c.IDs) {
			t.Errorf("%s: %q has tokens %v, want %v", text.Config().Family, c.Text, ids, c.IDs)
			continue
		}
		got, err := s.Encode(context.Background(), c.Text)
		if err != nil {
			t.Fatal(err)
		}
		if cos, off := cosine(got, c.Embedding), worst(got, c.Embedding); cos < least || off > most || len(got) != len(c.Embedding) {
			t.Errorf("%s: %q: cosine %.7f, off by %.3g, want %g and %.3g", text.Config().Family, c.Text, cos, off, least, most)
		}
	}
}

func TestParity(t *testing.T) {
	for _, family := range []string{"clip", "siglip", "bert"} {
		want := readFixture(t, family, "parity.json")
		dir := filepath.Join(fixtures, family)
		text, s := openText(t, dir, cpu.New(cpu.Options{}), kernels.Float32)
		checkTexts(t, want, text, s, 0.99999, 2*want.Plain)
		text, s = openText(t, dir, ref.New(), kernels.Float32)
		checkTexts(t, want, text, s, 0.99999, 1e-6) // sums in order, without care
		text, s = openText(t, dir, cpu.New(cpu.Options{}), kernels.Int8)
		checkTexts(t, want, text, s, 0.998, 0.05)
	}
}

// miniLM gives the folder of the real sentence encoder, or skips the test with
// what is missing.
func miniLM(t testing.TB) string {
	t.Helper()
	store, err := models.NewStore()
	if err != nil {
		t.Skip(err)
	}
	dir, err := store.Find("all-minilm-l6-v2")
	if err != nil {
		t.Skip(err)
	}
	return dir
}

func TestMiniLMParity(t *testing.T) {
	dir, want := miniLM(t), readFixture(t, "minilm.json")
	text, s := openText(t, dir, cpu.New(cpu.Options{}), kernels.Float32)
	checkTexts(t, want, text, s, 0.99999, 2*max(want.Plain, plainError(t, dir, want)))
	text, s = openText(t, dir, cpu.New(cpu.Options{}), kernels.BFloat16)
	checkTexts(t, want, text, s, 0.999, 0.02)
}

// plainError is how far the plain implementation is from f64, on sentences that
// it does not take long for.
func plainError(t *testing.T, dir string, want fixture) float64 {
	t.Helper()
	_, s := openText(t, dir, ref.New(), kernels.Float32)
	most := 0.0
	for _, c := range want.Texts {
		if len(c.IDs) > 6 {
			continue
		}
		got, err := s.Encode(context.Background(), c.Text)
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, worst(got, c.Embedding))
	}
	t.Logf("the plain implementation is off by %.3g, transformers by %.3g", most, want.Plain)
	return most
}

// What a person would call alike is nearer than what is not.
func TestMiniLMUnderstands(t *testing.T) {
	_, s := openText(t, miniLM(t), cpu.New(cpu.Options{}), kernels.Stored)
	encode := func(sentence string) []float32 {
		got, err := s.Encode(context.Background(), sentence)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(got)
	}
	command := encode("Put the red block in the blue bowl.")
	near, far := embed.Cosine(command, encode("Place the red cube inside the blue dish.")), embed.Cosine(command, encode("What time is it?"))
	if near < 0.6 || far > 0.3 {
		t.Errorf("a paraphrase has cosine %.2f, another sentence %.2f", near, far)
	}
}

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

// A pair gives the similarities and the probabilities that the model defines.
func TestPair(t *testing.T) {
	for _, family := range []string{"clip", "siglip"} {
		want := readFixture(t, family, "parity.json")
		pair, err := embed.OpenPair(filepath.Join(fixtures, family), cpu.New(cpu.Options{}), embed.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var sentences []string
		for _, c := range want.Texts {
			sentences = append(sentences, c.Text)
		}
		s, err := pair.NewSession(context.Background(), sentences)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range want.Pictures {
			cosines, probabilities := similarities(&want, family, p.Embedding)
			got, err := s.Match(context.Background(), noise(p.Width, p.Height, p.Seed))
			if err != nil {
				t.Fatal(err)
			}
			for i, m := range got {
				if m.Text != sentences[i] || math.Abs(m.Cosine-cosines[i]) > 1e-5 || math.Abs(m.Probability-probabilities[i]) > 1e-4 {
					t.Errorf("%s: picture %d×%d with %q: %+v, want cosine %.5f and probability %.5f", family, p.Width, p.Height, sentences[i], m, cosines[i], probabilities[i])
				}
			}
		}
		picture := noise(30, 30, 1)
		if allocs := testing.AllocsPerRun(10, func() {
			if _, err := s.Match(context.Background(), picture); err != nil {
				t.Fatal(err)
			}
		}); allocs != 0 {
			t.Errorf("%s: %g allocations a picture", family, allocs)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := pair.Close(); err != nil {
			t.Error(err)
		}
	}
}

// similarities computes from the fixture what Match should give.
func similarities(f *fixture, family string, picture []float64) (cosines, probabilities []float64) {
	sum := 0.0
	for _, c := range f.Texts {
		cos := 0.0
		for i, x := range c.Embedding {
			cos += x * picture[i]
		}
		p := math.Exp(f.Scale*cos + f.Bias)
		sum += p
		if family == "siglip" {
			p /= 1 + p
		}
		cosines, probabilities = append(cosines, cos), append(probabilities, p)
	}
	if family == "clip" {
		for i := range probabilities {
			probabilities[i] /= sum
		}
	}
	return cosines, probabilities
}
