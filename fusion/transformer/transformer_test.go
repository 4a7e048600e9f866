package transformer_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/transformer"
	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/ref"
)

func tinyFile(t testing.TB, family, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "tiny", family, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// fromGGUF reads the tiny checkpoint of a family after its bytes were spoiled.
func fromGGUF(t testing.TB, family string, spoil func(data []byte)) (*transformer.Model, error) {
	t.Helper()
	data := tinyFile(t, family, "model.gguf")
	spoil(data)
	f, err := checkpoint.ParseGGUF(data)
	if err != nil {
		t.Fatal(err)
	}
	return transformer.FromGGUF(f)
}

// set overwrites the number at a metadata key with bits.
func set(t testing.TB, key string, bits uint32) func(data []byte) {
	return func(data []byte) {
		name := append(binary.LittleEndian.AppendUint64(nil, uint64(len(key))), key...)
		at := bytes.Index(data, name)
		if at < 0 {
			t.Fatalf("no key %s", key)
		}
		binary.LittleEndian.PutUint32(data[at+len(name)+4:], bits)
	}
}

// spoilTensor overwrites the first number of a tensor.
func spoilTensor(t testing.TB, name string, x float32) func(data []byte) {
	return func(data []byte) {
		f, err := checkpoint.ParseGGUF(data)
		if err != nil {
			t.Fatal(err)
		}
		tensor, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		binary.LittleEndian.PutUint32(tensor.Data, math.Float32bits(x))
	}
}

func rename(from, to string) func(data []byte) {
	return func(data []byte) { copy(data[bytes.Index(data, []byte(from)):], to) }
}

func TestGGUFErrors(t *testing.T) {
	nan := float32(math.NaN())
	for want, spoil := range map[string]func(data []byte){
		`general.architecture: "lxxma"`:    rename("llama", "lxxma"),
		"llama.block_count: missing":       rename("llama.block_count", "llama.block_xxxxx"),
		"llama.block_count: 99999":         set(t, "llama.block_count", 99999),
		"block count: 0":                   set(t, "llama.block_count", 0),
		"no tensor blk.2.attn_norm.weight": set(t, "llama.block_count", 3),
		"token_embd.weight has shape":      set(t, "llama.embedding_length", 32),
		"embedding length: 0":              set(t, "llama.embedding_length", 0),
		"blk.0.ffn_gate.weight has shape":  set(t, "llama.feed_forward_length", 25),
		"head count: 3 is not a multiple of the 2": func(d []byte) {
			set(t, "llama.attention.head_count", 3)(d)
			set(t, "llama.attention.head_count_kv", 2)(d)
		},
		"blk.0.attn_q.weight has shape": set(t, "llama.attention.head_count", 4),
		"rope.dimension_count: 8":       set(t, "llama.rope.dimension_count", 8),
		"rope.freq_base":                set(t, "llama.rope.freq_base", math.Float32bits(nan)),
		"rope base: -1":                 set(t, "llama.rope.freq_base", math.Float32bits(-1)),
		"norm epsilon: -1":              set(t, "llama.attention.layer_norm_rms_epsilon", math.Float32bits(-1)),
		"context length: 0":             set(t, "llama.context_length", 0),
		"tensor token_embd.weight: element 0 is NaN or infinite":     spoilTensor(t, "token_embd.weight", nan),
		"tensor blk.1.ffn_down.weight: element 0 is NaN or infinite": spoilTensor(t, "blk.1.ffn_down.weight", float32(math.Inf(1))),
	} {
		if _, err := fromGGUF(t, "llama", spoil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

func TestGemmaWindows(t *testing.T) {
	m, err := fromGGUF(t, "gemma3", func([]byte) {})
	if err != nil {
		t.Fatal(err)
	}
	c := &m.Config
	for i, local := range c.Local {
		if local != (i != 5) {
			t.Errorf("layer %d: local %v; only the sixth sees everything", i, local)
		}
	}
	if c.NormOffset != 0 || c.Window != 6 || c.LocalRoPE.Base != 10000 || c.RoPE.Base != 1e6 || c.EmbedScale != 4 {
		t.Errorf("configuration %+v", c)
	}
	if m.Weights.Head != m.Weights.Embed {
		t.Error("the head is not the tied embedding")
	}
	if _, err := fromGGUF(t, "gemma3", set(t, "gemma3.attention.sliding_window", 0)); err == nil || !strings.Contains(err.Error(), "sliding window: 0") {
		t.Errorf("no window: %v", err)
	}
}

func fromHuggingFace(t testing.TB, family string, config []byte) (*transformer.Model, error) {
	t.Helper()
	f, err := checkpoint.ParseSafetensors(tinyFile(t, family, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return transformer.FromHuggingFace(f, config)
}

func TestHuggingFaceErrors(t *testing.T) {
	for _, c := range []struct{ family, from, to, want string }{
		{"llama", "{", "", "config.json"},
		{"llama", `"llama"`, `"mamba"`, `model_type: "mamba"`},
		{"llama", `"num_hidden_layers":2`, `"num_hidden_layers":-1`, "num_hidden_layers: -1"},
		{"llama", `"num_hidden_layers":2`, `"num_hidden_layers":3`, "no tensor model.layers.2.input_layernorm.weight"},
		{"llama", `"hidden_size":16`, `"hidden_size":"16"`, "hidden_size"},
		{"llama", `"vocab_size"`, `"vocab"`, "vocabulary size: 0"},
		{"llama", `"head_dim":16`, `"head_dim":15`, "head dimension: 15 is odd"},
		{"llama", `"silu"`, `"relu6"`, `hidden activation: "relu6"`},
		{"llama", `"rope_theta":10000.0`, `"rope_theta":0`, "rope base: 0"},
		{"llama", `"silu"`, `"silu","rope_scaling":{"type":"yarn"}`, `rope_type "yarn"`},
		{"llama", `"silu"`, `"silu","rope_scaling":{"type":"linear"}`, "rope scale: +Inf"},
		{"llama", `"silu"`, `"silu","rope_scaling":[]`, "rope_parameters"},
		{"gemma3", `["sliding_attention",`, `[`, "layer_types: 5 for 6 layers"},
		{"gemma3", `"full_attention"]`, `"linear_attention"]`, `layer_types: layer 5 is "linear_attention"`},
		{"gemma3", `"sliding_window":6`, `"sliding_window":0`, "sliding window: 0"},
		{"qwen2", `"model_type":"qwen2"`, `"model_type":"llama"`, ""}, // the same, its biases are found in the file
		{"llama", `"model_type":"llama"`, `"model_type":"qwen2"`, "no tensor model.layers.0.self_attn.q_proj.bias"},
	} {
		config := strings.Replace(string(tinyFile(t, c.family, "config.json")), c.from, c.to, 1)
		_, err := fromHuggingFace(t, c.family, []byte(config))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s with %s: error %v, want one that says %q", c.family, c.to, err, c.want)
		}
	}
}

// A linear scale and options that the fixtures do not have.
func TestHuggingFaceOptions(t *testing.T) {
	config := strings.Replace(string(tinyFile(t, "gemma3", "config.json")), `"sliding_window":6`,
		`"sliding_window":6,"final_logit_softcapping":30,"attn_logit_softcapping":50`, 1)
	config = strings.Replace(config, `"rope_type":"default","rope_theta":1000000.0`, `"rope_type":"linear","factor":8,"rope_theta":1000000.0`, 1)
	m, err := fromHuggingFace(t, "gemma3", []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	c := &m.Config
	if c.LogitCap != 30 || c.AttentionCap != 50 || c.RoPE.Scale != 0.125 || c.LocalRoPE.Scale != 0 || c.NormOffset != 1 {
		t.Errorf("configuration %+v", c)
	}
	if c.Activation != kernels.GELUTanh || math.Abs(float64(c.QueryScale)-0.25) > 1e-6 {
		t.Errorf("activation %v, query scale %g", c.Activation, c.QueryScale)
	}
}

// logits runs a model on the plain backend.
func logits(t *testing.T, m *transformer.Model, ids ...int32) []float32 {
	t.Helper()
	g := kernels.NewGraph("test")
	tokens, past := g.Scalar("tokens", 8), g.Scalar("past", 8)
	in, positions := g.Input("ids", kernels.I32, tokens.Dim()), g.Input("positions", kernels.I32, tokens.Dim())
	cache := transformer.Cache{Rows: 8, Type: kernels.F32, Past: past, Positions: positions}
	out := m.Head(g, m.Blocks(g, m.Embed(g, in), cache))
	g.Output("logits", out)
	program, err := kernels.Compile(g, ref.New(), kernels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := program.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	s.Set(tokens, len(ids))
	copy(s.I32(in), ids)
	for i := range ids {
		s.I32(positions)[i] = int32(i)
	}
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s.F32(out)
}

func TestCaps(t *testing.T) {
	m, err := fromGGUF(t, "gemma3", func([]byte) {})
	if err != nil {
		t.Fatal(err)
	}
	plain := logits(t, m, 5, 6, 7)
	const limit = 3
	m.Config.LogitCap = limit
	capped := logits(t, m, 5, 6, 7)
	for i, x := range plain {
		if want := limit * math.Tanh(float64(x)/limit); math.Abs(float64(capped[i])-want) > 1e-4 {
			t.Fatalf("logit %d is %g, capped %g, want %g", i, x, capped[i], want)
		}
	}
	m.Config.LogitCap, m.Config.AttentionCap = 0, 1e-3
	// So low a cap makes attention even: where there is one key, nothing changes.
	first, even := logits(t, m, 5), logits(t, m, 5, 6, 7)
	for i := range first {
		if math.Abs(float64(first[i]-plain[i])) > 1e-4 {
			t.Fatalf("a cap on scores changed what follows one token")
		}
	}
	if slices.Equal(even, plain) {
		t.Error("a cap on scores changed nothing")
	}
}

func FuzzConfigJSON(f *testing.F) {
	for _, family := range []string{"llama", "qwen2", "gemma3"} {
		f.Add(tinyFile(f, family, "config.json"))
	}
	f.Add([]byte(`{"model_type":"llama","num_hidden_layers":1}`))
	file, err := checkpoint.ParseSafetensors(tinyFile(f, "llama", "model.safetensors"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, config []byte) {
		m, err := transformer.FromHuggingFace(file, config)
		if err != nil {
			return
		}
		checkBuilds(t, m)
	})
}

// FuzzGGUFNumbers overwrites one number of the metadata with any bits.
func FuzzGGUFNumbers(f *testing.F) {
	keys := []string{
		"block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count", "attention.head_count_kv",
		"attention.key_length", "attention.layer_norm_rms_epsilon", "rope.freq_base", "rope.dimension_count", "attention.sliding_window",
	}
	for i, bits := range []uint32{0xFFFFFF54, 1, 2, 0xFFFFFFFF, 0x7F800000, 1 << 20, 16, 8, 64, 0x80000000, 3} {
		f.Add(uint8(i), bits)
	}
	f.Fuzz(func(t *testing.T, which uint8, bits uint32) {
		m, err := fromGGUF(t, "gemma3", set(t, "gemma3."+keys[int(which)%len(keys)], bits))
		if err == nil {
			checkBuilds(t, m)
		}
	})
}

// checkBuilds makes sure that no shape of an accepted model disagrees.
func checkBuilds(t *testing.T, m *transformer.Model) {
	t.Helper()
	g := kernels.NewGraph("fuzz")
	tokens, past := g.Scalar("tokens", 4), g.Scalar("past", 8)
	ids, positions := g.Input("ids", kernels.I32, tokens.Dim()), g.Input("positions", kernels.I32, tokens.Dim())
	cache := transformer.Cache{Rows: 8, Type: kernels.F32, Past: past, Positions: positions}
	g.Output("logits", m.Head(g, m.Blocks(g, m.Embed(g, ids), cache)))
	if g.Err() != nil {
		t.Errorf("%+v: %v", m.Config, g.Err())
	}
}
