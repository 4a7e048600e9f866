package generate_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
)

// All logits of each family are those of transformers in f64: as directions, and
// each no further off than twice what transformers in f32 is. See
// fusion/testdata/make_transformers.py.
func TestTransformersParity(t *testing.T) {
	for _, family := range []string{"llama", "qwen2", "gemma3"} {
		data, err := os.ReadFile(tinyFolder(family, "transformers.json"))
		if err != nil {
			t.Fatal(err)
		}
		var want struct {
			Plain float64
			Cases []struct {
				IDs    []int32
				Logits []float64
			}
		}
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"model.gguf", "."} {
			o := generate.Options{Compile: kernels.Options{Precision: kernels.Float32}}
			model, err := generate.Open(tinyFolder(family, file), cpu.New(cpu.Options{Threads: 1}), o)
			if err != nil {
				t.Fatal(err)
			}
			s := newSession(t, model)
			for i, c := range want.Cases {
				logits, err := s.Logits(context.Background(), c.IDs)
				if err != nil {
					t.Fatal(err)
				}
				cosine, off := compare(logits, c.Logits)
				if cosine < 0.99999 || off > 2*want.Plain || len(logits) != len(c.Logits) {
					t.Errorf("%s %s: prompt %d: cosine %.7f, a logit is off by %.3g of %.3g", family, file, i, cosine, off, 2*want.Plain)
				}
			}
			if err := model.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// compare gives the cosine and the largest difference of two vectors.
func compare(a []float32, b []float64) (cosine, off float64) {
	var ab, aa, bb float64
	for i := range a {
		x := float64(a[i])
		ab, aa, bb = ab+x*b[i], aa+x*x, bb+b[i]*b[i]
		off = max(off, math.Abs(x-b[i]))
	}
	return ab / math.Sqrt(aa*bb), off
}

// Once it is warm, a session computes the next token without taking memory.
func TestNextTokenAllocatesNothing(t *testing.T) {
	for _, f := range []struct{ family, adapter string }{{"llama", ""}, {"llama", "prefix"}, {"gemma3", "bottleneck"}} {
		o := generate.Options{}
		if f.adapter != "" {
			o.Adapter = os.DirFS(tinyFolder(f.family, f.adapter))
		}
		model, err := generate.Open(tinyFolder(f.family, "model.gguf"), cpu.New(cpu.Options{Threads: 1}), o)
		if err != nil {
			t.Fatal(err)
		}
		s := newSession(t, model)
		run := func() {
			if _, err := s.Logits(context.Background(), prompt); err != nil {
				t.Fatal(err)
			}
		}
		run()
		if n := testing.AllocsPerRun(10, run); n != 0 {
			t.Errorf("%s %s: %g allocations a token", f.family, f.adapter, n)
		}
		if err := model.Close(); err != nil {
			t.Error(err)
		}
	}
}
