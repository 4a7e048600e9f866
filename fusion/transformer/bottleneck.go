package transformer

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// Bottleneck is a small network with a skip, Scale·Up·act(Down·x) + x, behind a
// branch (arXiv 1902.00751, section 2.1). Down is [size, Width], Up [Width, size]
// and holds the scale, as its bias does.
type Bottleneck struct {
	Down, DownBias, Up, UpBias *kernels.Weight
	Activation                 kernels.Activation
}

// Bottlenecks are those of one layer; nil: none.
type Bottlenecks struct {
	Attention, FeedForward *Bottleneck
}

// The parts of a layer that targets may name.
const (
	targetAttention   = "attention"
	targetFeedForward = "mlp"
)

const maxBottleneck = 1 << 14

// bottleneckActivations by the name in non_linearity.
var bottleneckActivations = map[string]kernels.Activation{
	"relu": kernels.ReLU, "gelu": kernels.GELU, "gelu_tanh": kernels.GELUTanh, "silu": kernels.SiLU, "tanh": kernels.Tanh, "identity": kernels.Identity,
}

func (c *adapterConfig) checkBottleneck() error {
	if c.Size < 1 || c.Size > maxBottleneck {
		return fmt.Errorf("bottleneck_size: %d, want 1 to %d", c.Size, maxBottleneck)
	}
	if _, ok := bottleneckActivations[c.Activation]; !ok {
		return fmt.Errorf("non_linearity: %q, kuai knows relu, gelu, gelu_tanh, silu, tanh and identity", c.Activation)
	}
	if c.Scale != nil && (!(math.Abs(*c.Scale) <= 1e6) || *c.Scale == 0) {
		return fmt.Errorf("scale: %g", *c.Scale)
	}
	if _, ok := c.Bias.(bool); c.Bias != nil && !ok {
		return fmt.Errorf("bias: %v, want true or false", c.Bias)
	}
	if len(c.Targets) == 0 {
		return fmt.Errorf("targets: none, want %s, %s or both", targetAttention, targetFeedForward)
	}
	for _, target := range c.Targets {
		if target != targetAttention && target != targetFeedForward {
			return fmt.Errorf("targets: %q, want %s and %s", target, targetAttention, targetFeedForward)
		}
	}
	return nil
}

// bottleneckName takes a name such as layers.3.attention.down.weight apart.
var bottleneckName = regexp.MustCompile(`^layers\.(\d{1,4})\.(attention|mlp)\.(down|up)\.(weight|bias)$`)

// readBottlenecks reads every tensor of f: what has no place is an error, not
// left out, and every layer has what targets names.
func (m *Model) readBottlenecks(f *checkpoint.File, c *adapterConfig) ([]Bottlenecks, error) {
	for i := range f.Tensors {
		name := f.Tensors[i].Name
		part := bottleneckName.FindStringSubmatch(name)
		if part == nil || !slices.Contains(c.Targets, part[2]) || part[4] == "bias" && c.Bias == false {
			return nil, fmt.Errorf("tensor %s: want weight and bias of layers.N.TARGET.down and .up, for TARGET of %v", name, c.Targets)
		}
		if layer, err := strconv.Atoi(part[1]); err != nil || layer >= m.Config.Layers() {
			return nil, fmt.Errorf("%w: tensor %s, and the model has %d layers", ErrOtherBase, name, m.Config.Layers())
		}
	}
	layers := make([]Bottlenecks, m.Config.Layers())
	for i := range layers {
		for target, to := range map[string]**Bottleneck{targetAttention: &layers[i].Attention, targetFeedForward: &layers[i].FeedForward} {
			if !slices.Contains(c.Targets, target) {
				continue
			}
			b, err := m.readBottleneck(f, c, fmt.Sprintf("layers.%d.%s.", i, target))
			if err != nil {
				return nil, err
			}
			*to = b
		}
	}
	return layers, nil
}

func (m *Model) readBottleneck(f *checkpoint.File, c *adapterConfig, at string) (*Bottleneck, error) {
	b := &Bottleneck{Activation: bottleneckActivations[c.Activation]}
	scale := float32(1)
	if c.Scale != nil {
		scale = float32(*c.Scale)
	}
	for _, part := range []struct {
		name  string
		shape []int
		scale float32
		to    **kernels.Weight
	}{
		{"down.weight", []int{c.Size, m.Config.Width}, 1, &b.Down},
		{"down.bias", []int{c.Size}, 1, &b.DownBias},
		{"up.weight", []int{m.Config.Width, c.Size}, scale, &b.Up},
		{"up.bias", []int{m.Config.Width}, scale, &b.UpBias},
	} {
		if len(part.shape) == 1 && c.Bias == false {
			continue
		}
		t, err := f.Tensor(at + part.name)
		if err != nil {
			return nil, err
		}
		w, err := adapterTensor(t, part.shape...)
		if err != nil {
			return nil, err
		}
		if part.scale != 1 {
			w = scaled(w, part.scale)
		}
		*part.to = w
	}
	return b, nil
}

func scaled(w *kernels.Weight, by float32) *kernels.Weight {
	numbers := w.Float32()
	for i := range numbers {
		numbers[i] *= by
	}
	return kernels.NewWeight(w.Name, numbers, w.Shape...)
}

// build adds the network behind x.
func (b *Bottleneck) build(g *kernels.Graph, x kernels.Value) kernels.Value {
	down := g.Add(kernels.MatMul{X: x, W: b.Down, Bias: b.DownBias, Act: b.Activation})
	return g.Add(kernels.MatMul{X: down, W: b.Up, Bias: b.UpBias, Residual: x})
}
