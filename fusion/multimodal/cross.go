package multimodal

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/encoder"
)

// epsilon of the layer norms, that of PyTorch.
const epsilon = 1e-5

// Cross is gated cross-attention with the perceiver before it.
type Cross struct {
	Config CrossConfig
	Width  int // of the decoder

	latents   *kernels.Weight
	perceiver []perceiverLayer
	norm      encoder.Norm
	layers    map[int]*crossLayer // by layer of the decoder
}

// attention is the matrices of one.
type attention struct {
	q, k, v, out *kernels.Weight
}

type perceiverLayer struct {
	media, latents, norm encoder.Norm
	attention
	up, down *kernels.Weight
}

// crossLayer holds its gates in out and down.
type crossLayer struct {
	norm, norm2 encoder.Norm
	attention
	up, down *kernels.Weight
}

func loadCross(l *encoder.Loader, width int, c CrossConfig) *Cross {
	x := &Cross{Config: c, Width: width, layers: map[int]*crossLayer{}}
	x.latents = l.Take("cross.latents", c.Latents, c.Inputs)
	for i := range c.Depth {
		at := fmt.Sprintf("cross.perceiver.%d.", i)
		x.perceiver = append(x.perceiver, perceiverLayer{
			media: l.Norm(at+"norm_media", c.Inputs), latents: l.Norm(at+"norm_latents", c.Inputs), norm: l.Norm(at+"norm", c.Inputs),
			attention: c.attention(l, at, c.Inputs),
			up:        l.Take(at+"up.weight", 4*c.Inputs, c.Inputs), down: l.Take(at+"down.weight", c.Inputs, 4*c.Inputs),
		})
	}
	x.norm = l.Norm("cross.norm", c.Inputs)
	for i := 0; i < c.Layers; i += c.Every {
		at := fmt.Sprintf("cross.layers.%d.", i)
		layer := &crossLayer{norm: l.Norm(at+"norm", width), norm2: l.Norm(at+"norm2", width), attention: c.attention(l, at, width)}
		layer.up = l.Take(at+"up.weight", c.Hidden, width)
		layer.down = gated(l.Take(at+"down.weight", width, c.Hidden), l.Number(at+"gate"))
		layer.out = gated(layer.out, l.Number(at+"attention_gate"))
		x.layers[i] = layer
	}
	return x
}

// attention takes the matrices of one whose queries are so wide.
func (c *CrossConfig) attention(l *encoder.Loader, at string, width int) attention {
	inner := c.Heads * c.HeadDim
	return attention{
		q: l.Take(at+"q.weight", inner, width), k: l.Take(at+"k.weight", inner, c.Inputs),
		v: l.Take(at+"v.weight", inner, c.Inputs), out: l.Take(at+"out.weight", width, inner),
	}
}

// gated multiplies a matrix by tanh of its gate.
func gated(w *kernels.Weight, gate float32) *kernels.Weight {
	if w == nil {
		return nil
	}
	numbers, by := w.Float32(), float32(math.Tanh(float64(gate)))
	for i := range numbers {
		numbers[i] *= by
	}
	return kernels.NewWeight(w.Name, numbers, w.Shape...)
}

// Rows is how many latents all media of a sequence have at most.
func (x *Cross) Rows() int { return x.Config.Media * x.Config.Latents }

// Fits says why the cross-attention does not go with a decoder.
func (x *Cross) Fits(width, layers int) error {
	if width != x.Width || layers != x.Config.Layers {
		return fmt.Errorf("cross: made for a decoder of width %d and %d layers, this one has width %d and %d", x.Width, x.Config.Layers, width, layers)
	}
	return nil
}

// state is where the keys or values of a layer lie.
func (x *Cross) state(g *kernels.Graph, what string, layer int, t kernels.DType) kernels.Value {
	return g.State(fmt.Sprintf("media.%s.%d", what, layer), t, kernels.N(x.Rows()), kernels.N(x.Config.Heads*x.Config.HeadDim))
}

// Watch adds to a graph what makes keys and values of one medium: features is
// [n, Inputs], its latents' keys and values go to the states from row at on.
func (x *Cross) Watch(g *kernels.Graph, features kernels.Value, at kernels.Scalar, t kernels.DType) {
	latents := x.Perceive(g, features)
	for i := 0; i < x.Config.Layers; i += x.Config.Every {
		l := x.layers[i]
		g.Add(kernels.Store{X: g.Add(kernels.MatMul{X: latents, W: l.k}), State: x.state(g, "keys", i, t), At: at})
		g.Add(kernels.Store{X: g.Add(kernels.MatMul{X: latents, W: l.v}), State: x.state(g, "values", i, t), At: at})
	}
}

// Perceive adds the perceiver to a graph: features is [n, Inputs], the result
// [Latents, Inputs].
func (x *Cross) Perceive(g *kernels.Graph, features kernels.Value) kernels.Value {
	c := &x.Config
	latents := g.Add(kernels.Const{W: x.latents})
	for i := range x.perceiver {
		l := &x.perceiver[i]
		media, own := l.media.Apply(g, features, epsilon), l.latents.Apply(g, latents, epsilon)
		both := g.Add(kernels.Concat{Xs: []kernels.Value{own, media}})
		a := g.Add(kernels.Attention{Q: g.Add(kernels.MatMul{X: own, W: l.q}), K: g.Add(kernels.MatMul{X: both, W: l.k}),
			V: g.Add(kernels.MatMul{X: both, W: l.v}), Heads: c.Heads, KVHeads: c.Heads})
		latents = g.Add(kernels.MatMul{X: a, W: l.out, Residual: latents})
		up := g.Add(kernels.MatMul{X: l.norm.Apply(g, latents, epsilon), W: l.up, Act: kernels.GELU})
		latents = g.Add(kernels.MatMul{X: up, W: l.down, Residual: latents})
	}
	return x.norm.Apply(g, latents, epsilon)
}

// Seen is what rows of text see of the media.
type Seen struct {
	Mask   kernels.Value  // u8 input [tokens, Rows()], 1 where a row sees a latent
	Filled kernels.Scalar // latents of the media so far
	Type   kernels.DType  // of the states
}

// Before adds to a graph what stands before a layer of the decoder, if anything
// does: x is [tokens, Width].
func (x *Cross) Before(g *kernels.Graph, layer int, h kernels.Value, seen Seen) kernels.Value {
	l, c := x.layers[layer], &x.Config
	if l == nil {
		return h
	}
	q := g.Add(kernels.MatMul{X: l.norm.Apply(g, h, epsilon), W: l.q})
	a := g.Add(kernels.Attention{Q: q, K: x.state(g, "keys", layer, seen.Type), V: x.state(g, "values", layer, seen.Type),
		Heads: c.Heads, KVHeads: c.Heads, Length: seen.Filled, Mask: seen.Mask})
	h = g.Add(kernels.MatMul{X: a, W: l.out, Residual: h})
	up := g.Add(kernels.MatMul{X: l.norm2.Apply(g, h, epsilon), W: l.up, Act: kernels.GELU})
	return g.Add(kernels.MatMul{X: up, W: l.down, Residual: h})
}
