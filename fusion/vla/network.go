package vla

import (
	"fmt"
	"maps"
	"slices"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/encoder"
)

// epsilon is that of PyTorch's layer norm.
const epsilon = 1e-5

// padding is that of every convolution.
const padding = 1

// asked is how many sums of words there are: of what is taken, of where it goes,
// and of all of them.
const asked = 3

// network is the weights.
type network struct {
	config       *Config
	front, wrist stem
	pictures     encoder.Norm
	key, value   encoder.Linear // of the pictures, for every layer
	word         *kernels.Weight
	said, body   encoder.Linear
	seek, act    *kernels.Weight
	pool         [asked]*kernels.Weight // weights of the words by their place, a column each
	seekWord     encoder.Linear
	gaze         gaze
	noisy, time  encoder.Linear // flow matching
	layers       []layer
	norm         encoder.Norm
	action, done encoder.Linear
	where        encoder.Linear
	judge        [2]encoder.Linear // of a policy that has one
}

// judged are the latents that a judge looks at: what is said, both things, and the
// next actions.
var judged = [...]int{0, 2, 3, 4}

type stem struct {
	convs []encoder.Linear
	tuned []encoder.Linear // the phrase's gains and shifts of each but the first and the last
	place *kernels.Weight
	size  [2]int
}

type layer struct {
	qkv              []encoder.Linear // of the latents
	own, q, see      encoder.Linear
	normOwn, normSee encoder.Norm
	normMLP          encoder.Norm
	up, down         encoder.Linear
}

func load(f *checkpoint.File, c *Config) (*network, error) {
	l := encoder.NewLoader(f)
	n := &network{config: c}
	n.front, n.wrist = loadStem(l, c, "front", c.Front), loadStem(l, c, "wrist", c.Wrist)
	n.pictures = l.Norm("norm_pictures", c.Width)
	n.key, n.value = l.Linear("key", c.Width, c.Width), l.Linear("value", c.Width, c.Width)
	n.word = l.Take("word.weight", len(c.Vocabulary), c.Width)
	n.said, n.body = l.Linear("said", c.Width, asked*c.Width), l.Linear("body", c.Width, c.Features)
	n.loadPool(l.Take("pool", asked, c.Slots))
	n.seekWord = l.Linear("seek_word", c.Width, c.Width)
	n.seek, n.act = l.Take("seek", 2, c.Width), l.Take("act", c.Horizon/c.Group, c.Width)
	n.gaze = loadGaze(l, c)
	if c.Flow {
		n.noisy, n.time = l.Linear("noisy", c.Width, c.Group*c.Action), l.Linear("time", c.Width, timeWaves)
	}
	for i := range c.Layers {
		n.layers = append(n.layers, loadLayer(l, c, fmt.Sprintf("layers.%d.", i)))
	}
	n.norm = l.Norm("norm", c.Width)
	n.action, n.done = l.Linear("action", c.Group*c.Action, c.Width), l.Linear("done", c.Group, c.Width)
	n.where = l.Linear("where", 3, c.Width)
	if c.Judge > 0 {
		n.judge = [2]encoder.Linear{l.Linear("judge.up", c.Judge, len(judged)*c.Width), l.Linear("judge.out", 2, c.Judge)}
	}
	return n, l.Err()
}

func loadLayer(l *encoder.Loader, c *Config, at string) layer {
	qkv := l.Linear(at+"qkv", 3*c.Width, c.Width)
	out := layer{
		own: l.Linear(at+"own", c.Width, c.Width), q: l.Linear(at+"q", c.Width, c.Width), see: l.Linear(at+"see", c.Width, c.Width),
		normOwn: l.Norm(at+"norm_own", c.Width), normSee: l.Norm(at+"norm_see", c.Width), normMLP: l.Norm(at+"norm_mlp", c.Width),
		up: l.Linear(at+"up", c.Hidden, c.Width), down: l.Linear(at+"down", c.Width, c.Hidden),
	}
	w, bias := encoder.Split(qkv.W, 3), encoder.Split(qkv.Bias, 3)
	for i := range w {
		out.qkv = append(out.qkv, encoder.Linear{W: w[i], Bias: bias[i]})
	}
	return out
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
		s.convs = append(s.convs, encoder.Linear{W: l.Take(at+".weight", out, in, c.Kernels[i], c.Kernels[i]), Bias: l.Take(at+".bias", out)})
		if i > 0 && i < len(c.Stem) {
			s.tuned = append(s.tuned, l.Linear(fmt.Sprintf("%s.tuned.%d", name, i-1), 2*out, asked*c.Width))
		}
		in = out
	}
	return s
}

// ports are the values of a graph that a session fills and reads.
type ports struct {
	front, wrist, words, features kernels.Value
	noise, time                   kernels.Value
	action, done, where           kernels.Value
	judge                         kernels.Value   // how likely it is to succeed, and that it is done
	sure                          []kernels.Value // a part of the cells each, [2, cells of the part]
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
	var sums [asked]kernels.Value
	for i, column := range n.pool {
		sums[i] = g.Add(kernels.MeanRows{X: g.Add(kernels.Binary{Kind: kernels.Mul, X: said, Y: g.Add(kernels.Const{W: column})})})
	}
	phrase := g.Add(kernels.Concat{Xs: sums[:], Axis: 1})
	things := g.Add(kernels.Concat{Xs: sums[:2]})
	front, cells := n.front.build(g, c, p.front, phrase)
	wrist, _ := n.wrist.build(g, c, p.wrist, phrase)
	seen := n.pictures.Apply(g, g.Add(kernels.Concat{Xs: []kernels.Value{front, wrist}}), epsilon)
	seek := n.seekWord.Apply(g, things, kernels.Identity)
	seek = g.Add(kernels.Binary{X: seek, Y: g.Add(kernels.Const{W: n.seek})})
	seek, p.sure = n.gaze.build(g, things, cells, seek)
	latents := c.Horizon / c.Group
	act := g.Add(kernels.Const{W: n.act})
	if c.Flow {
		p.noise = g.Input("noise", kernels.F32, kernels.N(c.Horizon), kernels.N(c.Action))
		p.time = g.Input("time", kernels.F32, kernels.N(1), kernels.N(timeWaves))
		noise := g.Add(kernels.Reshape{X: p.noise, Shape: kernels.Shape{kernels.N(latents), kernels.N(c.Group * c.Action)}})
		act = g.Add(kernels.Binary{X: act, Y: n.noisy.Apply(g, noise, kernels.Identity)})
		act = g.Add(kernels.Binary{X: act, Y: n.time.Apply(g, p.time, kernels.Identity)})
	}
	x := g.Add(kernels.Concat{Xs: []kernels.Value{
		n.said.Apply(g, phrase, kernels.Identity), n.body.Apply(g, p.features, kernels.Identity), seek, act,
	}})
	keys, values := n.key.Apply(g, seen, kernels.Identity), n.value.Apply(g, seen, kernels.Identity)
	for i := range n.layers {
		x = n.layers[i].build(g, c, x, keys, values)
	}
	x = n.norm.Apply(g, x, epsilon)
	acts := g.Add(kernels.Slice{X: x, Start: 4, Len: latents})
	p.action, p.done = n.action.Apply(g, acts, kernels.Identity), n.done.Apply(g, acts, kernels.Sigmoid)
	p.where = n.where.Apply(g, g.Add(kernels.Slice{X: x, Start: 2, Len: 2}), kernels.Identity)
	outputs := map[string]kernels.Value{"action": p.action, "done": p.done, "where": p.where}
	if c.Judge > 0 {
		p.judge = n.buildJudge(g, x)
		outputs["judge"] = p.judge
	}
	for i, part := range p.sure {
		outputs[fmt.Sprintf("sure.%d", i)] = part
	}
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		g.Output(name, outputs[name])
	}
	return p
}

// pixel is how a byte of a picture is scaled to −1..1.
var pixelScale, pixelShift = []float32{1 / 127.5, 1 / 127.5, 1 / 127.5}, []float32{-1, -1, -1}

// build gives the tokens of a picture, and the finer cells before the last
// convolution.
func (s *stem) build(g *kernels.Graph, c *Config, x, phrase kernels.Value) (tokens, cells kernels.Value) {
	flat := func(x kernels.Value, convs int) kernels.Value {
		h, w := c.grid(s.size, convs)
		channels := c.Width
		if convs <= len(c.Stem) {
			channels = c.Stem[convs-1]
		}
		return g.Add(kernels.Reshape{X: x, Shape: kernels.Shape{kernels.N(h * w), kernels.N(channels)}})
	}
	for i, conv := range s.convs {
		op := kernels.Conv2D{X: x, W: conv.W, Bias: conv.Bias, Stride: c.Strides[i], Padding: padding, Act: kernels.ReLU}
		if i == 0 {
			op.PixelScale, op.PixelShift = pixelScale, pixelShift
		}
		last := i == len(s.convs)-1
		tuned := i > 0 && !last
		if last {
			cells = flat(x, i)
		}
		if tuned || last {
			op.Act = kernels.Identity
		}
		x = g.Add(op)
		if tuned {
			x = tune(g, s.tuned[i-1], x, phrase)
		}
	}
	return g.Add(kernels.Binary{X: flat(x, len(s.convs)), Y: g.Add(kernels.Const{W: s.place})}), cells
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

func (l *layer) build(g *kernels.Graph, c *Config, x, keys, values kernels.Value) kernels.Value {
	attend := func(out encoder.Linear, q, k, v kernels.Value) kernels.Value {
		at := g.Add(kernels.Attention{Q: q, K: k, V: v, Heads: c.Heads, KVHeads: c.Heads})
		return g.Add(kernels.MatMul{X: at, W: out.W, Bias: out.Bias, Residual: x})
	}
	y := l.normOwn.Apply(g, x, epsilon)
	var qkv [3]kernels.Value
	for i, m := range l.qkv {
		qkv[i] = m.Apply(g, y, kernels.Identity)
	}
	x = attend(l.own, qkv[0], qkv[1], qkv[2])
	x = attend(l.see, l.q.Apply(g, l.normSee.Apply(g, x, epsilon), kernels.Identity), keys, values)
	h := l.up.Apply(g, l.normMLP.Apply(g, x, epsilon), kernels.GELU)
	return g.Add(kernels.MatMul{X: h, W: l.down.W, Bias: l.down.Bias, Residual: x})
}
