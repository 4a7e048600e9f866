package generate_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// With an adapter the logits are those of peft, from both layouts of the base
// model (whose queries and keys are in different orders) and on both backends.
func TestAdapterParity(t *testing.T) {
	folder := filepath.Join("..", "testdata", "tiny", "llama")
	cases := parityCases(t, filepath.Join("tiny", "llama", "adapter", "parity.json"))
	for name, backend := range map[string]kernels.Backend{"ref": ref.New(), "cpu": cpu.New(cpu.Options{Threads: 1})} {
		for _, file := range []string{"model.gguf", "."} {
			model, err := generate.Open(filepath.Join(folder, file), backend, generate.Options{
				Adapter: os.DirFS(filepath.Join(folder, "adapter")), Compile: kernels.Options{Precision: kernels.Float32},
			})
			if err != nil {
				t.Fatal(err)
			}
			s := newSession(t, model)
			for _, c := range cases {
				if d := worst(t, s, c, c.Exact); d > 1e-3 {
					t.Errorf("%s on %s: after %q a logit is off by %g", file, name, c.Text, d)
				}
			}
			if err := model.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// Without the adapter the same cases must be off, or the test above shows nothing.
func TestAdapterChangesLogits(t *testing.T) {
	folder := filepath.Join("..", "testdata", "tiny", "llama")
	model, err := generate.Open(filepath.Join(folder, "model.gguf"), ref.New(), generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	s := newSession(t, model)
	c := parityCases(t, filepath.Join("tiny", "llama", "adapter", "parity.json"))[0]
	if d := worst(t, s, c, c.Exact); d < 0.1 {
		t.Errorf("without the adapter a logit is off by %g only", d)
	}
}
