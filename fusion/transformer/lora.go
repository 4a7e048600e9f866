package transformer

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
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

const maxRank = 1024

// checkLoRA refuses what would change the formula and is not known here.
func (c *adapterConfig) checkLoRA() error {
	empty := func(v any) bool {
		m, isMap := v.(map[string]any)
		return v == nil || isMap && len(m) == 0
	}
	switch {
	case c.Rank < 1 || c.Rank > maxRank:
		return fmt.Errorf("r: %d, want 1 to %d", c.Rank, maxRank)
	case !(math.Abs(c.Alpha) <= 1e6) || c.Alpha == 0:
		return fmt.Errorf("lora_alpha: %g", c.Alpha)
	case c.Bias != nil && c.Bias != "none":
		return fmt.Errorf("bias: %v, kuai reads none", c.Bias)
	case c.DoRA || c.FanIn || !empty(c.Ranks) || !empty(c.Alphas) || !empty(c.Modules):
		return errors.New("use_dora, fan_in_fan_out, rank_pattern, alpha_pattern and modules_to_save are not read: train without them")
	}
	return nil
}

func (c *adapterConfig) scale() float32 {
	if c.RSLoRA {
		return float32(c.Alpha / math.Sqrt(float64(c.Rank)))
	}
	return float32(c.Alpha / float64(c.Rank))
}

// adapterName takes a name such as
// base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight apart.
var adapterName = regexp.MustCompile(`^base_model\.model\.model\.layers\.(\d{1,4})\.(\w+\.\w+)\.lora_([AB])\.weight$`)

// readLoRA reads every tensor of f: what has no place is an error, not left out.
func (m *Model) readLoRA(f *checkpoint.File, c *adapterConfig) ([]Adapters, error) {
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

func adapterTensor(t *checkpoint.Tensor, shape ...int) (*kernels.Weight, error) {
	if !slices.Equal(t.Shape, shape) {
		return nil, fmt.Errorf("%w: tensor %s has shape %v, this one needs %v", ErrOtherBase, t.Name, t.Shape, shape)
	}
	if err := t.Finite(); err != nil {
		return nil, err
	}
	return t.Weight()
}

// outputs scales B, and puts the rows of queries and keys into the order that
// the model's own have.
func (m *Model) outputs(b *kernels.Weight, scale float32, heads int) *kernels.Weight {
	numbers := b.Float32()
	rank := b.Cols()
	out := make([]float32, len(numbers))
	for row := range b.Rows() {
		to := row
		if heads > 0 {
			to = m.Config.turned(row)
		}
		for i, x := range numbers[row*rank : (row+1)*rank] {
			out[to*rank+i] = scale * x
		}
	}
	return kernels.NewWeight(b.Name, out, b.Shape...)
}

// turned is where a channel of queries or keys that transformers numbers lies
// here: channel i of a head's first half and of its second lie side by side
// where RoPE turns neighbours.
func (c *Config) turned(channel int) int {
	if !c.Interleaved {
		return channel
	}
	in := channel % c.HeadDim
	return channel - in + 2*(in%(c.HeadDim/2)) + in/(c.HeadDim/2)
}
