package encoder_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/encoder"
)

func sound() encoder.Config {
	return encoder.Config{Width: 32, Hidden: 48, Layers: 2, Heads: 4, Activation: "gelu", Epsilon: 1e-5}
}

// A configuration that makes no sense is an error that names the field.
func TestCheck(t *testing.T) {
	c := sound()
	if err := c.Check("vision_config."); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(c *encoder.Config){
		"vision_config.hidden_size: 0":              func(c *encoder.Config) { c.Width = 0 },
		"vision_config.intermediate_size: -1":       func(c *encoder.Config) { c.Hidden = -1 },
		"vision_config.num_hidden_layers: 10000":    func(c *encoder.Config) { c.Layers = 10000 },
		"vision_config.num_attention_heads: 5 do":   func(c *encoder.Config) { c.Heads = 5 },
		"vision_config.num_attention_heads: 0":      func(c *encoder.Config) { c.Heads = 0 },
		"vision_config.layer_norm_eps: 0":           func(c *encoder.Config) { c.Epsilon = 0 },
		`vision_config.hidden_act: "mish", kuai kn`: func(c *encoder.Config) { c.Activation = "mish" },
	} {
		c := sound()
		spoil(&c)
		if err := c.Check("vision_config."); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

// Parts of a matrix have its rows in their order, parts of a vector its numbers.
func TestSplit(t *testing.T) {
	parts := encoder.Split(kernels.NewWeight("qkv", []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 6, 2), 3)
	for i, want := range [][]float32{{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}} {
		if err := parts[i].Check(); err != nil || !slices.Equal(parts[i].Float32(), want) || !slices.Equal(parts[i].Shape, []int{2, 2}) {
			t.Errorf("part %d: %v %v, %v", i, parts[i].Shape, parts[i].Float32(), err)
		}
	}
	halves := encoder.Split(kernels.NewWeight("bias", []float32{1, 2, 3, 4}, 4), 2)
	if !slices.Equal(halves[1].Float32(), []float32{3, 4}) || !slices.Equal(halves[1].Shape, []int{2}) {
		t.Errorf("%v %v", halves[1].Shape, halves[1].Float32())
	}
}
