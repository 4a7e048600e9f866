package speech

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/encoder"
	"github.com/kuai-robot/kuai/perception/encoder/hearing"
)

// decoder is the weights of Whisper's decoder.
type decoder struct {
	config           hearing.Config
	words, positions *kernels.Weight // [vocabulary, width], [tokens, width]
	layers           []decoderLayer
	norm             encoder.Norm
	head             *kernels.Weight // words itself where they are tied
	cross            kernels.DType   // of what the decoder attends to
}

type decoderLayer struct {
	self, cross hearing.Attention
	feedForward hearing.FeedForward
}

func loadDecoder(r *hearing.Reader, c hearing.Config) (*decoder, error) {
	d := &decoder{config: c, cross: kernels.F16, layers: make([]decoderLayer, c.Decoder.Layers)}
	d.words = r.Take(r.Name("decoder.embed_tokens.weight", "decoder/embeddings/weight"), c.Vocabulary, c.Width)
	d.positions = r.Take(r.Name("decoder.embed_positions.weight", "decoder/position_encodings/encodings"), c.Tokens, c.Width)
	for i := range d.layers {
		d.layers[i] = decoderLayer{r.SelfAttention("decoder", i), r.CrossAttention(i), r.FeedForward("decoder", i, c.Decoder.Hidden)}
	}
	d.norm = r.NormOf("decoder.layer_norm", "decoder/layer_norm")
	d.head = d.words
	if r.Has("proj_out.weight") {
		d.head = r.Take("proj_out.weight", c.Vocabulary, c.Width)
	}
	return d, r.Err()
}

// encodeProgram hears a clip: it leaves in its states what each layer of the
// decoder attends to.
type encodeProgram struct {
	*kernels.Program
	hearing.Inputs
	hidden kernels.Value
	cross  []kernels.Value // states: the keys and values of each layer of the decoder
}

// decodeProgram reads tokens that see what the mask says, and gives the
// log-probabilities of what follows selected ones.
type decodeProgram struct {
	*kernels.Program
	tokens, past, heard, selected kernels.Scalar
	ids, places, rows, mask       kernels.Value
	logp                          kernels.Value
	cache                         int // rows
}

// crossState declares what the two programs share.
func (d *decoder) crossState(g *kernels.Graph, what string, layer int) kernels.Value {
	return g.State(fmt.Sprintf("cross.%s.%d", what, layer), d.cross, kernels.N(d.config.Positions), kernels.N(d.config.Width))
}

// compileEncode makes a program that hears a spectrogram or, with sound, the samples.
func (d *decoder) compileEncode(t *hearing.Tower, backend kernels.Backend, o kernels.Options, sound bool) (p *encodeProgram, err error) {
	g := kernels.NewGraph("whisper encode")
	p = &encodeProgram{}
	if sound {
		p.Inputs, p.hidden, err = t.BuildSound(g, &o)
	} else {
		p.Inputs, p.hidden = t.Build(g)
	}
	if err != nil {
		return nil, err
	}
	for i := range d.layers {
		a := &d.layers[i].cross
		keys, values := d.crossState(g, "keys", i), d.crossState(g, "values", i)
		g.Add(kernels.Store{X: a.K.Apply(g, p.hidden, kernels.Identity), State: keys})
		g.Add(kernels.Store{X: a.V.Apply(g, p.hidden, kernels.Identity), State: values})
		p.cross = append(p.cross, keys, values)
	}
	g.Output("hidden", p.hidden)
	p.Program, err = kernels.Compile(g, backend, o)
	return p, err
}

// compileDecode makes a program for passes of up to batch tokens, with a cache
// of so many rows.
func (d *decoder) compileDecode(backend kernels.Backend, o kernels.Options, batch, cache int) (*decodeProgram, error) {
	g, p := kernels.NewGraph("whisper decode"), &decodeProgram{cache: cache}
	p.tokens, p.past, p.selected = g.Scalar("tokens", batch), g.Scalar("past", cache), g.Scalar("selected", batch)
	p.heard = g.Scalar("heard", d.config.Positions)
	p.ids = g.Input("ids", kernels.I32, p.tokens.Dim())
	p.places = g.Input("places", kernels.I32, p.tokens.Dim())
	p.rows = g.Input("rows", kernels.I32, p.selected.Dim())
	p.mask = g.Input("mask", kernels.U8, p.tokens.Dim(), kernels.N(cache))
	x := g.Add(kernels.Embed{Table: d.words, IDs: p.ids})
	x = g.Add(kernels.Binary{X: x, Y: g.Add(kernels.Embed{Table: d.positions, IDs: p.places})})
	for i := range d.layers {
		l := &d.layers[i]
		x = d.attendSelf(g, p, i, x)
		x = d.attendCross(g, p, i, x)
		x = l.feedForward.Build(g, x)
	}
	x = d.norm.Apply(g, g.Add(kernels.Gather{X: x, Rows: p.rows}), hearing.Epsilon)
	p.logp = g.Add(kernels.Softmax{X: g.Add(kernels.MatMul{X: x, W: d.head}), Log: true})
	g.Output("logp", p.logp)
	var err error
	p.Program, err = kernels.Compile(g, backend, o)
	return p, err
}

func (d *decoder) attendSelf(g *kernels.Graph, p *decodeProgram, i int, x kernels.Value) kernels.Value {
	a, heads := &d.layers[i].self, d.config.Decoder.Heads
	h := a.Norm.Apply(g, x, hearing.Epsilon)
	keep := func(m encoder.Linear, what string) kernels.Value {
		state := g.State(fmt.Sprintf("self.%s.%d", what, i), kernels.F32, kernels.N(p.cache), kernels.N(d.config.Width))
		return g.Add(kernels.Store{X: m.Apply(g, h, kernels.Identity), State: state, At: p.past})
	}
	q := a.Q.Apply(g, h, kernels.Identity)
	h = g.Add(kernels.Attention{Q: q, K: keep(a.K, "keys"), V: keep(a.V, "values"), Heads: heads, KVHeads: heads,
		Causal: true, Past: p.past, Mask: p.mask})
	return g.Add(kernels.MatMul{X: h, W: a.Output.W, Bias: a.Output.Bias, Residual: x})
}

func (d *decoder) attendCross(g *kernels.Graph, p *decodeProgram, i int, x kernels.Value) kernels.Value {
	a, heads := &d.layers[i].cross, d.config.Decoder.Heads
	q := a.Q.Apply(g, a.Norm.Apply(g, x, hearing.Epsilon), kernels.Identity)
	h := g.Add(kernels.Attention{Q: q, K: d.crossState(g, "keys", i), V: d.crossState(g, "values", i), Heads: heads, KVHeads: heads,
		Length: p.heard})
	return g.Add(kernels.MatMul{X: h, W: a.Output.W, Bias: a.Output.Bias, Residual: x})
}
