package encoder

import "github.com/kuai-robot/kuai/kernels"

// Layer is the weights of one block.
type Layer struct {
	AttentionNorm   Norm
	Q, K, V, Output Linear
	FeedForwardNorm Norm
	Up, Down        Linear
}

// Stack is the blocks of one encoder.
type Stack struct {
	Heads      int
	Epsilon    float32
	Activation kernels.Activation
	// Causal: a token sees itself and what came before.
	Causal bool
	// PostNorm: the norm follows the sum, as in BERT (arXiv 1810.04805), instead
	// of preceding the branch.
	PostNorm bool
	Layers   []Layer
}

// Build runs x, [tokens, width], through all blocks.
func (s *Stack) Build(g *kernels.Graph, x kernels.Value) kernels.Value {
	for i := range s.Layers {
		l := &s.Layers[i]
		if s.PostNorm {
			x = l.AttentionNorm.Apply(g, s.attend(g, l, x, x), s.Epsilon)
			x = l.FeedForwardNorm.Apply(g, s.feedForward(g, l, x, x), s.Epsilon)
			continue
		}
		x = s.attend(g, l, l.AttentionNorm.Apply(g, x, s.Epsilon), x)
		x = s.feedForward(g, l, l.FeedForwardNorm.Apply(g, x, s.Epsilon), x)
	}
	return x
}

func (s *Stack) attend(g *kernels.Graph, l *Layer, x, residual kernels.Value) kernels.Value {
	q, k, v := l.Q.Apply(g, x, kernels.Identity), l.K.Apply(g, x, kernels.Identity), l.V.Apply(g, x, kernels.Identity)
	a := g.Add(kernels.Attention{Q: q, K: k, V: v, Heads: s.Heads, KVHeads: s.Heads, Causal: s.Causal})
	return g.Add(kernels.MatMul{X: a, W: l.Output.W, Bias: l.Output.Bias, Residual: residual})
}

func (s *Stack) feedForward(g *kernels.Graph, l *Layer, x, residual kernels.Value) kernels.Value {
	h := l.Up.Apply(g, x, s.Activation)
	return g.Add(kernels.MatMul{X: h, W: l.Down.W, Bias: l.Down.Bias, Residual: residual})
}
