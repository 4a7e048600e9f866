package hearing

import (
	"fmt"
	"maps"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/encoder"
)

// Tower is the weights of the audio encoder. It does not change after it was
// loaded.
type Tower struct {
	Config Config

	convs     [2]encoder.Linear // [width, bands, 3] and [width, width, 3]
	positions *kernels.Weight   // [positions, width]
	stack     encoder.Stack
	norm      encoder.Norm
}

// LoadTower takes the tower of a configuration.
func LoadTower(r *Reader, c Config) (*Tower, error) {
	t := &Tower{Config: c, stack: encoder.Stack{Heads: c.Encoder.Heads, Epsilon: Epsilon, Activation: kernels.GELU}}
	inputs := c.Bands
	for i := range t.convs {
		at := r.Name(fmt.Sprintf("encoder.conv%d.", i+1), fmt.Sprintf("encoder/conv%d/", i+1))
		t.convs[i] = encoder.Linear{W: r.Take(at+"weight", c.Width, inputs, 3), Bias: r.Take(at+"bias", c.Width)}
		inputs = c.Width
	}
	t.positions = r.Take(r.Name("encoder.embed_positions.weight", "encoder/position_encodings/encodings"), c.Positions, c.Width)
	for i := range c.Encoder.Layers {
		a, f := r.SelfAttention("encoder", i), r.FeedForward("encoder", i, c.Encoder.Hidden)
		t.stack.Layers = append(t.stack.Layers, encoder.Layer{
			AttentionNorm: a.Norm, Q: a.Q, K: a.K, V: a.V, Output: a.Output,
			FeedForwardNorm: f.Norm, Up: f.Up, Down: f.Down,
		})
	}
	t.norm = r.NormOf("encoder.layer_norm", "encoder/layer_norm")
	return t, r.Err()
}

// Inputs are what a graph with the tower is fed with.
type Inputs struct {
	// Frames is the length of the spectrogram, to twice Positions.
	Frames kernels.Scalar
	// Mel is an f32 input, the spectrogram [Frames, Bands]; where the graph computes that
	// itself, the samples of which it does, as audio.Samples gives them.
	Mel kernels.Value
	// Places is an i32 input, one for each embedding: 0, 1, 2, …
	Places kernels.Value
}

// Build adds the tower to a graph; the result is [(Frames+1)/2, Width].
func (t *Tower) Build(g *kernels.Graph) (Inputs, kernels.Value) {
	in := Inputs{Frames: g.Scalar("frames", 2*t.Config.Positions)}
	in.Mel = g.Input("mel", kernels.F32, in.Frames.Dim(), kernels.N(t.Config.Bands))
	return t.build(g, in, in.Mel)
}

// BuildSound does so with the spectrogram before it; o is then how the graph has to be
// compiled.
func (t *Tower) BuildSound(g *kernels.Graph, o *kernels.Options) (in Inputs, hidden kernels.Value, err error) {
	in.Frames = g.Scalar("frames", 2*t.Config.Positions)
	samples, err := in.Frames.Dim().Times(audio.Hop)
	if err != nil {
		return in, 0, err
	}
	in.Mel = g.Input("samples", kernels.F32, samples.Plus(audio.GraphSamples(0)), kernels.N(1))
	if o.Keep = maps.Clone(o.Keep); o.Keep == nil {
		o.Keep = map[string]bool{}
	}
	mel, err := audio.Build(g, in.Mel, t.Config.Bands, o.Keep)
	if err != nil {
		return in, 0, err
	}
	in, hidden = t.build(g, in, mel)
	return in, hidden, nil
}

func (t *Tower) build(g *kernels.Graph, in Inputs, x kernels.Value) (Inputs, kernels.Value) {
	for i, conv := range t.convs {
		x = g.Add(kernels.Conv1D{X: x, W: conv.W, Bias: conv.Bias, Stride: 1 + i, Padding: 1, Act: kernels.GELU})
	}
	in.Places = g.Input("places", kernels.I32, g.Shape(x).Rows())
	x = g.Add(kernels.Binary{X: x, Y: g.Add(kernels.Embed{Table: t.positions, IDs: in.Places})})
	return in, t.norm.Apply(g, t.stack.Build(g, x), Epsilon)
}
