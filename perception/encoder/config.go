package encoder

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

// Config is the shape of a Stack as config.json of transformers has it.
type Config struct {
	Width      int     `json:"hidden_size"`
	Hidden     int     `json:"intermediate_size"`
	Layers     int     `json:"num_hidden_layers"`
	Heads      int     `json:"num_attention_heads"`
	Activation string  `json:"hidden_act"`
	Epsilon    float32 `json:"layer_norm_eps"`
}

// Bounds of a configuration: far above any encoder, far below what overflows.
const (
	MaxWidth  = 1 << 14
	MaxLayers = 512
)

// Range says what is wrong with a field of config.json.
func Range(field string, value, least, most int) error {
	if value < least || value > most {
		return fmt.Errorf("config.json: %s: %d, want %d to %d", field, value, least, most)
	}
	return nil
}

// Check names the first field that makes no sense; at is the object it is in,
// such as "vision_config.".
func (c *Config) Check(at string) error {
	for _, f := range []struct {
		name        string
		value, most int
	}{
		{"hidden_size", c.Width, MaxWidth}, {"intermediate_size", c.Hidden, 8 * MaxWidth},
		{"num_hidden_layers", c.Layers, MaxLayers}, {"num_attention_heads", c.Heads, MaxWidth},
	} {
		if err := Range(at+f.name, f.value, 1, f.most); err != nil {
			return err
		}
	}
	if c.Width%c.Heads != 0 {
		return fmt.Errorf("config.json: %snum_attention_heads: %d do not divide hidden_size %d", at, c.Heads, c.Width)
	}
	if !(c.Epsilon > 0 && c.Epsilon < 1) {
		return fmt.Errorf("config.json: %slayer_norm_eps: %g, want a small positive number", at, c.Epsilon)
	}
	if _, err := activation(c.Activation); err != nil {
		return fmt.Errorf("config.json: %shidden_act: %w", at, err)
	}
	return nil
}

func activation(name string) (kernels.Activation, error) {
	switch name {
	case "gelu":
		return kernels.GELU, nil
	case "quick_gelu":
		return kernels.QuickGELU, nil
	case "gelu_pytorch_tanh", "gelu_new":
		return kernels.GELUTanh, nil
	case "silu", "swish":
		return kernels.SiLU, nil
	case "relu":
		return kernels.ReLU, nil
	}
	return 0, fmt.Errorf("%q, kuai knows gelu, quick_gelu, gelu_pytorch_tanh, silu and relu", name)
}

// Stack gives the empty stack of a configuration that was checked.
func (c *Config) Stack() Stack {
	act, _ := activation(c.Activation)
	return Stack{Heads: c.Heads, Epsilon: c.Epsilon, Activation: act, Layers: make([]Layer, c.Layers)}
}

// Names are those of a layer's tensors in one kind of file; Layer has a %d for
// its number.
type Names struct {
	Layer, AttentionNorm, Q, K, V, Output, FeedForwardNorm, Up, Down string
}

// Load takes the layers of a configuration that was checked.
func (c *Config) Load(l *Loader, n Names) Stack {
	s := c.Stack()
	for i := range s.Layers {
		at := fmt.Sprintf(n.Layer, i)
		s.Layers[i] = Layer{
			AttentionNorm:   l.Norm(at+n.AttentionNorm, c.Width),
			Q:               l.Linear(at+n.Q, c.Width, c.Width),
			K:               l.Linear(at+n.K, c.Width, c.Width),
			V:               l.Linear(at+n.V, c.Width, c.Width),
			Output:          l.Linear(at+n.Output, c.Width, c.Width),
			FeedForwardNorm: l.Norm(at+n.FeedForwardNorm, c.Width),
			Up:              l.Linear(at+n.Up, c.Hidden, c.Width),
			Down:            l.Linear(at+n.Down, c.Width, c.Hidden),
		}
	}
	return s
}

// CLIPNames are those of CLIP and SigLIP below a prefix such as "vision_model.".
func CLIPNames(prefix string) Names {
	return Names{
		Layer: prefix + "encoder.layers.%d.", AttentionNorm: "layer_norm1", FeedForwardNorm: "layer_norm2",
		Q: "self_attn.q_proj", K: "self_attn.k_proj", V: "self_attn.v_proj", Output: "self_attn.out_proj",
		Up: "mlp.fc1", Down: "mlp.fc2",
	}
}
