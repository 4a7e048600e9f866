package transformer

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// hfConfig is what config.json of transformers says about a decoder. Version 5
// moved the RoPE fields into rope_parameters; both forms are read.
type hfConfig struct {
	ModelType   string `json:"model_type"`
	Vocab       int    `json:"vocab_size"`
	Context     int    `json:"max_position_embeddings"`
	Width       int    `json:"hidden_size"`
	Hidden      int    `json:"intermediate_size"`
	Layers      int    `json:"num_hidden_layers"`
	Heads       int    `json:"num_attention_heads"`
	KVHeads     int    `json:"num_key_value_heads"`
	HeadDim     int    `json:"head_dim"`
	Activation  string `json:"hidden_act"`
	Activation2 string `json:"hidden_activation"` // Gemma's name for it

	Epsilon     float32  `json:"rms_norm_eps"`
	QueryScalar float64  `json:"query_pre_attn_scalar"`
	Window      int      `json:"sliding_window"`
	UseWindow   *bool    `json:"use_sliding_window"`
	Pattern     int      `json:"sliding_window_pattern"`
	LayerTypes  []string `json:"layer_types"`

	AttentionCap  float32 `json:"attn_logit_softcapping"`
	LogitCap      float32 `json:"final_logit_softcapping"`
	AttentionBias bool    `json:"attention_bias"`

	Theta      float32         `json:"rope_theta"`
	LocalTheta float32         `json:"rope_local_base_freq"`
	Scaling    json.RawMessage `json:"rope_scaling"`
	Parameters json.RawMessage `json:"rope_parameters"`
}

// hfRoPE is one entry of rope_parameters or rope_scaling.
type hfRoPE struct {
	Theta  float32 `json:"rope_theta"`
	Type   string  `json:"rope_type"`
	Old    string  `json:"type"` // rope_scaling's older name of rope_type
	Factor float32 `json:"factor"`
}

// FromHuggingFace reads the decoder of a folder in the layout of the Hugging
// Face libraries: config is the text of its config.json, f its safetensors.
func FromHuggingFace(f *checkpoint.File, config []byte) (*Model, error) {
	var h hfConfig
	if err := json.Unmarshal(config, &h); err != nil {
		return nil, fmt.Errorf("%s: config.json: %w", f.Path, err)
	}
	c, err := h.config()
	if err != nil {
		return nil, fmt.Errorf("%s: config.json: %w", f.Path, err)
	}
	return load(f, c, huggingFaceNames)
}

func (h *hfConfig) config() (Config, error) {
	c := Config{
		Vocab: h.Vocab, Context: h.Context, Width: h.Width, Hidden: h.Hidden,
		Heads: h.Heads, KVHeads: h.KVHeads, HeadDim: h.HeadDim, Epsilon: h.Epsilon, Bias: h.AttentionBias,
	}
	if c.KVHeads == 0 {
		c.KVHeads = c.Heads
	}
	if c.HeadDim == 0 && c.Heads > 0 {
		c.HeadDim = c.Width / c.Heads
	}
	if h.Layers < 1 || h.Layers > maxLayers {
		return c, fmt.Errorf("num_hidden_layers: %d, want 1 to %d", h.Layers, maxLayers)
	}
	c.Local = make([]bool, h.Layers)
	activation := h.Activation
	switch h.ModelType {
	case "llama":
		c.Family = "llama"
	case "qwen2":
		c.Family, c.Bias = "qwen2", true
	case "gemma3_text":
		c.Family = "gemma3"
		activation = h.Activation2
		h.gemma3(&c)
	default:
		return c, fmt.Errorf("model_type: %q, kuai reads llama, qwen2 and gemma3_text", h.ModelType)
	}
	var err error
	if c.Activation, err = hfActivation(activation); err != nil {
		return c, err
	}
	if err := h.local(&c); err != nil {
		return c, err
	}
	return c, h.rope(&c)
}

// gemma3 sets the options that its code has as constants.
func (h *hfConfig) gemma3(c *Config) {
	c.NormOffset, c.QKNorm, c.PostNorms = 1, true, true
	c.EmbedScale = float32(math.Sqrt(float64(c.Width)))
	c.AttentionCap, c.LogitCap = h.AttentionCap, h.LogitCap
	if h.QueryScalar > 0 {
		c.QueryScale = float32(1 / math.Sqrt(h.QueryScalar))
	}
	if h.LayerTypes == nil {
		c.Local = everyNthGlobal(h.Layers, max(h.Pattern, 0))
	}
}

func hfActivation(name string) (kernels.Activation, error) {
	switch name {
	case "silu", "swish":
		return kernels.SiLU, nil
	case "gelu":
		return kernels.GELU, nil
	case "gelu_pytorch_tanh", "gelu_new":
		return kernels.GELUTanh, nil
	}
	return 0, fmt.Errorf("hidden activation: %q, kuai knows silu, gelu and gelu_pytorch_tanh", name)
}

// local reads which layers have a window.
func (h *hfConfig) local(c *Config) error {
	c.Window = h.Window
	if h.LayerTypes == nil || h.UseWindow != nil && !*h.UseWindow {
		return nil
	}
	if len(h.LayerTypes) != h.Layers {
		return fmt.Errorf("layer_types: %d for %d layers", len(h.LayerTypes), h.Layers)
	}
	for i, kind := range h.LayerTypes {
		switch kind {
		case "sliding_attention":
			c.Local[i] = true
		case "full_attention":
			c.Local[i] = false
		default:
			return fmt.Errorf("layer_types: layer %d is %q, want full_attention or sliding_attention", i, kind)
		}
	}
	return nil
}

// rope reads the bases and scales, in the form of version 5 or the one before.
func (h *hfConfig) rope(c *Config) error {
	c.RoPE.Base, c.LocalRoPE.Base = h.Theta, h.LocalTheta
	kinds := struct {
		Full  json.RawMessage `json:"full_attention"`
		Local json.RawMessage `json:"sliding_attention"`
	}{}
	for _, text := range []json.RawMessage{h.Scaling, h.Parameters} {
		if len(text) == 0 || string(text) == "null" {
			continue
		}
		if err := json.Unmarshal(text, &kinds); err != nil {
			return fmt.Errorf("rope_parameters: %w", err)
		}
		if kinds.Full != nil {
			if err := readRoPE(kinds.Local, &c.LocalRoPE); err != nil {
				return err
			}
			text = kinds.Full
		}
		if err := readRoPE(text, &c.RoPE); err != nil {
			return err
		}
	}
	if c.LocalRoPE.Base == 0 {
		c.LocalRoPE = c.RoPE
	}
	return nil
}

func readRoPE(text json.RawMessage, to *RoPE) error {
	if len(text) == 0 {
		return nil
	}
	var r hfRoPE
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("rope_parameters: %w", err)
	}
	if r.Theta != 0 {
		to.Base = r.Theta
	}
	if r.Type == "" {
		r.Type = r.Old
	}
	switch r.Type {
	case "", "default":
	case "linear":
		to.Scale = 1 / r.Factor
	default:
		return fmt.Errorf("rope_parameters: rope_type %q, kuai knows default and linear", r.Type)
	}
	return nil
}
