package transformer

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// FromGGUF reads the decoder of a GGUF file. Errors name the file and the
// metadata key or tensor.
func FromGGUF(f *checkpoint.File) (*Model, error) {
	family, err := f.Meta.String("general.architecture")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	m := &metadata{Metadata: f.Meta, prefix: family + "."}
	c := m.common()
	c.Family = family
	switch family {
	case "llama":
		c.Interleaved = true
	case "qwen2":
		c.Bias = true
	case "gemma3":
		m.gemma3(&c)
	default:
		return nil, fmt.Errorf("%s: metadata general.architecture: %q, kuai reads llama, qwen2 and gemma3", f.Path, family)
	}
	if m.err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, m.err)
	}
	embed, err := f.Tensor(ggufNames.embed)
	if err != nil {
		return nil, err
	}
	c.Vocab = embed.Shape[0]
	return load(f, c, ggufNames)
}

// metadata reads keys of one architecture and keeps the first error.
type metadata struct {
	checkpoint.Metadata
	prefix string
	err    error
}

func (m *metadata) int(key string, absent ...int) int {
	key = m.prefix + key
	if m.err != nil || len(absent) > 0 && !m.Has(key) {
		return append(absent, 0)[0]
	}
	n, err := m.Int(key)
	if err == nil && (n < 0 || n > math.MaxInt32) {
		err = fmt.Errorf("metadata %s: %d", key, n)
	}
	if err != nil {
		m.err = err
		return 0 // nothing is sized by what is wrong
	}
	return int(n)
}

func (m *metadata) float(key string, absent ...float32) float32 {
	key = m.prefix + key
	if m.err != nil || len(absent) > 0 && !m.Has(key) {
		return append(absent, 0)[0]
	}
	x, err := m.Float(key)
	m.err = err // x is 0 then
	return float32(x)
}

// common reads what all architectures have.
func (m *metadata) common() Config {
	c := Config{
		Context: m.int("context_length"),
		Width:   m.int("embedding_length"),
		Hidden:  m.int("feed_forward_length"),
		Heads:   m.int("attention.head_count"),
		Epsilon: m.float("attention.layer_norm_rms_epsilon"),
		RoPE:    RoPE{Base: m.float("rope.freq_base", 10000)},

		Activation: kernels.SiLU,
	}
	c.KVHeads = m.int("attention.head_count_kv", c.Heads)
	c.HeadDim = m.int("attention.key_length", c.Width/max(1, c.Heads))
	layers := m.int("block_count")
	if m.err == nil && layers > maxLayers {
		m.err = fmt.Errorf("metadata %sblock_count: %d, want 1 to %d", m.prefix, layers, maxLayers)
		return c
	}
	c.Local = make([]bool, layers)
	m.ropeScaling(&c)
	if turned := m.int("rope.dimension_count", c.HeadDim); m.err == nil && turned != c.HeadDim {
		m.err = fmt.Errorf("metadata %srope.dimension_count: %d, kuai turns whole heads of %d", m.prefix, turned, c.HeadDim)
	}
	return c
}

func (m *metadata) ropeScaling(c *Config) {
	key := m.prefix + "rope.scaling.type"
	if m.err != nil || !m.Has(key) {
		return
	}
	kind, err := m.String(key)
	switch {
	case err != nil:
		m.err = err
	case kind == "linear":
		c.RoPE.Scale = 1 / m.float("rope.scaling.factor")
	case kind != "none":
		m.err = fmt.Errorf("metadata %s: %q, kuai reads none and linear", key, kind)
	}
}

// gemma3 sets the options of Gemma 3 as llama.cpp reads its files: the
// converter has added the offset of the norms already, and what no key says is
// a constant of the architecture.
func (m *metadata) gemma3(c *Config) {
	c.Activation, c.QKNorm, c.PostNorms = kernels.GELUTanh, true, true
	c.EmbedScale = float32(math.Sqrt(float64(c.Width)))
	c.Window = m.int("attention.sliding_window")
	c.Local = everyNthGlobal(len(c.Local), m.int("attention.sliding_window_pattern", gemma3Pattern))
	c.LocalRoPE = RoPE{Base: m.float("rope.freq_base_swa", gemma3LocalBase)}
	c.LogitCap = m.float("final_logit_softcapping", 0)
	c.AttentionCap = m.float("attn_logit_softcapping", 0)
	if len(c.Local) == gemma3Layers27B && c.Heads > 0 {
		c.QueryScale = float32(1 / math.Sqrt(float64(c.Width/c.Heads)))
	}
}

// Constants of Gemma 3 that its GGUF files do not state.
const (
	gemma3Pattern   = 6 // every sixth layer sees everything
	gemma3LocalBase = 10000
	gemma3Layers27B = 62 // only the largest scales queries by Width/Heads
)
