package roofline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cuda"
	"github.com/kuai-robot/kuai/kernels/cuda/roofline"
)

// TestOccupancy compares with NVIDIA's calculator.
func TestOccupancy(t *testing.T) {
	usage := cuda.Usage{Registers: 64, Shared: 26372}
	k := cuda.Kernel{Threads: 256, SM87: usage, SM90: usage}
	for _, c := range []struct {
		card   int
		shared int
		want   float64
		limit  string
	}{{0, 0, 32. / 48, "registers"}, {2, 0, 0.5, "registers"}, {0, 60 << 10, 8. / 48, "shared memory"}} {
		share, limit := roofline.Cards[c.card].Occupancy(k, c.shared)
		if share != c.want || limit != c.limit {
			t.Errorf("%s with %d bytes more: %.2f by %s, want %.2f by %s", roofline.Cards[c.card].Name, c.shared, share, limit, c.want, c.limit)
		}
	}
}

// reasons are for kernels that stay below half of the warps.
var reasons = map[string]string{
	"gemm_blocks_64": "h100: unpacking blocks takes 80 registers; three blocks of eight warps remain",
	"attention_128":  "a row's result takes 32 registers and the tile 38 KB",
	"attention_256":  "a row's result takes 64 registers and the tile 71 KB",
}

// TestHalfOccupied holds products and attention to half of the warps, or a reason.
func TestHalfOccupied(t *testing.T) {
	known, err := cuda.Kernels()
	if err != nil {
		t.Fatal(err)
	}
	tile := map[string]int{"attention_32": 32, "attention_64": 64, "attention_128": 128, "attention_256": 256}
	low := map[string]bool{}
	for name, k := range known {
		if !strings.HasPrefix(name, "gemm") && !strings.HasPrefix(name, "matvec") && !strings.HasPrefix(name, "attention") {
			continue
		}
		for _, card := range roofline.Cards {
			shared := 0
			if d := tile[name]; d > 0 {
				shared = 4 * (64*(d+4) + 32*36)
			}
			share, limit := card.Occupancy(k, shared)
			if share < 0.5 {
				low[name] = true
				if reasons[name] == "" {
					t.Errorf("%s on %s: %.0f %% of the warps, bound by %s: why?", name, card.Name, 100*share, limit)
				}
			}
		}
	}
	for name := range reasons {
		if !low[name] {
			t.Errorf("%s has half of the warps: its reason can go", name)
		}
	}
}

// TestTiles: shared memory bounds a product of many rows, whose tiles would gain from
// being larger; one of few rows is bound by its weights and would not.
func TestTiles(t *testing.T) {
	w := kernels.NewWeight("w", make([]float32, 512*2048), 512, 2048)
	for rows, gains := range map[int]bool{1500: true, 50: false, 20: false} {
		g := kernels.NewGraph("product")
		g.Output("y", g.Add(kernels.MatMul{X: g.Input("x", kernels.F32, kernels.N(rows), kernels.N(2048)), W: w}))
		paper := roofline.NewPaper(roofline.Cards[0])
		p, err := kernels.Compile(g, cuda.NewBackend("cuda", paper), kernels.Options{Precision: kernels.BFloat16})
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		cost := paper.Runs()[0][0].Cost
		// Eight tiles; in each, numbers of x are written once and read by four warps, those of w by two.
		if want := 8 * 2048 * 2. * (64*(1+4) + 64*(1+2)); rows == 50 && cost.Tile.Shared != want {
			t.Errorf("50 rows move %g bytes through shared memory, want %g", cost.Tile.Shared, want)
		}
		f := roofline.Cards[0].Sum([]cuda.Command{{Cost: cost}})
		if gained := f.Wide < f.Tiled; gained != gains || f.Tiled < f.Time || cost.Tile.Operations < cost.Operations || cost.Wide.Operations < cost.Tile.Operations {
			t.Errorf("%d rows: %+v, %+v", rows, cost, f)
		}
		if err := errors.Join(s.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	}
	x := roofline.Cards[0]
	if got, want := x.TileTime(cuda.Cost{Units: cuda.TensorHalf}, cuda.TileCost{Shared: 64e6}), 100*time.Microsecond; got != want {
		t.Errorf("64 MB through the shared memory of the %s take %v, want %v", x.Name, got, want)
	}
}

// TestLaunches counts what fusion leaves: a decoder layer and an encoder layer of
// at most six launches, in one recording.
func TestLaunches(t *testing.T) {
	w := func(name string, n, k int) *kernels.Weight {
		return kernels.NewWeight(name, make([]float32, n*k), n, k)
	}
	v := func(name string, n int) *kernels.Weight { return kernels.NewWeight(name, make([]float32, n), n) }
	decoder := func(g *kernels.Graph, x, positions kernels.Value, past kernels.Scalar, name string) kernels.Value {
		norm := func(x kernels.Value, n string) kernels.Value {
			return g.Add(kernels.Norm{X: x, Kind: kernels.RMS, Gain: v(name+n, 64), Epsilon: 1e-5})
		}
		h := norm(x, "n1")
		q := g.Add(kernels.RoPE{X: g.Add(kernels.MatMul{X: h, W: w(name+"q", 64, 64)}), Positions: positions, Heads: 4, Base: 1e4})
		k := g.Add(kernels.RoPE{X: g.Add(kernels.MatMul{X: h, W: w(name+"k", 32, 64)}), Positions: positions, Heads: 2, Base: 1e4})
		value := g.Add(kernels.MatMul{X: h, W: w(name+"v", 32, 64)})
		keys, values := g.State(name+"keys", kernels.F16, kernels.N(64), kernels.N(32)), g.State(name+"values", kernels.F16, kernels.N(64), kernels.N(32))
		a := g.Add(kernels.Attention{Q: q, K: g.Add(kernels.Store{X: k, State: keys, At: past}), V: g.Add(kernels.Store{X: value, State: values, At: past}), Heads: 4, KVHeads: 2, Causal: true, Past: past})
		x = g.Add(kernels.MatMul{X: a, W: w(name+"o", 64, 64), Residual: x})
		h = norm(x, "n2")
		gate, up := g.Add(kernels.MatMul{X: h, W: w(name+"gate", 96, 64)}), g.Add(kernels.MatMul{X: h, W: w(name+"up", 96, 64)})
		h = g.Add(kernels.Binary{Kind: kernels.Mul, X: gate, Y: up, Act: kernels.SiLU})
		return g.Add(kernels.MatMul{X: h, W: w(name+"down", 64, 96), Residual: x})
	}
	encoder := func(g *kernels.Graph, x kernels.Value, name string) kernels.Value {
		product := func(x kernels.Value, n string, outputs, inputs int, act kernels.Activation, r kernels.Value) kernels.Value {
			return g.Add(kernels.MatMul{X: x, W: w(name+n, outputs, inputs), Bias: v(name+n+"b", outputs), Act: act, Residual: r})
		}
		norm := func(x kernels.Value, n string) kernels.Value {
			return g.Add(kernels.Norm{X: x, Kind: kernels.Layer, Gain: v(name+n, 64), Bias: v(name+n+"b", 64), Epsilon: 1e-5})
		}
		h := norm(x, "n1")
		a := g.Add(kernels.Attention{Q: product(h, "q", 64, 64, 0, 0), K: product(h, "k", 64, 64, 0, 0), V: product(h, "v", 64, 64, 0, 0), Heads: 4, KVHeads: 4})
		x = product(a, "o", 64, 64, 0, x)
		return product(product(norm(x, "n2"), "up", 96, 64, kernels.GELU, 0), "down", 64, 96, 0, x)
	}
	for name, most := range map[string]int{"decoder": 6, "encoder": 5} {
		counts := map[int]int{}
		for _, layers := range []int{1, 3} {
			g := kernels.NewGraph(name)
			x := g.Input("x", kernels.F32, g.Scalar("rows", 32).Dim(), kernels.N(64))
			if name == "decoder" {
				positions, past := g.Input("positions", kernels.I32, g.Shape(x)[0]), g.Scalar("past", 63)
				for i := range layers {
					x = decoder(g, x, positions, past, string(rune('a'+i)))
				}
			} else {
				for i := range layers {
					x = encoder(g, x, string(rune('a'+i)))
				}
			}
			g.Output("y", x)
			counts[layers] = launches(t, g)
		}
		if each := (counts[3] - counts[1]) / 2; each > most {
			t.Errorf("a layer of the %s is %d launches, at most %d", name, each, most)
		}
	}
}

// launches are those of one run, which must be one recording.
func launches(t *testing.T, g *kernels.Graph) int {
	t.Helper()
	paper := roofline.NewPaper(roofline.Cards[0])
	p, err := kernels.Compile(g, cuda.NewBackend("cuda", paper), kernels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	s.Set(g.Scalars[0].Scalar, 7)
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	runs := paper.Runs()
	if len(runs) != 1 {
		t.Fatalf("a forward is %d recordings", len(runs))
	}
	if f := roofline.Cards[0].Sum(runs[0]); f.Bytes == 0 || f.Operations == 0 || f.Time < time.Duration(f.Launches)*roofline.Cards[0].Launch {
		t.Errorf("a forward costs %+v", f)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	return len(runs[0])
}
