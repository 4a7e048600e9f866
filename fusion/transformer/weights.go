package transformer

import (
	"fmt"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// Model is a decoder: its configuration and weights.
type Model struct {
	Config  Config
	Weights Weights
	// Prefix is that of an adapter; nil: none. Whoever keeps the states of Blocks
	// puts it into their first rows.
	Prefix *Prefix
}

// Weights by role. Matrices are [outputs, inputs].
type Weights struct {
	Embed       *kernels.Weight // [Vocab, Width]
	Norm        *kernels.Weight
	Head        *kernels.Weight // [Vocab, Width]; Embed itself where they are tied
	RoPEFactors *kernels.Weight // [HeadDim/2], nil where there are none
	Layers      []Layer
}

// Layer is the weights of one block; what the options do not ask for is nil.
type Layer struct {
	AttentionNorm, PostAttentionNorm     *kernels.Weight
	Q, K, V, Output                      *kernels.Weight
	QBias, KBias, VBias                  *kernels.Weight
	QNorm, KNorm                         *kernels.Weight
	FeedForwardNorm, PostFeedForwardNorm *kernels.Weight
	Gate, Up, Down                       *kernels.Weight
	Adapters                             Adapters
	Bottlenecks                          Bottlenecks
}

// names are those of the tensors in one kind of file; %d is the layer.
type names struct {
	embed, norm, head, factors string
	layer                      string
	attentionNorm, postAttention,
	q, k, v, output, qNorm, kNorm,
	feedForwardNorm, postFeedForward,
	gate, up, down string
}

var ggufNames = names{
	embed: "token_embd.weight", norm: "output_norm.weight", head: "output.weight", factors: "rope_freqs.weight",
	layer: "blk.%d.", attentionNorm: "attn_norm.weight", postAttention: "post_attention_norm.weight",
	q: "attn_q", k: "attn_k", v: "attn_v", output: "attn_output.weight", qNorm: "attn_q_norm.weight", kNorm: "attn_k_norm.weight",
	feedForwardNorm: "ffn_norm.weight", postFeedForward: "post_ffw_norm.weight",
	gate: "ffn_gate.weight", up: "ffn_up.weight", down: "ffn_down.weight",
}

var huggingFaceNames = names{
	embed: "model.embed_tokens.weight", norm: "model.norm.weight", head: "lm_head.weight",
	layer: "model.layers.%d.", attentionNorm: "input_layernorm.weight",
	q: "self_attn.q_proj", k: "self_attn.k_proj", v: "self_attn.v_proj", output: "self_attn.o_proj.weight",
	qNorm: "self_attn.q_norm.weight", kNorm: "self_attn.k_norm.weight",
	feedForwardNorm: "post_attention_layernorm.weight",
	gate:            "mlp.gate_proj.weight", up: "mlp.up_proj.weight", down: "mlp.down_proj.weight",
}

// postNormed are the names where a norm follows each branch too: what is the
// feed-forward norm of other models is then the one after attention.
func (n names) postNormed() names {
	if n.postAttention == "" {
		n.postAttention, n.feedForwardNorm, n.postFeedForward = n.feedForwardNorm, "pre_feedforward_layernorm.weight", "post_feedforward_layernorm.weight"
	}
	return n
}

// loader takes weights out of a file and keeps the first error.
type loader struct {
	file *checkpoint.File
	err  error
}

// take gives the tensor called name, of the shape that the configuration asks
// for and without NaN or infinity.
func (l *loader) take(name string, shape ...int) *kernels.Weight {
	if l.err != nil {
		return nil
	}
	t, err := l.file.Shaped(name, shape...)
	if err != nil {
		l.err = err
		return nil
	}
	if err := t.Finite(); err != nil {
		l.err = fmt.Errorf("%s: %w", l.file.Path, err)
		return nil
	}
	w, err := t.Weight()
	l.err = err
	return w
}

func (l *loader) when(wanted bool, name string, shape ...int) *kernels.Weight {
	if !wanted {
		return nil
	}
	return l.take(name, shape...)
}

// load takes the weights that c asks for.
func load(f *checkpoint.File, c Config, n names) (*Model, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: configuration: %w", f.Path, err)
	}
	if c.PostNorms {
		n = n.postNormed()
	}
	// A file that has biases means them, whatever its family usually does.
	c.Bias = c.Bias || f.Has(fmt.Sprintf(n.layer, 0)+n.q+".bias")
	l := &loader{file: f}
	m := &Model{Config: c}
	w := &m.Weights
	w.Embed = l.take(n.embed, c.Vocab, c.Width)
	w.Norm = l.take(n.norm, c.Width)
	w.Head = w.Embed
	if f.Has(n.head) {
		w.Head = l.take(n.head, c.Vocab, c.Width)
	}
	w.RoPEFactors = l.when(f.Has(n.factors), n.factors, c.HeadDim/2)
	w.Layers = make([]Layer, c.Layers())
	for i := range w.Layers {
		w.Layers[i] = l.layer(&c, n, fmt.Sprintf(n.layer, i))
	}
	if l.err != nil {
		return nil, l.err
	}
	return m, nil
}

func (l *loader) layer(c *Config, n names, at string) Layer {
	queries, keys := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	return Layer{
		AttentionNorm:     l.take(at+n.attentionNorm, c.Width),
		PostAttentionNorm: l.when(c.PostNorms, at+n.postAttention, c.Width),

		Q:      l.take(at+n.q+".weight", queries, c.Width),
		K:      l.take(at+n.k+".weight", keys, c.Width),
		V:      l.take(at+n.v+".weight", keys, c.Width),
		Output: l.take(at+n.output, c.Width, queries),
		QBias:  l.when(c.Bias, at+n.q+".bias", queries),
		KBias:  l.when(c.Bias, at+n.k+".bias", keys),
		VBias:  l.when(c.Bias, at+n.v+".bias", keys),
		QNorm:  l.when(c.QKNorm, at+n.qNorm, c.HeadDim),
		KNorm:  l.when(c.QKNorm, at+n.kNorm, c.HeadDim),

		FeedForwardNorm:     l.take(at+n.feedForwardNorm, c.Width),
		PostFeedForwardNorm: l.when(c.PostNorms, at+n.postFeedForward, c.Width),

		Gate: l.take(at+n.gate, c.Hidden, c.Width),
		Up:   l.take(at+n.up, c.Hidden, c.Width),
		Down: l.take(at+n.down, c.Width, c.Hidden),
	}
}
