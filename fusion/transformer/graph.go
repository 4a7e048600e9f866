package transformer

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

// Cache is where the keys and values of a graph go and what its rows see of them.
type Cache struct {
	Rows      int            // positions that fit
	Type      kernels.DType  // F32, F16 or BF16
	Past      kernels.Scalar // rows filled by the runs before
	Positions kernels.Value  // i32 input [rows]
	// Mask and LocalMask are absent, and the rows follow each other; or u8
	// inputs [rows, Rows], 1 where a row sees a key, for the layers that see
	// everything and for those with a window (needed only where there are some).
	Mask, LocalMask kernels.Value
	// Before adds what stands before a layer; nil: nothing does.
	Before func(g *kernels.Graph, layer int, x kernels.Value) kernels.Value
}

// Embed gives the embeddings of ids, an i32 input [rows].
func (m *Model) Embed(g *kernels.Graph, ids kernels.Value) kernels.Value {
	return g.Add(kernels.Embed{Table: m.Weights.Embed, IDs: ids, Scale: m.Config.EmbedScale})
}

// Blocks runs x, [rows, Width], through all layers. Each layer has two states
// of its own, keys.N and values.N, of [Cache.Rows, KVHeads·HeadDim].
func (m *Model) Blocks(g *kernels.Graph, x kernels.Value, cache Cache) kernels.Value {
	for i := range m.Weights.Layers {
		if cache.Before != nil {
			x = cache.Before(g, i, x)
		}
		x = m.attention(g, i, x, cache)
		x = m.feedForward(g, i, x)
	}
	return x
}

// Head gives the logits [rows, Vocab] of what Blocks gave.
func (m *Model) Head(g *kernels.Graph, x kernels.Value) kernels.Value {
	x = m.norm(g, x, m.Weights.Norm, 0)
	limit := m.Config.LogitCap
	if limit == 0 {
		return g.Add(kernels.MatMul{X: x, W: m.Weights.Head})
	}
	x = m.scale(g, x, "1/logit_cap", 1/limit)
	return m.scale(g, g.Add(kernels.MatMul{X: x, W: m.Weights.Head, Act: kernels.Tanh}), "logit_cap", limit)
}

func (m *Model) scale(g *kernels.Graph, x kernels.Value, name string, by float32) kernels.Value {
	return g.Add(kernels.Binary{Kind: kernels.Mul, X: x, Y: g.Add(kernels.Const{W: kernels.NewWeight(name, []float32{by}, 1)})})
}

// norm is the RMS norm of x, or of each of its heads.
func (m *Model) norm(g *kernels.Graph, x kernels.Value, gain *kernels.Weight, heads int) kernels.Value {
	return g.Add(kernels.Norm{X: x, Kind: kernels.RMS, Gain: gain, GainOffset: m.Config.NormOffset, Epsilon: m.Config.Epsilon, Groups: heads})
}

func (m *Model) attention(g *kernels.Graph, i int, x kernels.Value, cache Cache) kernels.Value {
	c, w := &m.Config, &m.Weights.Layers[i]
	rope, window, mask := c.RoPE, 0, cache.Mask
	if c.Local[i] {
		rope, window, mask = c.LocalRoPE, c.Window, cache.LocalMask
	}
	if mask != 0 {
		window = 0 // the mask says it by position, rows of a tree do not follow each other
	}
	turn := func(x kernels.Value, gain *kernels.Weight, heads int) kernels.Value {
		if c.QKNorm {
			x = m.norm(g, x, gain, heads)
		}
		return g.Add(kernels.RoPE{X: x, Positions: cache.Positions, Heads: heads, Base: rope.Base, Scale: rope.Scale,
			Interleaved: c.Interleaved, Factors: m.Weights.RoPEFactors})
	}
	keep := func(x kernels.Value, what string) kernels.Value {
		state := g.State(fmt.Sprintf("%s.%d", what, i), cache.Type, kernels.N(cache.Rows), kernels.N(c.KVHeads*c.HeadDim))
		return g.Add(kernels.Store{X: x, State: state, At: cache.Past})
	}
	h := m.norm(g, x, w.AttentionNorm, 0)
	q := turn(linear(g, kernels.MatMul{X: h, W: w.Q, Bias: w.QBias}, w.Adapters.Q), w.QNorm, c.Heads)
	k := turn(linear(g, kernels.MatMul{X: h, W: w.K, Bias: w.KBias}, w.Adapters.K), w.KNorm, c.KVHeads)
	v := linear(g, kernels.MatMul{X: h, W: w.V, Bias: w.VBias}, w.Adapters.V)
	a := g.Add(kernels.Attention{Q: q, K: keep(k, "keys"), V: keep(v, "values"), Heads: c.Heads, KVHeads: c.KVHeads,
		Scale: c.QueryScale, Causal: true, Window: window, Past: cache.Past, SoftCap: c.AttentionCap, Mask: mask})
	return m.join(g, x, kernels.MatMul{X: a, W: w.Output}, w.Adapters.Output, w.Bottlenecks.Attention, w.PostAttentionNorm)
}

func (m *Model) feedForward(g *kernels.Graph, i int, x kernels.Value) kernels.Value {
	w := &m.Weights.Layers[i]
	h := m.norm(g, x, w.FeedForwardNorm, 0)
	gate := linear(g, kernels.MatMul{X: h, W: w.Gate}, w.Adapters.Gate)
	up := linear(g, kernels.MatMul{X: h, W: w.Up}, w.Adapters.Up)
	h = g.Add(kernels.Binary{Kind: kernels.Mul, X: gate, Y: up, Act: m.Config.Activation})
	return m.join(g, x, kernels.MatMul{X: h, W: w.Down}, w.Adapters.Down, w.Bottlenecks.FeedForward, w.PostFeedForwardNorm)
}

// linear is the product and what an adapter adds to it.
func linear(g *kernels.Graph, product kernels.MatMul, adapter *LowRank) kernels.Value {
	y := g.Add(product)
	if adapter == nil {
		return y
	}
	low := g.Add(kernels.MatMul{X: product.X, W: adapter.A})
	return g.Add(kernels.MatMul{X: low, W: adapter.B, Residual: y})
}

// join adds a branch, whose last product is given, to the residual stream.
func (m *Model) join(g *kernels.Graph, x kernels.Value, last kernels.MatMul, adapter *LowRank, behind *Bottleneck, postNorm *kernels.Weight) kernels.Value {
	if !m.Config.PostNorms && behind == nil {
		last.Residual = x
		return linear(g, last, adapter)
	}
	branch := linear(g, last, adapter)
	if behind != nil {
		branch = behind.build(g, branch)
	}
	if m.Config.PostNorms {
		branch = m.norm(g, branch, postNorm, 0)
	}
	return g.Add(kernels.Binary{Kind: kernels.Add, X: x, Y: branch})
}
