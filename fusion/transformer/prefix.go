package transformer

import (
	"fmt"

	"github.com/kuai-robot/kuai/internal/checkpoint"
)

// Prefix is keys and values that every sequence begins with, as if so many
// tokens had been read (prefix tuning, arXiv 2101.00190). They take positions 0
// to Rows-1, and the first token comes at Rows.
type Prefix struct {
	Rows int
	// Keys and Values by layer, [Rows, KVHeads·HeadDim] each, as Blocks stores
	// them: keys are turned already.
	Keys, Values [][]float32
}

const maxPrefix = 1 << 14

func (c *adapterConfig) checkPrefix(m *Config) error {
	width := m.KVHeads * m.HeadDim
	switch {
	case c.Tokens < 1 || c.Tokens > min(maxPrefix, m.Context-1):
		return fmt.Errorf("num_virtual_tokens: %d, want 1 to %d", c.Tokens, min(maxPrefix, m.Context-1))
	case c.Submodules > 1:
		return fmt.Errorf("num_transformer_submodules: %d, a decoder has 1", c.Submodules)
	case c.Layers != 0 && c.Layers != m.Layers():
		return fmt.Errorf("%w: num_layers: %d, and the model has %d layers", ErrOtherBase, c.Layers, m.Layers())
	case c.TokenDim != 0 && c.TokenDim != width:
		return fmt.Errorf("%w: token_dim: %d, and the model's keys have %d channels", ErrOtherBase, c.TokenDim, width)
	case c.Heads != 0 && c.Heads != m.KVHeads:
		return fmt.Errorf("%w: num_attention_heads: %d, and the model's keys have %d heads", ErrOtherBase, c.Heads, m.KVHeads)
	}
	return nil
}

// prefixTensor is the one tensor of a prefix: a row for each virtual token with
// the keys and the values of layer 0, then of layer 1, and so on. peft has run
// the projection of a prefix_projection when it saves.
const prefixTensor = "prompt_embeddings"

func (m *Model) readPrefix(f *checkpoint.File, c *adapterConfig) (*Prefix, error) {
	for i := range f.Tensors {
		if name := f.Tensors[i].Name; name != prefixTensor {
			return nil, fmt.Errorf("tensor %s: a prefix has %s alone", name, prefixTensor)
		}
	}
	t, err := f.Tensor(prefixTensor)
	if err != nil {
		return nil, err
	}
	width := m.Config.KVHeads * m.Config.HeadDim
	w, err := adapterTensor(t, c.Tokens, 2*m.Config.Layers()*width)
	if err != nil {
		return nil, err
	}
	p := &Prefix{Rows: c.Tokens}
	for range m.Config.Layers() {
		p.Keys = append(p.Keys, make([]float32, c.Tokens*width))
		p.Values = append(p.Values, make([]float32, c.Tokens*width))
	}
	row := make([]float32, w.Cols())
	for r := range c.Tokens {
		w.Row(row, r)
		for i := range p.Keys {
			both := row[2*i*width:]
			copy(p.Values[i][r*width:], both[width:2*width])
			for channel, x := range both[:width] {
				p.Keys[i][r*width+m.Config.turned(channel)] = x
			}
		}
	}
	return p, nil
}
