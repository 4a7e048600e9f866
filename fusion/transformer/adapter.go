package transformer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"

	"github.com/kuai-robot/kuai/internal/checkpoint"
)

// The files of an adapter in the layout of peft.
const (
	adapterConfigFile = "adapter_config.json"
	adapterWeights    = "adapter_model.safetensors"
)

// ErrOtherBase says that an adapter was made for another model than the one it
// is put on.
var ErrOtherBase = errors.New("the adapter is for another base model")

// Kinds of adapters, as adapter_config.json calls them.
const (
	kindLoRA       = "LORA"
	kindPrefix     = "PREFIX_TUNING"
	kindBottleneck = "BOTTLENECK"
)

// adapterConfig is what matters of adapter_config.json.
type adapterConfig struct {
	Kind string `json:"peft_type"`
	// Base is the Fingerprint of the base model, where whoever trained it said so.
	Base string `json:"kuai_base"`

	// LoRA.
	Rank    int     `json:"r"`
	Alpha   float64 `json:"lora_alpha"`
	Bias    any     `json:"bias"` // "none"; of a bottleneck: true or false
	RSLoRA  bool    `json:"use_rslora"`
	DoRA    bool    `json:"use_dora"`
	FanIn   bool    `json:"fan_in_fan_out"`
	Ranks   any     `json:"rank_pattern"`
	Alphas  any     `json:"alpha_pattern"`
	Modules any     `json:"modules_to_save"`

	// Prefix tuning.
	Tokens     int `json:"num_virtual_tokens"`
	TokenDim   int `json:"token_dim"`
	Layers     int `json:"num_layers"`
	Heads      int `json:"num_attention_heads"`
	Submodules int `json:"num_transformer_submodules"`

	// Bottleneck.
	Size       int      `json:"bottleneck_size"`
	Activation string   `json:"non_linearity"`
	Scale      *float64 `json:"scale"`
	Targets    []string `json:"targets"`
}

// adaptation is what an adapter puts beside a model's weights.
type adaptation struct {
	low         []Adapters // by layer, or none
	bottlenecks []Bottlenecks
	prefix      *Prefix
}

// Fingerprint tells base models apart: SHA-256, in hex, of the last norm's
// gains as little-endian f32, which quantisation leaves as they are.
func (m *Model) Fingerprint() string {
	h := sha256.New()
	for _, x := range m.Weights.Norm.Float32() {
		h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(x)))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Adapt puts the adapter of folder beside the weights of m, which stay as they
// are, in place of the one that was there. It fails with ErrOtherBase where the
// adapter does not fit, and leaves m unchanged on any error.
func (m *Model) Adapt(folder fs.FS) error {
	text, err := fs.ReadFile(folder, adapterConfigFile)
	if err != nil {
		return fmt.Errorf("adapter: %w (want the folder that peft's save_pretrained wrote)", err)
	}
	var c adapterConfig
	if err := json.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("adapter: %s: %w", adapterConfigFile, err)
	}
	if is := m.Fingerprint(); c.Base != "" && c.Base != is {
		return fmt.Errorf("%w: it was trained on %.12s…, this is %.12s…", ErrOtherBase, c.Base, is)
	}
	if err := m.checkAdapter(&c); err != nil {
		return fmt.Errorf("adapter: %s: %w", adapterConfigFile, err)
	}
	data, err := fs.ReadFile(folder, adapterWeights)
	if err != nil {
		return fmt.Errorf("adapter: %w", err)
	}
	f, err := checkpoint.ParseSafetensors(data)
	if err != nil {
		return fmt.Errorf("adapter: %s: %w", adapterWeights, err)
	}
	a, err := m.readAdapter(f, &c)
	if err != nil {
		return fmt.Errorf("adapter: %s: %w", adapterWeights, err)
	}
	m.put(a)
	return nil
}

// Adapted is Adapt for a copy that shares the weights; a nil folder gives one
// without an adapter.
func (m *Model) Adapted(folder fs.FS) (*Model, error) {
	copied := *m
	copied.Weights.Layers = slices.Clone(m.Weights.Layers)
	if folder == nil {
		copied.put(&adaptation{})
		return &copied, nil
	}
	return &copied, copied.Adapt(folder)
}

func (m *Model) checkAdapter(c *adapterConfig) error {
	switch c.Kind {
	case kindLoRA:
		return c.checkLoRA()
	case kindPrefix:
		return c.checkPrefix(&m.Config)
	case kindBottleneck:
		return c.checkBottleneck()
	}
	return fmt.Errorf("peft_type: %q, kuai reads %s, %s and %s", c.Kind, kindLoRA, kindPrefix, kindBottleneck)
}

func (m *Model) readAdapter(f *checkpoint.File, c *adapterConfig) (a *adaptation, err error) {
	a = &adaptation{}
	switch c.Kind {
	case kindLoRA:
		a.low, err = m.readLoRA(f, c)
	case kindPrefix:
		a.prefix, err = m.readPrefix(f, c)
	case kindBottleneck:
		a.bottlenecks, err = m.readBottlenecks(f, c)
	}
	return a, err
}

func (m *Model) put(a *adaptation) {
	m.Prefix = a.prefix
	for i := range m.Weights.Layers {
		l := &m.Weights.Layers[i]
		l.Adapters, l.Bottlenecks = Adapters{}, Bottlenecks{}
		if a.low != nil {
			l.Adapters = a.low[i]
		}
		if a.bottlenecks != nil {
			l.Bottlenecks = a.bottlenecks[i]
		}
	}
}
