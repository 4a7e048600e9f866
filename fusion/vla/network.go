package vla

import (
	"fmt"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/encoder"
)

// epsilon is that of PyTorch's layer norm.
const epsilon = 1e-5

// network is the weights.
type network struct {
	config       *Config
	front, wrist stem
	pictures     encoder.Norm
	word         *kernels.Weight
	slot         *kernels.Weight
	body         encoder.Linear
	seek, act    *kernels.Weight
	pool         [2]*kernels.Weight // weights of the words by their place, a column each
	seekWord     encoder.Linear
	noisy, time  encoder.Linear // flow matching
	layers       []layer
	norm         encoder.Norm
	action, done encoder.Linear
	where        encoder.Linear
}

type stem struct {
	convs []encoder.Linear
	tuned []encoder.Linear // the phrase's gains and shifts of each but the first and the last
	place *kernels.Weight
	size  [2]int
}

type attention struct{ q, k, v, o encoder.Linear }

type layer struct {
	own, see         attention
	normOwn, normSee encoder.Norm
	normMLP          encoder.Norm
	up, down         encoder.Linear
}

func load(f *checkpoint.File, c *Config) (*network, error) {
	l := encoder.NewLoader(f)
	n := &network{config: c}
	n.front, n.wrist = loadStem(l, c, "front", c.Front), loadStem(l, c, "wrist", c.Wrist)
	n.pictures = l.Norm("norm_pictures", c.Width)
	n.word = l.Take("word.weight", len(c.Vocabulary), c.Width)
	n.slot = l.Take("slot", c.Slots, c.Width)
	n.body = l.Linear("body", c.Width, c.Features)
	n.loadPool(l.Take("pool", 2, c.Slots))
	n.seekWord = l.Linear("seek_word", c.Width, c.Width)
	n.seek, n.act = l.Take("seek", 2, c.Width), l.Take("act", c.Horizon, c.Width)
	if c.Flow {
		n.noisy, n.time = l.Linear("noisy", c.Width, c.Action), l.Linear("time", c.Width, timeWaves)
	}
	for i := range c.Layers {
		at := fmt.Sprintf("layers.%d.", i)
		n.layers = append(n.layers, layer{
			own: loadAttention(l, at+"own", c.Width), see: loadAttention(l, at+"see", c.Width),
			normOwn: l.Norm(at+"norm_own", c.Width), normSee: l.Norm(at+"norm_see", c.Width), normMLP: l.Norm(at+"norm_mlp", c.Width),
			up: l.Linear(at+"up", c.Hidden, c.Width), down: l.Linear(at+"down", c.Width, c.Hidden),
		})
	}
	n.norm = l.Norm("norm", c.Width)
	n.action, n.done, n.where = l.Linear("action", c.Action, c.Width), l.Linear("done", 1, c.Width), l.Linear("where", 3, c.Width)
	return n, l.Err()
}

// loadPool cuts the weights of the words into columns. A mean over the rows is
// what the graph has; times their number it is the sum.
func (n *network) loadPool(w *kernels.Weight) {
	if w == nil {
		return
	}
	slots := w.Cols()
	for i := range n.pool {
		column := make([]float32, slots)
		w.Row(column, i)
		for k := range column {
			column[k] *= float32(slots)
		}
		n.pool[i] = kernels.NewWeight(fmt.Sprintf("pool.%d", i), column, slots, 1)
	}
}

func loadStem(l *encoder.Loader, c *Config, name string, size [2]int) stem {
	s := stem{size: size, place: l.Take(name+".place", c.tokens(size), c.Width)}
	in := 3
	for i := range len(c.Stem) + 1 {
		out := c.Width
		if i < len(c.Stem) {
			out = c.Stem[i]
		}
		at := fmt.Sprintf("%s.convs.%d", name, i)
		s.convs = append(s.convs, encoder.Linear{W: l.Take(at+".weight", out, in, 3, 3), Bias: l.Take(at+".bias", out)})
		if i > 0 && i < len(c.Stem) {
			s.tuned = append(s.tuned, l.Linear(fmt.Sprintf("%s.tuned.%d", name, i-1), 2*out, 2*c.Width))
		}
		in = out
	}
	return s
}

func loadAttention(l *encoder.Loader, at string, width int) attention {
	return attention{l.Linear(at+".q", width, width), l.Linear(at+".k", width, width), l.Linear(at+".v", width, width), l.Linear(at+".o", width, width)}
}

// ports are the values of a graph that a session fills and reads.
type ports struct {
	front, wrist, words, features kernels.Value
	noise, time                   kernels.Value
	action, done, where           kernels.Value
}

// build adds the network to g.
func (n *network) build(g *kernels.Graph) ports {
	c := n.config
	picture := func(name string, size [2]int) kernels.Value {
		return g.Input(name, kernels.U8, kernels.N(size[0]), kernels.N(size[1]), kernels.N(3))
	}
	p := ports{
		front: picture("front", c.Front), wrist: picture("wrist", c.Wrist),
		words:    g.Input("words", kernels.I32, kernels.N(c.Slots)),
		features: g.Input("features", kernels.F32, kernels.N(1), kernels.N(c.Features)),
	}
	said := g.Add(kernels.Embed{Table: n.word, IDs: p.words})
	var asked [2]kernels.Value
	for i, column := range n.pool {
		asked[i] = g.Add(kernels.MeanRows{X: g.Add(kernels.Binary{Kind: kernels.Mul, X: said, Y: g.Add(kernels.Const{W: column})})})
	}
	phrase := g.Add(kernels.Concat{Xs: asked[:], Axis: 1})
	seek := n.seekWord.Apply(g, g.Add(kernels.Concat{Xs: asked[:]}), kernels.Identity)
	seek = g.Add(kernels.Binary{X: seek, Y: g.Add(kernels.Const{W: n.seek})})
	seen := g.Add(kernels.Concat{Xs: []kernels.Value{n.front.build(g, c, p.front, phrase), n.wrist.build(g, c, p.wrist, phrase)}})
	seen = n.pictures.Apply(g, seen, epsilon)
	words := g.Add(kernels.Binary{X: said, Y: g.Add(kernels.Const{W: n.slot})})
	act := g.Add(kernels.Const{W: n.act})
	if c.Flow {
		p.noise = g.Input("noise", kernels.F32, kernels.N(c.Horizon), kernels.N(c.Action))
		p.time = g.Input("time", kernels.F32, kernels.N(1), kernels.N(timeWaves))
		act = g.Add(kernels.Binary{X: act, Y: n.noisy.Apply(g, p.noise, kernels.Identity)})
		act = g.Add(kernels.Binary{X: act, Y: n.time.Apply(g, p.time, kernels.Identity)})
	}
	x := g.Add(kernels.Concat{Xs: []kernels.Value{
		words, n.body.Apply(g, p.features, kernels.Identity), seek, act,
	}})
	for i := range n.layers {
		x = n.layers[i].build(g, c, x, seen)
	}
	x = n.norm.Apply(g, x, epsilon)
	acts := g.Add(kernels.Slice{X: x, Start: c.Slots + 3, Len: c.Horizon})
	p.action = n.action.Apply(g, acts, kernels.Identity)
	p.done = n.done.Apply(g, acts, kernels.Sigmoid)
	p.where = n.where.Apply(g, g.Add(kernels.Slice{X: x, Start: c.Slots + 1, Len: 2}), kernels.Identity)
	g.Output("action", p.action)
	g.Output("done", p.done)
	g.Output("where", p.where)
	return p
}

// pixel is how a byte of a picture is scaled to −1..1.
var pixelScale, pixelShift = []float32{1 / 127.5, 1 / 127.5, 1 / 127.5}, []float32{-1, -1, -1}

func (s *stem) build(g *kernels.Graph, c *Config, x, phrase kernels.Value) kernels.Value {
	for i, conv := range s.convs {
		op := kernels.Conv2D{X: x, W: conv.W, Bias: conv.Bias, Stride: 2, Padding: 1, Act: kernels.ReLU}
		if i == 0 {
			op.PixelScale, op.PixelShift = pixelScale, pixelShift
		}
		tuned := i > 0 && i < len(s.convs)-1
		if tuned || i == len(s.convs)-1 {
			op.Act = kernels.Identity
		}
		x = g.Add(op)
		if tuned {
			x = tune(g, s.tuned[i-1], x, phrase)
		}
	}
	x = g.Add(kernels.Reshape{X: x, Shape: kernels.Shape{kernels.N(c.tokens(s.size)), kernels.N(c.Width)}})
	return g.Add(kernels.Binary{X: x, Y: g.Add(kernels.Const{W: s.place})})
}

// tune scales and shifts the channels of x, [H, W, C], as the phrase asks for
// (FiLM, arXiv 1709.07871).
func tune(g *kernels.Graph, by encoder.Linear, x, phrase kernels.Value) kernels.Value {
	shape := g.Shape(x)
	if len(shape) != 3 {
		return x // the graph has failed already
	}
	channels := shape[2].Max()
	factors := by.Apply(g, phrase, kernels.Identity)
	x = g.Add(kernels.Reshape{X: x, Shape: kernels.Shape{kernels.N(shape[0].Max() * shape[1].Max()), shape[2]}})
	x = g.Add(kernels.Binary{Kind: kernels.Mul, X: x, Y: g.Add(kernels.Slice{X: factors, Axis: 1, Len: channels})})
	x = g.Add(kernels.Binary{X: x, Y: g.Add(kernels.Slice{X: factors, Axis: 1, Start: channels, Len: channels})})
	return g.Add(kernels.Reshape{X: g.Add(kernels.Activate{X: x, Act: kernels.ReLU}), Shape: shape})
}

func (a *attention) build(g *kernels.Graph, heads int, x, y, residual kernels.Value) kernels.Value {
	at := g.Add(kernels.Attention{
		Q: a.q.Apply(g, x, kernels.Identity), K: a.k.Apply(g, y, kernels.Identity), V: a.v.Apply(g, y, kernels.Identity),
		Heads: heads, KVHeads: heads,
	})
	return g.Add(kernels.MatMul{X: at, W: a.o.W, Bias: a.o.Bias, Residual: residual})
}

func (l *layer) build(g *kernels.Graph, c *Config, x, seen kernels.Value) kernels.Value {
	y := l.normOwn.Apply(g, x, epsilon)
	x = l.own.build(g, c.Heads, y, y, x)
	x = l.see.build(g, c.Heads, l.normSee.Apply(g, x, epsilon), seen, x)
	h := l.up.Apply(g, l.normMLP.Apply(g, x, epsilon), kernels.GELU)
	return g.Add(kernels.MatMul{X: h, W: l.down.W, Bias: l.down.Bias, Residual: x})
}
