package vision

import (
	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/encoder"
)

// Tower is the weights of an image encoder. It does not change after it was
// loaded.
type Tower struct {
	Config Config

	class     *kernels.Weight // [width]; nil in SigLIP
	patches   encoder.Linear  // W [width, 3, patch, patch]; the bias is nil in CLIP
	positions *kernels.Weight // [tokens, width]
	before    encoder.Norm    // CLIP
	stack     encoder.Stack
	after     encoder.Norm
	project   *kernels.Weight // [embedding, width]; CLIP
	pool      attentionPool   // SigLIP
}

// attentionPool is one learnt query that looks at all patches (the head of
// SigLIP's tower; MAP of arXiv 2106.04560).
type attentionPool struct {
	probe    *kernels.Weight // [1, width]
	q, k, v  encoder.Linear
	output   encoder.Linear
	norm     encoder.Norm
	up, down encoder.Linear
}

// Load takes the tower of a configuration out of a file.
func Load(f *checkpoint.File, c Config) (*Tower, error) {
	l := encoder.NewLoader(f)
	t := &Tower{Config: c}
	const at = "vision_model."
	tokens := c.Patches()
	t.patches.W = l.Take(at+"embeddings.patch_embedding.weight", c.Width, 3, c.Patch, c.Patch)
	if c.Family == CLIP {
		tokens++
		t.class = l.Take(at+"embeddings.class_embedding", c.Width)
		t.before = l.Norm(at+"pre_layrnorm", c.Width) // spelt so in the files
		t.project = l.Take("visual_projection.weight", c.Embedding, c.Width)
	} else {
		t.patches.Bias = l.Take(at+"embeddings.patch_embedding.bias", c.Width)
		t.pool = loadPool(l, at+"head.", &c)
	}
	t.positions = l.Take(at+"embeddings.position_embedding.weight", tokens, c.Width)
	t.stack = c.Load(l, encoder.CLIPNames(at))
	t.after = l.Norm(at+"post_layernorm", c.Width)
	return t, l.Err()
}

func loadPool(l *encoder.Loader, at string, c *Config) attentionPool {
	w := encoder.Split(l.Take(at+"attention.in_proj_weight", 3*c.Width, c.Width), 3)
	b := encoder.Split(l.Take(at+"attention.in_proj_bias", 3*c.Width), 3)
	p := attentionPool{
		q: encoder.Linear{W: w[0], Bias: b[0]}, k: encoder.Linear{W: w[1], Bias: b[1]}, v: encoder.Linear{W: w[2], Bias: b[2]},
		output: l.Linear(at+"attention.out_proj", c.Width, c.Width),
		norm:   l.Norm(at+"layernorm", c.Width),
		up:     l.Linear(at+"mlp.fc1", c.Hidden, c.Width),
		down:   l.Linear(at+"mlp.fc2", c.Width, c.Hidden),
	}
	if probe := l.Take(at+"probe", 1, 1, c.Width); probe != nil {
		flat := *probe
		flat.Shape = []int{1, c.Width}
		p.probe = &flat
	}
	return p
}

// Build adds the tower to a graph. pixels is a u8 input [Size, Size, 3]; hidden
// is [tokens, width], one row a patch after the class token of CLIP; embedding
// is [1, Embedding], of unit length.
func (t *Tower) Build(g *kernels.Graph, pixels kernels.Value) (hidden, embedding kernels.Value) {
	c := &t.Config
	x := g.Add(kernels.Conv2D{X: pixels, W: t.patches.W, Bias: t.patches.Bias, Stride: c.Patch,
		PixelScale: c.Preprocess.Scale[:], PixelShift: c.Preprocess.Shift[:]})
	x = g.Add(kernels.Reshape{X: x, Shape: kernels.Shape{kernels.N(c.Patches()), kernels.N(c.Width)}})
	if t.class != nil {
		x = g.Add(kernels.Concat{Xs: []kernels.Value{g.Add(kernels.Const{W: t.class}), x}})
	}
	x = g.Add(kernels.Binary{X: x, Y: g.Add(kernels.Const{W: t.positions})})
	if c.Family == CLIP {
		x = t.before.Apply(g, x, c.Epsilon)
		hidden = t.stack.Build(g, x)
		x = g.Add(kernels.Slice{X: hidden, Len: 1})
		x = g.Add(kernels.MatMul{X: t.after.Apply(g, x, c.Epsilon), W: t.project})
	} else {
		hidden = t.after.Apply(g, t.stack.Build(g, x), c.Epsilon)
		x = t.pool.build(g, hidden, &t.stack)
	}
	return hidden, g.Add(kernels.Norm{X: x, Kind: kernels.L2, Epsilon: 1e-12})
}

func (p *attentionPool) build(g *kernels.Graph, x kernels.Value, s *encoder.Stack) kernels.Value {
	q := p.q.Apply(g, g.Add(kernels.Const{W: p.probe}), kernels.Identity)
	k, v := p.k.Apply(g, x, kernels.Identity), p.v.Apply(g, x, kernels.Identity)
	a := g.Add(kernels.Attention{Q: q, K: k, V: v, Heads: s.Heads, KVHeads: s.Heads})
	x = p.output.Apply(g, a, kernels.Identity)
	h := p.up.Apply(g, p.norm.Apply(g, x, s.Epsilon), s.Activation)
	return g.Add(kernels.MatMul{X: h, W: p.down.W, Bias: p.down.Bias, Residual: x})
}
