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
	"regexp"
	"strconv"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// LowRank is what an adapter adds to the product with a matrix: B·(A·x)
// (LoRA, arXiv 2106.09685, section 4.1). A is [rank, inputs], B [outputs, rank]
// and holds the scale α/r.
type LowRank struct {
	A, B *kernels.Weight
}

// Adapters are those of one layer's matrices; nil: none.
type Adapters struct {
	Q, K, V, Output, Gate, Up, Down *LowRank
}

// The files of an adapter in the layout of peft.
const (
	adapterConfig  = "adapter_config.json"
	adapterWeights = "adapter_model.safetensors"
)

// ErrOtherBase says that an adapter was made for another model than the one it
// is put on.
var ErrOtherBase = errors.New("the adapter is for another base model")

// peftConfig is what matters of adapter_config.json. What would change the
// formula and is not known here is refused.
type peftConfig struct {
	Type    string  `json:"peft_type"`
	Rank    int     `json:"r"`
	Alpha   float64 `json:"lora_alpha"`
	Bias    string  `json:"bias"`
	RSLoRA  bool    `json:"use_rslora"`
	DoRA    bool    `json:"use_dora"`
	FanIn   bool    `json:"fan_in_fan_out"`
	Ranks   any     `json:"rank_pattern"`
	Alphas  any     `json:"alpha_pattern"`
	Modules any     `json:"modules_to_save"`
	// Base is the Fingerprint of the base model, where whoever trained it said so.
	Base string `json:"kuai_base"`
}

const maxRank = 1024

func (c *peftConfig) check() error {
	empty := func(v any) bool {
		m, isMap := v.(map[string]any)
		return v == nil || isMap && len(m) == 0
	}
	switch {
	case c.Type != "LORA":
		return fmt.Errorf("peft_type: %q, kuai reads LORA", c.Type)
	case c.Rank < 1 || c.Rank > maxRank:
		return fmt.Errorf("r: %d, want 1 to %d", c.Rank, maxRank)
	case !(math.Abs(c.Alpha) <= 1e6) || c.Alpha == 0:
		return fmt.Errorf("lora_alpha: %g", c.Alpha)
	case c.Bias != "" && c.Bias != "none":
		return fmt.Errorf("bias: %q, kuai reads none", c.Bias)
	case c.DoRA || c.FanIn || !empty(c.Ranks) || !empty(c.Alphas) || !empty(c.Modules):
		return errors.New("use_dora, fan_in_fan_out, rank_pattern, alpha_pattern and modules_to_save are not read: train without them")
	}
	return nil
}

func (c *peftConfig) scale() float32 {
	if c.RSLoRA {
		return float32(c.Alpha / math.Sqrt(float64(c.Rank)))
	}
	return float32(c.Alpha / float64(c.Rank))
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

// Adapt puts the LoRA adapter of folder, in the layout of peft, beside the
// weights of m, which stay as they are. It fails with ErrOtherBase where the
// adapter does not fit, and leaves m unchanged on any error.
func (m *Model) Adapt(folder fs.FS) error {
	text, err := fs.ReadFile(folder, adapterConfig)
	if err != nil {
		return fmt.Errorf("adapter: %w (want the folder that peft's save_pretrained wrote)", err)
	}
	var c peftConfig
	if err := json.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("adapter: %s: %w", adapterConfig, err)
	}
	if err := c.check(); err != nil {
		return fmt.Errorf("adapter: %s: %w", adapterConfig, err)
	}
	if is := m.Fingerprint(); c.Base != "" && c.Base != is {
		return fmt.Errorf("%w: it was trained on %.12s…, this is %.12s…", ErrOtherBase, c.Base, is)
	}
	data, err := fs.ReadFile(folder, adapterWeights)
	if err != nil {
		return fmt.Errorf("adapter: %w", err)
	}
	f, err := checkpoint.ParseSafetensors(data)
	if err != nil {
		return fmt.Errorf("adapter: %s: %w", adapterWeights, err)
	}
	layers, err := m.readAdapters(f, &c)
	if err != nil {
		return fmt.Errorf("adapter: %s: %w", adapterWeights, err)
	}
	for i := range layers {
		m.Weights.Layers[i].Adapters = layers[i]
	}
	return nil
}

// adapterName takes a name such as
// base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight apart.
var adapterName = regexp.MustCompile(`^base_model\.model\.model\.layers\.(\d{1,4})\.(\w+\.\w+)\.lora_([AB])\.weight$`)

// readAdapters reads every tensor of f: what has no place is an error, not left out.
func (m *Model) readAdapters(f *checkpoint.File, c *peftConfig) ([]Adapters, error) {
	layers := make([]Adapters, len(m.Weights.Layers))
	for i := range f.Tensors {
		t := &f.Tensors[i]
		part := adapterName.FindStringSubmatch(t.Name)
		if part == nil {
			return nil, fmt.Errorf("tensor %s: want lora_A and lora_B of attention and feed-forward matrices", t.Name)
		}
		layer, err := strconv.Atoi(part[1])
		if err != nil || layer >= len(layers) {
			return nil, fmt.Errorf("%w: tensor %s, and the model has %d layers", ErrOtherBase, t.Name, len(layers))
		}
		to, of, heads := m.place(&layers[layer], layer, part[2])
		if to == nil {
			return nil, fmt.Errorf("tensor %s: no adapter is read for %s", t.Name, part[2])
		}
		if *to == nil {
			*to = &LowRank{}
		}
		if part[3] == "A" {
			(*to).A, err = adapterTensor(t, c.Rank, of.Cols())
		} else if (*to).B, err = adapterTensor(t, of.Rows(), c.Rank); err == nil {
			(*to).B = m.outputs((*to).B, c.scale(), heads)
		}
		if err != nil {
			return nil, err
		}
	}
	for i := range layers {
		for _, l := range layers[i].all() {
			if l != nil && (l.A == nil || l.B == nil) {
				return nil, fmt.Errorf("layer %d: a matrix has lora_A or lora_B without the other", i)
			}
		}
	}
	return layers, nil
}

func (a *Adapters) all() []*LowRank {
	return []*LowRank{a.Q, a.K, a.V, a.Output, a.Gate, a.Up, a.Down}
}

// place gives where the adapter of a matrix belongs, the matrix, and the heads
// whose rows RoPE turns (0: none).
func (m *Model) place(a *Adapters, layer int, name string) (to **LowRank, of *kernels.Weight, heads int) {
	w := &m.Weights.Layers[layer]
	switch name {
	case "self_attn.q_proj":
		return &a.Q, w.Q, m.Config.Heads
	case "self_attn.k_proj":
		return &a.K, w.K, m.Config.KVHeads
	case "self_attn.v_proj":
		return &a.V, w.V, 0
	case "self_attn.o_proj":
		return &a.Output, w.Output, 0
	case "mlp.gate_proj":
		return &a.Gate, w.Gate, 0
	case "mlp.up_proj":
		return &a.Up, w.Up, 0
	case "mlp.down_proj":
		return &a.Down, w.Down, 0
	}
	return nil, nil, 0
}

func adapterTensor(t *checkpoint.Tensor, rows, cols int) (*kernels.Weight, error) {
	if len(t.Shape) != 2 || t.Shape[0] != rows || t.Shape[1] != cols {
		return nil, fmt.Errorf("%w: tensor %s has shape %v, this one needs [%d %d]", ErrOtherBase, t.Name, t.Shape, rows, cols)
	}
	if err := t.Finite(); err != nil {
		return nil, err
	}
	return t.Weight()
}

// outputs scales B, and puts the rows of queries and keys into the order that
// the model's own have: channel i of a head's first half and of its second lie
// side by side where RoPE turns neighbours.
func (m *Model) outputs(b *kernels.Weight, scale float32, heads int) *kernels.Weight {
	numbers := b.Float32()
	rank := b.Cols()
	out := make([]float32, len(numbers))
	size := m.Config.HeadDim
	for row := range b.Rows() {
		to := row
		if heads > 0 && m.Config.Interleaved {
			channel := row % size
			to = row - channel + 2*(channel%(size/2)) + channel/(size/2)
		}
		for i, x := range numbers[row*rank : (row+1)*rank] {
			out[to*rank+i] = scale * x
		}
	}
	return kernels.NewWeight(b.Name, out, b.Shape...)
}
