package kernelbench

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/kuai-robot/kuai/kernels"
)

// Decoder is the size of a decoder of the Llama family.
type Decoder struct {
	Layers, Width, Hidden, Heads, KVHeads, Vocabulary int
	Context, Rows                                     int // the longest cache and prompt
	Weights, Table                                    kernels.DType
	Cache                                             kernels.DType
}

// Small has the sizes of SmolLM2-135M in the types of its Q4_1 file.
var Small = Decoder{
	Layers: 30, Width: 576, Hidden: 1536, Heads: 9, KVHeads: 3, Vocabulary: 49152, Context: 2048, Rows: 512,
	Weights: kernels.Q4_1, Table: kernels.Q8_0, Cache: kernels.F16,
}

// Graph is a decoder with what sets and feeds it.
type Graph struct {
	*kernels.Graph
	Rows, Past             kernels.Scalar
	IDs, Positions, Select kernels.Value
	Logits                 kernels.Value
}

// Build makes the graph with random weights; the logits are of one row, which
// Select names.
func (d Decoder) Build() *Graph {
	g := &Graph{Graph: kernels.NewGraph("decoder")}
	g.Rows, g.Past = g.Scalar("rows", d.Rows), g.Scalar("past", d.Context-1)
	g.IDs = g.Input("ids", kernels.I32, g.Rows.Dim())
	g.Positions = g.Input("positions", kernels.I32, g.Rows.Dim())
	g.Select = g.Input("select", kernels.I32, kernels.N(1))
	table := Random("table", d.Table, d.Vocabulary, d.Width)
	x := g.Add(kernels.Embed{Table: table, IDs: g.IDs})
	for l := range d.Layers {
		x = d.layer(g, l, x)
	}
	x = g.Add(kernels.Gather{X: x, Rows: g.Select})
	g.Logits = g.Add(kernels.MatMul{X: g.Add(d.norm(x)), W: table})
	g.Output("logits", g.Logits)
	return g
}

func (d Decoder) norm(x kernels.Value) kernels.Norm {
	gain := make([]float32, d.Width)
	for i := range gain {
		gain[i] = 1
	}
	return kernels.Norm{X: x, Kind: kernels.RMS, Gain: kernels.NewWeight("gain", gain, d.Width), Epsilon: 1e-5}
}

func (d Decoder) layer(g *Graph, l int, x kernels.Value) kernels.Value {
	keyWidth := d.Width / d.Heads * d.KVHeads
	product := func(x kernels.Value, name string, outputs, inputs int, residual kernels.Value) kernels.Value {
		w := Random(fmt.Sprintf("%d.%s", l, name), d.Weights, outputs, inputs)
		return g.Add(kernels.MatMul{X: x, W: w, Residual: residual})
	}
	cache := func(name string, x kernels.Value) kernels.Value {
		state := g.State(fmt.Sprintf("%s.%d", name, l), d.Cache, kernels.N(d.Context), kernels.N(keyWidth))
		return g.Add(kernels.Store{X: x, State: state, At: g.Past})
	}
	h := g.Add(d.norm(x))
	q := g.Add(kernels.RoPE{X: product(h, "q", d.Width, d.Width, 0), Positions: g.Positions, Heads: d.Heads, Base: 1e5})
	k := g.Add(kernels.RoPE{X: product(h, "k", keyWidth, d.Width, 0), Positions: g.Positions, Heads: d.KVHeads, Base: 1e5})
	v := product(h, "v", keyWidth, d.Width, 0)
	a := g.Add(kernels.Attention{Q: q, K: cache("k", k), V: cache("v", v), Heads: d.Heads, KVHeads: d.KVHeads, Causal: true, Past: g.Past})
	x = product(a, "o", d.Width, d.Width, x)
	h = g.Add(d.norm(x))
	gate, up := product(h, "gate", d.Hidden, d.Width, 0), product(h, "up", d.Hidden, d.Width, 0)
	return product(g.Add(kernels.Binary{Kind: kernels.Mul, X: gate, Y: up, Act: kernels.SiLU}), "down", d.Width, d.Hidden, x)
}

// Random is a weight of noise: sensible scales, random quants.
func Random(name string, t kernels.DType, shape ...int) *kernels.Weight {
	w := &kernels.Weight{Name: name, Type: t, Shape: shape}
	size, err := t.RowBytes(w.Cols())
	if err != nil {
		panic(err) // the sizes are those of this package
	}
	random := rand.New(rand.NewPCG(1, uint64(len(name))))
	w.Data = make([]byte, size*w.Rows())
	number := func() float32 { return float32(int32(random.Uint32())) * 0x1p-36 }
	half := func(at int, x float32) { binary.LittleEndian.PutUint16(w.Data[at:], kernels.FloatToHalf(x)) }
	switch t {
	case kernels.F32:
		numbers := make([]float32, w.Len())
		for i := range numbers {
			numbers[i] = number()
		}
		return kernels.NewWeight(name, numbers, shape...)
	case kernels.F16, kernels.BF16:
		for i := range w.Len() {
			half(2*i, number())
			if t == kernels.BF16 {
				binary.LittleEndian.PutUint16(w.Data[2*i:], kernels.FloatToBrain(number()))
			}
		}
		return w
	}
	for i := 0; i+8 <= len(w.Data); i += 8 {
		binary.LittleEndian.PutUint64(w.Data[i:], random.Uint64())
	}
	if t == kernels.I8 {
		for range w.Rows() {
			w.Scales = append(w.Scales, 1./2048)
		}
		return w
	}
	_, bytes := t.Block()
	for at := 0; at < len(w.Data); at += bytes {
		switch t {
		case kernels.Q4_1:
			half(at, 1./128)
			half(at+2, -1./16)
		case kernels.Q4_K:
			half(at, 1./4096)
			half(at+2, 1./1024)
		case kernels.Q6_K:
			half(at+208, 1./65536)
		default:
			half(at, 1./2048)
		}
	}
	return w
}
