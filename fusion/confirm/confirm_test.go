package confirm

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/internal/checkpoint"
)

// fakeModel hears the same in every clip.
type fakeModel struct {
	rows    []float32
	err     error
	spotted speech.Spotted
}

func (f *fakeModel) Listen(context.Context, []float32) ([]float32, error) { return f.rows, f.err }

func (f *fakeModel) Phrases([]string) *speech.Phrases { return nil }

func (f *fakeModel) Spot(_ context.Context, _ []float32, _ string, _ *speech.Phrases) (speech.Spotted, error) {
	return f.spotted, f.err
}

func waves() []float32 {
	x := make([]float32, rows*bucket*width)
	for i := range x {
		x[i] = float32(math.Sin(float64(i%width)*0.7 + float64(i/width)*0.13))
	}
	return x
}

// The head is what the layers say, computed here in another way, in f64.
func TestHead(t *testing.T) {
	c, err := New(&fakeModel{rows: waves()})
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
		model   fakeModel
		samples int
	}{
		"22399 samples": {fakeModel{rows: waves()}, Heard - 1},
		"whisper-base":  {fakeModel{rows: make([]float32, 70*384)}, Heard},
		"broken":        {fakeModel{err: broken}, Heard},
	} {
		c, err := New(&try.model)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Nats(context.Background(), make([]float32, try.samples), 0.5); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

func TestTheFirstAnswerAllocatesNothing(t *testing.T) {
	c, err := New(&fakeModel{rows: waves()})
	if err != nil {
		t.Fatal(err)
	}
	q := &Question{Score: 0.5}
	if n := testing.AllocsPerRun(10, func() {
		if _, _, err := c.Judge(context.Background(), q); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

// deaf gives a confirmer whose head always thinks the same.
func deaf(t *testing.T, m *fakeModel, nats float32) *Confirmer {
	t.Helper()
	m.rows = waves()
	c, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	clear(c.out.w)
	c.out.b[0] = nats
	return c
}

// The first answer is sure where it is sure, and asks for more where it is not.
func TestTheFirstAnswer(t *testing.T) {
	for nats, want := range map[float32]Verdict{surely + 0.1: Stop, surely - 0.1: Hold, 0: Hold, least + 0.1: Hold, least - 0.1: Nothing} {
		v, got, err := deaf(t, &fakeModel{}, nats).Judge(t.Context(), &Question{Score: 0.5})
		if err != nil || v != want || math.Abs(got-float64(nats)) > 1e-5 {
			t.Errorf("%g nats: %d (%g nats), %v; want %d", nats, v, got, err, want)
		}
	}
}

// The last answer is none where Whisper is sure of a sentence without a stop word, and
// else what the first one leant to.
func TestTheLastAnswer(t *testing.T) {
	sentence := speech.Spotted{Result: speech.Result{Confidence: 0.8, Tokens: make([]speech.Token, 7)}, LogP: -8}
	unsure, short, holdsOne := sentence, sentence, sentence
	unsure.Confidence, short.Tokens, holdsOne.LogP = 0.3, short.Tokens[:3], -1
	for name, c := range map[string]struct {
		spotted speech.Spotted
		want    Verdict
	}{
		"a sentence":                 {sentence, Nothing},
		"a sentence that holds one":  {holdsOne, Stop},
		"a sentence that is unclear": {unsure, Stop},
		"a word or two":              {short, Stop},
	} {
		v, nats, err := deaf(t, &fakeModel{spotted: c.spotted}, 1).Judge(t.Context(), &Question{Score: 0.5, Last: true, First: 0.7})
		if err != nil || v != c.want || nats != 0.7 {
			t.Errorf("%s: %d (%g nats), %v; want %d", name, v, nats, err, c.want)
		}
	}
	broken := errors.New("broken")
	m := &fakeModel{}
	c := deaf(t, m, 3)
	m.err = broken
	for _, last := range []bool{false, true} {
		if _, _, err := c.Judge(t.Context(), &Question{Score: 0.5, Last: last}); !errors.Is(err, broken) {
			t.Errorf("last %v: error %v", last, err)
		}
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
		c, err := load(data, &fakeModel{rows: waves()})
		if err != nil {
			return
		}
		if nats, err := c.Nats(context.Background(), make([]float32, Heard), 0.5); err != nil || math.IsNaN(nats) {
			t.Errorf("%g nats, error %v", nats, err)
		}
	})
}
