package ref

import (
	"encoding/binary"
	"math"

	"github.com/kuai-robot/kuai/kernels"
)

// attend is an Attention with the sizes that do not change.
type attend[T real] struct {
	kernels.Attention
	cached     bool
	qRows      kernels.Dim
	kRows      kernels.Dim
	qCols      int
	kCols      int
	head       int
	kType      kernels.DType
	maskStride int
}

func (e *executable[T]) attention(op kernels.Attention, out kernels.Value) step[T] {
	a := &attend[T]{Attention: op, cached: e.isState(op.K), kType: e.graph.Info(op.K).Type}
	a.qRows, a.qCols = e.size(op.Q)
	a.kRows, a.kCols = e.size(op.K)
	a.head = a.qCols / op.Heads
	a.maskStride = e.graph.Shape(op.Mask).Cols()
	if a.Scale == 0 {
		a.Scale = float32(1 / math.Sqrt(float64(a.head)))
	}
	a.Batch = max(1, a.Batch)
	e.needWide(a.kRows.Max() + a.head)
	if a.kType != kernels.F32 {
		e.needNarrow(2 * a.kRows.Max() * a.kCols)
	}
	return func(in *instance[T], s *kernels.Scalars) { a.run(in, out, s) }
}

// isState says whether v is a state or what a Store made of one.
func (e *executable[T]) isState(v kernels.Value) bool {
	info := e.graph.Info(v)
	if info.Kind != kernels.Computed {
		return info.Kind == kernels.IsState
	}
	_, ok := e.graph.Nodes[info.Node].Op.(kernels.Store)
	return ok
}

func (a *attend[T]) run(in *instance[T], out kernels.Value, s *kernels.Scalars) {
	rows, keys, past := a.qRows.At(s), a.kRows.At(s), int(s[a.Past.ID])
	if a.cached {
		keys = past + rows
		if a.Length.ID != 0 {
			keys = int(s[a.Length.ID])
		}
	}
	k, v := in.f32[a.K], in.f32[a.V]
	if a.kType != kernels.F32 {
		k, v = in.narrow[:keys*a.kCols], in.narrow[keys*a.kCols:][:keys*a.kCols]
		widen(k, in.bytes[a.K], a.kType)
		widen(v, in.bytes[a.V], a.kType)
	}
	rows, keys = rows/a.Batch, keys/a.Batch
	for b := range a.Batch {
		for i := range rows {
			var mask []byte
			if a.Mask != 0 {
				mask = in.bytes[a.Mask][i*a.maskStride:]
			}
			low, high := a.visible(past+i, keys)
			q, dst := in.f32[a.Q][(b*rows+i)*a.qCols:], in.f32[out][(b*rows+i)*a.qCols:]
			from := b * keys * a.kCols
			for h := range a.Heads {
				at := from + h/(a.Heads/a.KVHeads)*a.head
				a.one(dst[h*a.head:][:a.head], q[h*a.head:][:a.head], k[at:], v[at:], mask, low, high, in.wide)
			}
		}
	}
}

// visible gives the keys low ≤ j < high that a query at a position may see.
func (a *attend[T]) visible(position, keys int) (low, high int) {
	high = keys
	if a.Causal {
		high = min(high, position+1)
	}
	if a.Window > 0 {
		low = max(0, high-a.Window)
	}
	return low, high
}

// one is one head of one query. A query that sees no key gives zeros.
func (a *attend[T]) one(dst, q, k, v []float32, mask []byte, low, high int, wide []T) {
	sums, scores := wide[:a.head], wide[a.head:]
	top := T(math.Inf(-1))
	for j := low; j < high; j++ {
		scores[j] = T(math.Inf(-1))
		if mask != nil && mask[j] == 0 {
			continue
		}
		score := T(a.Scale) * dot[T](q, k[j*a.kCols:])
		if a.SoftCap > 0 {
			score = T(a.SoftCap) * tanh(score/T(a.SoftCap))
		}
		scores[j] = score
		top = max(top, score)
	}
	clear(sums)
	clear(dst)
	if math.IsInf(float64(top), -1) {
		return
	}
	var total T
	for j := low; j < high; j++ {
		p := exp(scores[j] - top)
		total += p
		for c := range sums {
			sums[c] += p * T(v[j*a.kCols+c])
		}
	}
	for c := range dst {
		dst[c] = float32(sums[c] / total)
	}
}

// widen decodes a state of 16-bit numbers.
func widen(dst []float32, src []byte, t kernels.DType) {
	for i := range dst {
		h := binary.LittleEndian.Uint16(src[2*i:])
		if t == kernels.F16 {
			dst[i] = kernels.HalfToFloat(h)
		} else {
			dst[i] = math.Float32frombits(uint32(h) << 16)
		}
	}
}

func (e *executable[T]) store(op kernels.Store) step[T] {
	rows, cols := e.size(op.X)
	t := e.graph.Info(op.State).Type
	return func(in *instance[T], s *kernels.Scalars) {
		at := int(s[op.At.ID]) * cols
		x := in.f32[op.X][:rows.At(s)*cols]
		switch t {
		case kernels.F32:
			copy(in.f32[op.State][at:], x)
		case kernels.F16:
			for i, v := range x {
				binary.LittleEndian.PutUint16(in.bytes[op.State][2*(at+i):], kernels.FloatToHalf(v))
			}
		default:
			for i, v := range x {
				binary.LittleEndian.PutUint16(in.bytes[op.State][2*(at+i):], kernels.FloatToBrain(v))
			}
		}
	}
}
