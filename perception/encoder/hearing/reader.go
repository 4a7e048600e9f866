package hearing

import (
	"fmt"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/encoder"
)

// Reader takes Whisper's weights out of a file of either layout.
type Reader struct {
	*encoder.Loader
	ct2   bool
	width int
}

// NewReader reads f, which has the shape c.
func NewReader(f *checkpoint.File, c Config) *Reader {
	return &Reader{Loader: encoder.NewLoader(f), ct2: isCTranslate2(f), width: c.Width}
}

// Name picks the name of the layout.
func (r *Reader) Name(huggingFace, ctranslate2 string) string {
	if r.ct2 {
		return ctranslate2
	}
	return "model." + huggingFace
}

// NormOf takes a layer norm.
func (r *Reader) NormOf(huggingFace, ctranslate2 string) encoder.Norm {
	if r.ct2 {
		return encoder.Norm{Gain: r.Take(ctranslate2+"/gamma", r.width), Bias: r.Take(ctranslate2+"/beta", r.width)}
	}
	return r.Norm("model."+huggingFace, r.width)
}

// linear takes a matrix and its bias from CTranslate2.
func (r *Reader) linear(name string, outputs, inputs int) encoder.Linear {
	return encoder.Linear{W: r.Take(name+"/weight", outputs, inputs), Bias: r.Take(name+"/bias", outputs)}
}

// split takes parts of one matrix.
func (r *Reader) split(name string, parts int) []encoder.Linear {
	whole := r.linear(name, parts*r.width, r.width)
	w, b := encoder.Split(whole.W, parts), encoder.Split(whole.Bias, parts)
	out := make([]encoder.Linear, parts)
	for i := range out {
		out[i] = encoder.Linear{W: w[i], Bias: b[i]}
	}
	return out
}

// Attention is the weights of one attention with the norm before it.
type Attention struct {
	Norm            encoder.Norm
	Q, K, V, Output encoder.Linear
}

// SelfAttention takes that of a layer of side "encoder" or "decoder".
func (r *Reader) SelfAttention(side string, layer int) Attention {
	if !r.ct2 {
		return r.attention(fmt.Sprintf("model.%s.layers.%d.self_attn", side, layer))
	}
	at := fmt.Sprintf("%s/layer_%d/self_attention/", side, layer)
	qkv := r.split(at+"linear_0", 3)
	return Attention{r.NormOf("", at+"layer_norm"), qkv[0], qkv[1], qkv[2], r.linear(at+"linear_1", r.width, r.width)}
}

// CrossAttention takes that of a layer of the decoder.
func (r *Reader) CrossAttention(layer int) Attention {
	if !r.ct2 {
		return r.attention(fmt.Sprintf("model.decoder.layers.%d.encoder_attn", layer))
	}
	at := fmt.Sprintf("decoder/layer_%d/attention/", layer)
	kv := r.split(at+"linear_1", 2)
	return Attention{r.NormOf("", at+"layer_norm"), r.linear(at+"linear_0", r.width, r.width), kv[0], kv[1], r.linear(at+"linear_2", r.width, r.width)}
}

// attention takes the layout of Hugging Face, where keys have no bias.
func (r *Reader) attention(at string) Attention {
	return Attention{
		Norm: r.Norm(at+"_layer_norm", r.width),
		Q:    r.Linear(at+".q_proj", r.width, r.width), K: encoder.Linear{W: r.Take(at+".k_proj.weight", r.width, r.width)},
		V: r.Linear(at+".v_proj", r.width, r.width), Output: r.Linear(at+".out_proj", r.width, r.width),
	}
}

// FeedForward is the weights of the second half of a layer.
type FeedForward struct {
	Norm     encoder.Norm
	Up, Down encoder.Linear
}

// FeedForward takes that of a layer of side "encoder" or "decoder".
func (r *Reader) FeedForward(side string, layer, hidden int) FeedForward {
	if r.ct2 {
		at := fmt.Sprintf("%s/layer_%d/ffn/", side, layer)
		return FeedForward{r.NormOf("", at+"layer_norm"), r.linear(at+"linear_0", hidden, r.width), r.linear(at+"linear_1", r.width, hidden)}
	}
	at := fmt.Sprintf("model.%s.layers.%d.", side, layer)
	return FeedForward{r.Norm(at+"final_layer_norm", r.width), r.Linear(at+"fc1", hidden, r.width), r.Linear(at+"fc2", r.width, hidden)}
}

// Build adds the feed-forward branch and its residual to a graph.
func (f *FeedForward) Build(g *kernels.Graph, x kernels.Value) kernels.Value {
	h := f.Up.Apply(g, f.Norm.Apply(g, x, Epsilon), kernels.GELU)
	return g.Add(kernels.MatMul{X: h, W: f.Down.W, Bias: f.Down.Bias, Residual: x})
}
