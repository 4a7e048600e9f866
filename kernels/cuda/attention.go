package cuda

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/kernels/plan"
)

// The tile of attention.cu.
const attentionRows, attentionKeys = 32, 32

// attend is an Attention.
type attend struct {
	plan.Attend
	partial value // scratch for the parts of split keys
}

func (l *lowering) attention(planned plan.Attend, s *plan.Step) (*attend, error) {
	a := &attend{Attend: planned}
	if a.width() == 0 {
		return nil, fmt.Errorf("a head of %d channels, at most 256", a.Head)
	}
	a.partial = l.scratch(s, 2*l.device.SMs*attentionRows*(a.width()+4)*4)
	return a, nil
}

// width is the variant of the kernel: the channels of a head, rounded up. For 128 and
// 256 occupancy stays below 50 %: 32 queries and 32 keys of f32 are 36 and 70 KB of
// shared memory, and a thread keeps 32 and 64 numbers of the result beside what it
// computes with (118 and 150 registers). Fewer rows a tile would read the keys more often,
// and that is what these heads are bound by. Heads of 32 and 64 (SmolLM2, Qwen2.5-0.5B,
// CLIP, SigLIP, Whisper, the policy) get 58 to 75 %; of what kuai runs Gemma alone has 256,
// and the policy looks four times through 96 channels of few pictures.
func (a *attend) width() int {
	for _, n := range []int{32, 64, 128, 256} {
		if a.Head <= n {
			return n
		}
	}
	return 0
}

func (a *attend) load(*executable) error { return nil }

func (a *attend) command(r *recorder) Command {
	batch, group := max(1, a.Batch), a.Heads/a.KVHeads
	rowsDim, _ := r.Size(a.Q)
	rows, keys := r.bound(rowsDim), r.bound(a.Keys)
	c := cAttention{
		q: r.mat(a.Q), k: r.mat(a.K), v: r.mat(a.V), to: r.mat(a.To), scalars: r.scalars, partial: r.at(a.partial), counter: r.counters,
		heads: int32(a.Heads), kvHeads: int32(a.KVHeads), head: int32(a.Head), typ: int32(r.Info(a.K).Type),
		causal: flag(a.Causal), window: int32(a.Window), batch: int32(batch), cached: flag(r.IsState(a.K)),
		past: int32(a.Past.ID), length: int32(a.Length.ID), scale: a.Scale, softcap: a.SoftCap,
	}
	if a.Scale == 0 {
		c.scale = float32(1 / math.Sqrt(float64(a.Head)))
	}
	if a.Mask != 0 {
		c.mask, c.maskLd = r.at(a.Mask), int32(r.Info(a.Mask).Shape.Cols())
	}
	aligned := a.Head%4 == 0
	for _, m := range []cMat{c.k, c.v} {
		aligned = aligned && m.at%16 == 0 && m.ld%4 == 0
	}
	c.vectors = flag(aligned)
	width := a.width()
	tiles := ceil(rows/batch*group, attentionRows)
	blocks := tiles * a.KVHeads * batch
	c.splits = int32(max(1, min(2*r.device().SMs/blocks, ceil(keys/batch, 2*attentionKeys), mostSplits)))
	seen := float64(keys / batch)
	if a.Causal {
		seen /= 2
	}
	size, _ := r.Info(a.K).Type.RowBytes(1)
	return Command{
		Kernel: fmt.Sprintf("attention_%d", width), Grid: [3]int{tiles, a.KVHeads * batch, int(c.splits)}, Block: 128,
		Shared: 4 * ((attentionRows+attentionKeys)*(width+4) + attentionRows*(attentionKeys+4)), Params: raw(&c),
		Cost: Cost{
			Bytes:      8*float64(rows*a.Heads*a.Head) + 2*float64(size*keys*a.KVHeads*a.Head),
			Operations: 4 * float64(rows*a.Heads*a.Head) * seen,
		},
	}
}
