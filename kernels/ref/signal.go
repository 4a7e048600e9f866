package ref

import (
	"math"
	"sort"

	"github.com/kuai-robot/kuai/kernels"
)

func (e *executable[T]) logPower(op kernels.LogPower, out kernels.Value) step[T] {
	rows, cols := e.size(op.X)
	return func(in *instance[T], s *kernels.Scalars) {
		x, y := in.f32[op.X][:rows.At(s)*cols], in.f32[out]
		top := T(-10)
		for _, v := range x {
			top = max(top, T(math.Log10(max(float64(v), 1e-10))))
		}
		for i, v := range x {
			y[i] = float32((max(T(math.Log10(max(float64(v), 1e-10))), top-8) + 4) / 4)
		}
	}
}

// resize makes each number of the result of the rows that it needs.
func (e *executable[T]) resize(op kernels.Resize, out kernels.Value) step[T] {
	across, down := e.graph.Shape(op.Across).Cols(), e.graph.Shape(op.Down).Cols()
	to := e.graph.Shape(out)
	wide, channels := to[1].Max(), to[2].Max()
	return func(in *instance[T], s *kernels.Scalars) {
		width := int(s[op.Width.ID])
		for i := range to.MaxLen() {
			c, x, y := i%channels, i/channels%wide, i/channels/wide
			rows, columns := in.i32[op.Down][y*down:(y+1)*down], in.i32[op.Across][x*across:(x+1)*across]
			in.bytes[out][i] = weighted(rows, func(row int) uint8 {
				return weighted(columns, func(column int) uint8 { return in.bytes[op.X][(row*width+column)*channels+c] })
			})
		}
	}
}

// weighted is a byte made of bytes: the first, how many, their weights.
func weighted(taps []int32, at func(i int) uint8) uint8 {
	sum := int32(1) << (kernels.ResizeBits - 1)
	for k := range taps[1] {
		sum += int32(at(int(taps[0]+k))) * taps[2+k]
	}
	return uint8(min(max(sum>>kernels.ResizeBits, 0), 255))
}

// candidate is a token that may be next.
type candidate[T real] struct {
	token int
	p     T
}

func (e *executable[T]) sample(op kernels.Sample, out kernels.Value) step[T] {
	rows, cols := e.size(op.X)
	recent := e.graph.Shape(op.Recent)[0]
	return func(in *instance[T], s *kernels.Scalars) {
		for r := range rows.At(s) {
			x := append([]float32{}, in.f32[op.X][r*cols:(r+1)*cols]...)
			penalise(x, in.i32[op.Recent][:recent.At(s)], in.f32[op.How][2])
			in.i32[out][r] = draw[T](x, in.f32[op.How])
		}
	}
}

func penalise(x []float32, recent []int32, penalty float32) {
	seen := map[int32]bool{}
	for _, token := range recent {
		if seen[token] {
			continue
		}
		seen[token] = true
		if x[token] > 0 {
			x[token] /= penalty
		} else {
			x[token] *= penalty
		}
	}
}

// draw takes a token of a row whose repetitions have been penalised.
func draw[T real](x, how []float32) int32 {
	order := make([]candidate[T], len(x))
	for i, v := range x {
		if v != v || v > math.MaxFloat32 {
			return -1
		}
		order[i] = candidate[T]{i, T(v)}
	}
	sort.SliceStable(order, func(i, j int) bool { return order[i].p > order[j].p })
	temperature, topP := T(how[0]), T(how[1])
	top := order[0].p
	if temperature == 0 || math.IsInf(float64(top), -1) {
		return int32(order[0].token)
	}
	var total T
	for i := range order {
		order[i].p = exp((order[i].p - top) / temperature)
		total += order[i].p
	}
	if topP > 0 && topP < 1 {
		order, total = nucleus(order, topP*total)
	}
	at := T(how[3]) * total
	for _, c := range order {
		if at -= c.p; at < 0 {
			return int32(c.token)
		}
	}
	return int32(order[len(order)-1].token)
}

// nucleus keeps the first candidates that reach a share together, and their sum.
func nucleus[T real](order []candidate[T], share T) ([]candidate[T], T) {
	var sum T
	for i, c := range order {
		if sum += c.p; sum >= share {
			return order[:i+1], sum
		}
	}
	return order, sum
}
