package transformer_test

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/kuai-robot/kuai/fusion/transformer"
	"github.com/kuai-robot/kuai/internal/checkpoint"
)

// tinyLlama opens the decoder that fusion/testdata/make_adapter.py adapts.
func tinyLlama(t testing.TB, family string) *transformer.Model {
	t.Helper()
	f, err := checkpoint.Open(filepath.Join("..", "testdata", "tiny", family, "model.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	m, err := transformer.FromGGUF(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// adapterFiles are those of peft, which a test may damage.
func adapterFiles(t testing.TB) fstest.MapFS { return filesOf(t, "adapter") }

// filesOf are those of an adapter of the tiny llama, of any kind.
func filesOf(t testing.TB, kind string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range []string{"adapter_config.json", "adapter_model.safetensors"} {
		data, err := os.ReadFile(filepath.Join("..", "testdata", "tiny", "llama", kind, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	return files
}

// edited replaces text in a file of the LoRA adapter.
func edited(t testing.TB, name, old, by string) fs.FS {
	t.Helper()
	return changed(t, "adapter", name, old, by)
}

// changed replaces text in a file of an adapter.
func changed(t testing.TB, kind, name, old, by string) fs.FS {
	t.Helper()
	files := filesOf(t, kind)
	was := string(files[name].Data)
	if !strings.Contains(was, old) {
		t.Fatalf("%s has no %s", name, old)
	}
	files[name].Data = []byte(strings.ReplaceAll(was, old, by))
	return files
}

func TestAdaptFillsEveryMatrix(t *testing.T) {
	m := tinyLlama(t, "llama")
	if err := m.Adapt(adapterFiles(t)); err != nil {
		t.Fatal(err)
	}
	for i := range m.Weights.Layers {
		a := &m.Weights.Layers[i].Adapters
		for j, l := range []*transformer.LowRank{a.Q, a.K, a.V, a.Output, a.Gate, a.Up, a.Down} {
			if l == nil || l.A == nil || l.B == nil {
				t.Errorf("layer %d: matrix %d has no adapter", i, j)
			}
		}
	}
}

func TestAdaptRefuses(t *testing.T) {
	const config, weights = "adapter_config.json", "adapter_model.safetensors"
	for name, c := range map[string]struct {
		family string
		folder fs.FS
		want   string
		other  bool
	}{
		"another family":         {"qwen2", adapterFiles(t), "shape", true},
		"another fingerprint":    {"llama", edited(t, config, `"r": 4`, `"kuai_base": "00ff", "r": 4`), "trained on 00ff", true},
		"another rank":           {"llama", edited(t, config, `"r": 4`, `"r": 5`), "this one needs [5", true},
		"more layers":            {"llama", edited(t, weights, "layers.1.", "layers.7."), "the model has 2 layers", true},
		"no rank":                {"llama", edited(t, config, `"r": 4`, `"r": 0`), "r: 0", false},
		"endless scale":          {"llama", edited(t, config, `"lora_alpha": 6`, `"lora_alpha": 1e300`), "lora_alpha", false},
		"an unknown kind":        {"llama", edited(t, config, `"LORA"`, `"IA3"`), `peft_type: "IA3"`, false},
		"LoRA as a prefix":       {"llama", edited(t, config, `"LORA"`, `"PREFIX_TUNING"`), "num_virtual_tokens: 0", false},
		"LoRA as a bottleneck":   {"llama", edited(t, config, `"LORA"`, `"BOTTLENECK"`), "bottleneck_size: 0", false},
		"DoRA":                   {"llama", edited(t, config, `"use_dora": false`, `"use_dora": true`), "use_dora", false},
		"trained biases":         {"llama", edited(t, config, `"bias": "none"`, `"bias": "all"`), "bias", false},
		"no JSON":                {"llama", edited(t, config, `{`, `<`), config, false},
		"an unknown matrix":      {"llama", edited(t, weights, "mlp.up_proj", "mlp.xx_proj"), "xx_proj", false},
		"the head":               {"llama", edited(t, weights, "base_model.model.model.layers", "base_model.model.model.headers"), "headers", false},
		"cut off":                {"llama", fstest.MapFS{config: adapterFiles(t)[config], weights: {Data: adapterFiles(t)[weights].Data[:900]}}, weights, false},
		"no weights":             {"llama", fstest.MapFS{config: adapterFiles(t)[config]}, weights, false},
		"an empty folder":        {"llama", fstest.MapFS{}, "save_pretrained", false},
		"half of a pair missing": {"llama", edited(t, weights, "layers.1.mlp.up_proj.lora_B", "layers.0.mlp.up_proj.lora_B"), "", false},
	} {
		m := tinyLlama(t, c.family)
		err := m.Adapt(c.folder)
		switch {
		case err == nil:
			t.Errorf("%s: no error", name)
		case !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: error %q, want it to say %q", name, err, c.want)
		case errors.Is(err, transformer.ErrOtherBase) != c.other:
			t.Errorf("%s: error %q, is ErrOtherBase: %v, want %v", name, err, !c.other, c.other)
		}
		if m.Weights.Layers[0].Adapters != (transformer.Adapters{}) || m.Prefix != nil || m.Weights.Layers[0].Bottlenecks != (transformer.Bottlenecks{}) {
			t.Errorf("%s: the model was changed", name)
		}
	}
}

func TestAdaptRefusesOtherKinds(t *testing.T) {
	const config, weights, prefix, bottleneck = "adapter_config.json", "adapter_model.safetensors", "prefix", "bottleneck"
	for _, c := range []struct {
		family string
		folder fs.FS
		want   string
		other  bool
	}{
		{"qwen2", filesOf(t, prefix), "token_dim: 16, and the model's keys have 8", true},
		{"gemma3", filesOf(t, prefix), "num_layers: 2, and the model has 6", true},
		{"llama", changed(t, prefix, config, `"num_attention_heads": 1`, `"num_attention_heads": 2`), "num_attention_heads: 2", true},
		{"llama", changed(t, prefix, config, `"num_virtual_tokens": 5`, `"num_virtual_tokens": 6`), "prompt_embeddings has shape [5 64], this one needs [6 64]", true},
		{"llama", changed(t, prefix, config, `"num_virtual_tokens": 5`, `"num_virtual_tokens": 128`), "num_virtual_tokens: 128, want 1 to 127", false},
		{"llama", changed(t, prefix, config, `submodules": 1`, `submodules": 2`), "num_transformer_submodules: 2", false},
		{"llama", changed(t, prefix, weights, "prompt_embeddings", "prompt_embeddinga"), "tensor prompt_embeddinga: a prefix has prompt_embeddings alone", false},
		{"llama", changed(t, prefix, weights, `"F32"`, `"I32"`), "I32", false},
		{"llama", spoiled(t, prefix), "element 0 is NaN", false},
		{"gemma3", filesOf(t, bottleneck), "no tensor layers.2", false},
		{"llama", changed(t, bottleneck, config, `"bottleneck_size": 6`, `"bottleneck_size": 7`), "has shape [6 16], this one needs [7 16]", true},
		{"llama", changed(t, bottleneck, config, `"gelu"`, `"glu"`), `non_linearity: "glu"`, false},
		{"llama", changed(t, bottleneck, config, `"scale": 0.7`, `"scale": 0`), "scale: 0", false},
		{"llama", changed(t, bottleneck, config, `true`, `"all"`), "bias: all", false},
		{"llama", changed(t, bottleneck, config, `true`, `false`), "want weight and bias", false},
		{"llama", changed(t, bottleneck, config, `"mlp"`, `"head"`), `targets: "head"`, false},
		{"llama", changed(t, bottleneck, config, `"mlp"`, `"attention"`), ".mlp.", false},
		{"llama", changed(t, bottleneck, weights, "layers.1.", "layers.9."), "the model has 2 layers", true},
		{"llama", changed(t, bottleneck, weights, "layers.1.mlp.up", "layers.1.mlp.xx"), "xx", false},
		{"llama", spoiled(t, bottleneck), "element 0 is NaN", false},
	} {
		err := tinyLlama(t, c.family).Adapt(c.folder)
		switch {
		case err == nil || !strings.Contains(err.Error(), c.want):
			t.Errorf("error %v, want one that says %q", err, c.want)
		case errors.Is(err, transformer.ErrOtherBase) != c.other:
			t.Errorf("error %q, is ErrOtherBase: %v, want %v", err, !c.other, c.other)
		}
	}
}

// spoiled has NaN for the first number of the last tensor's data.
func spoiled(t testing.TB, kind string) fs.FS {
	t.Helper()
	files := filesOf(t, kind)
	data := files["adapter_model.safetensors"].Data
	header := binary.LittleEndian.Uint64(data)
	binary.LittleEndian.PutUint32(data[8+header:], math.Float32bits(float32(math.NaN())))
	return files
}

// Whatever the two files hold, Adapt returns.
func FuzzAdapt(f *testing.F) {
	files := adapterFiles(f)
	config, weights := files["adapter_config.json"].Data, files["adapter_model.safetensors"].Data
	f.Add(config, weights)
	f.Add(config, weights[:len(weights)/2])
	f.Add([]byte(`{"peft_type":"LORA","r":4,"lora_alpha":8}`), weights)
	f.Add([]byte(`{}`), []byte{})
	for _, kind := range []string{"prefix", "bottleneck"} {
		files := filesOf(f, kind)
		f.Add(files["adapter_config.json"].Data, files["adapter_model.safetensors"].Data)
	}
	m := tinyLlama(f, "llama")
	f.Fuzz(func(_ *testing.T, config, weights []byte) {
		m.Adapt(fstest.MapFS{"adapter_config.json": {Data: config}, "adapter_model.safetensors": {Data: weights}})
	})
}
