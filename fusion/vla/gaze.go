package vla

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/encoder"
)

// gaze looks in the front picture for what is asked for.
type gaze struct {
	query, seen, at encoder.Linear
	place           *kernels.Weight
	// tell picks cells out of what an attention gives, as many at a time as a cell has
	// channels: the operators have no product of two values that would give all of its
	// shares at once.
	tell []*kernels.Weight
}

func loadGaze(l *encoder.Loader, c *Config) gaze {
	rows, columns := c.Cells()
	cells, channels := rows*columns, c.Stem[len(c.Stem)-1]
	z := gaze{
		query: l.Linear("gaze.query", channels, c.Width), seen: l.Linear("gaze.seen", c.Width, channels), at: l.Linear("gaze.at", c.Width, channels),
		place: l.Take("gaze.place", cells, channels),
	}
	for first := 0; first < cells; first += channels {
		pick := make([]float32, cells*channels)
		for k := range min(channels, cells-first) {
			pick[(first+k)*channels+k] = 1
		}
		z.tell = append(z.tell, kernels.NewWeight(fmt.Sprintf("gaze.tell.%d", len(z.tell)), pick, cells, channels))
	}
	return z
}

// build adds what is seen where the gaze rests, and where that is, to seek; sure are
// its shares of the cells, in parts.
func (z *gaze) build(g *kernels.Graph, things, cells, seek kernels.Value) (out kernels.Value, sure []kernels.Value) {
	at := kernels.Attention{Q: z.query.Apply(g, things, kernels.Identity), K: cells, V: cells, Heads: 1, KVHeads: 1}
	seen := g.Add(at)
	at.V = g.Add(kernels.Const{W: z.place})
	place := g.Add(at)
	for _, w := range z.tell {
		at.V = g.Add(kernels.Const{W: w})
		sure = append(sure, g.Add(at))
	}
	seek = g.Add(kernels.MatMul{X: seen, W: z.seen.W, Bias: z.seen.Bias, Residual: seek})
	return g.Add(kernels.MatMul{X: place, W: z.at.W, Bias: z.at.Bias, Residual: seek}), sure
}

// buildJudge adds the judge, on the latents x.
func (n *network) buildJudge(g *kernels.Graph, x kernels.Value) kernels.Value {
	var seen []kernels.Value
	for _, i := range judged {
		seen = append(seen, g.Add(kernels.Slice{X: x, Start: i, Len: 1}))
	}
	hidden := n.judge[0].Apply(g, g.Add(kernels.Concat{Xs: seen, Axis: 1}), kernels.GELU)
	return n.judge[1].Apply(g, hidden, kernels.Sigmoid)
}
