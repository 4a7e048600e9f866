package cuda

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/kernels"
)

// The tile of attention.cu.
const attentionRows, attentionKeys = 32, 32

// attend is an Attention.
type attend struct {
	kernels.Attention
	to, partial value
	keys        kernels.Dim // rows of K
	head        int
}

func (l *lowering) attention(i int, op kernels.Attention, out value) error {
	_, cols := l.size(op.Q)
	keys, _ := l.size(op.K)
	a := &attend{Attention: op, to: out, keys: keys, head: cols / op.Heads}
	if a.width() == 0 {
		return fmt.Errorf("operator Attention %v: a head of %d channels, at most 256", l.Shape(op.Q), a.head)
	}
	o := l.add(i, a, fmt.Sprintf("Attention of %v keys", keys), []value{op.Q}, []value{out})
	if l.isState(op.K) {
		o.states = []stateUse{{State: l.places[op.K].root, Node: i}, {State: l.places[op.V].root, Node: i}}
	} else {
		o.reads = append(o.reads, op.K, op.V)
	}
	if op.Mask != 0 {
		o.reads = append(o.reads, op.Mask)
	}
	a.partial = l.buffer(2 * l.device.SMs * attentionRows * (a.width() + 4) * 4)
	o.scratch = []value{a.partial}
	return nil
}

// width is the variant of the kernel: the channels of a head, rounded up. For 128 and
// 256 occupancy stays below 50 %: 32 queries and 32 keys of f32 are 36 and 70 KB of
// shared memory, and a thread keeps 32 and 64 numbers of the result beside what it
// computes with (118 and 150 registers). Fewer rows a tile would read the keys more often,
// and that is what these heads are bound by. Heads of 32 and 64 (SmolLM2, Qwen2.5-0.5B,
// CLIP, SigLIP, Whisper, the policy) get 67 %; of what kuai runs Gemma alone has 256.
func (a *attend) width() int {
	for _, n := range []int{32, 64, 128, 256} {
		if a.head <= n {
			return n
		}
	}
	return 0
}

func (a *attend) load(*executable) error { return nil }

func (a *attend) command(r *recorder) Command {
	batch, group := max(1, a.Batch), a.Heads/a.KVHeads
	rowsDim, _ := r.size(a.Q)
	rows, keys := r.bound(rowsDim), r.bound(a.keys)
	c := cAttention{
		q: r.mat(a.Q), k: r.mat(a.K), v: r.mat(a.V), to: r.mat(a.to), scalars: r.scalars, partial: r.at(a.partial), counter: r.counters,
		heads: int32(a.Heads), kvHeads: int32(a.KVHeads), head: int32(a.head), typ: int32(r.info(a.K).Type),
		causal: flag(a.Causal), window: int32(a.Window), batch: int32(batch), cached: flag(r.isState(a.K)),
		past: int32(a.Past.ID), length: int32(a.Length.ID), scale: a.Scale, softcap: a.SoftCap,
	}
	if a.Scale == 0 {
		c.scale = float32(1 / math.Sqrt(float64(a.head)))
	}
	if a.Mask != 0 {
		c.mask, c.maskLd = r.at(a.Mask), int32(r.info(a.Mask).Shape.Cols())
	}
	aligned := a.head%4 == 0
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
	size, _ := r.info(a.K).Type.RowBytes(1)
	return Command{
		Kernel: fmt.Sprintf("attention_%d", width), Grid: [3]int{tiles, a.KVHeads * batch, int(c.splits)}, Block: 128,
		Shared: 4 * ((attentionRows+attentionKeys)*(width+4) + attentionRows*(attentionKeys+4)), Params: raw(&c),
		Cost: Cost{
			Bytes:      8*float64(rows*a.Heads*a.head) + 2*float64(size*keys*a.KVHeads*a.head),
			Operations: 4 * float64(rows*a.Heads*a.head) * seen,
		},
	}
}
