package kerneltest

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/kuai-robot/kuai/kernels"
)

// Case is a graph and the lengths with which it runs, one after the other in
// one session.
type Case struct {
	Name    string
	Options kernels.Options
	Build   func(b *Builder)
	Runs    []Lengths // nil: once, without scalars
}

// Lengths are values of scalars by name.
type Lengths map[string]int

// Builder adds to a graph and remembers how to fill its inputs. Equal seeds
// build equal graphs.
type Builder struct {
	*kernels.Graph
	random *rand.Rand
	limits map[kernels.Value]int // of i32 and u8 inputs
	dims   map[string]kernels.Scalar
	fills  map[kernels.Value]func(s *kernels.Session, random *rand.Rand) // inputs that are not just noise
}

func newBuilder(name string) *Builder {
	return &Builder{
		Graph: kernels.NewGraph(name), random: rand.New(rand.NewPCG(1, 2)),
		limits: map[kernels.Value]int{}, dims: map[string]kernels.Scalar{},
		fills: map[kernels.Value]func(*kernels.Session, *rand.Rand){},
	}
}

// scalar declares a length, once for each name.
func (b *Builder) scalar(name string, max int) kernels.Scalar {
	if s, ok := b.dims[name]; ok {
		return s
	}
	b.dims[name] = b.Scalar(name, max)
	return b.dims[name]
}

// rows is a varying length.
func (b *Builder) rows(max int) kernels.Dim { return b.scalar("rows", max).Dim() }

func (b *Builder) x(name string, rows kernels.Dim, cols int) kernels.Value {
	return b.Input(name, kernels.F32, rows, kernels.N(cols))
}

// ids is an i32 input of numbers below limit.
func (b *Builder) ids(name string, n kernels.Dim, limit int) kernels.Value {
	v := b.Input(name, kernels.I32, n)
	b.limits[v] = limit
	return v
}

// bytes is a u8 input of numbers below limit.
func (b *Builder) bytes(name string, limit int, shape ...kernels.Dim) kernels.Value {
	v := b.Input(name, kernels.U8, shape...)
	b.limits[v] = limit
	return v
}

// w is an f32 weight of normal numbers over the root of its row's length.
func (b *Builder) w(name string, shape ...int) *kernels.Weight {
	return b.typed(name, kernels.F32, shape...)
}

// vector is a weight of one row, near 1.
func (b *Builder) vector(name string, n int) *kernels.Weight {
	numbers := make([]float32, n)
	for i := range numbers {
		numbers[i] = 1 + float32(b.random.NormFloat64())/4
	}
	return kernels.NewWeight(name, numbers, n)
}

// typed is a weight of any type, its numbers of the size that w has.
func (b *Builder) typed(name string, t kernels.DType, shape ...int) *kernels.Weight {
	w := &kernels.Weight{Name: name, Type: t, Shape: shape}
	size, err := t.RowBytes(w.Cols())
	if err != nil {
		panic(err)
	}
	w.Data = make([]byte, size*w.Rows())
	scale := 1 / math.Sqrt(float64(w.Cols()))
	switch {
	case t == kernels.I8:
		for range w.Rows() {
			w.Scales = append(w.Scales, float32(scale/64*(0.5+b.random.Float64())))
		}
		b.noise(w.Data)
		for i, q := range w.Data {
			if q == 0x80 {
				w.Data[i] = 0
			}
		}
	case t.Quantised():
		_, bytes := t.Block()
		for at := 0; at < len(w.Data); at += bytes {
			b.block(w.Data[at:at+bytes], t, scale)
		}
	default:
		b.floats(w.Data, t, scale)
	}
	return w
}

func (b *Builder) noise(data []byte) {
	for i := range data {
		data[i] = byte(b.random.Uint32())
	}
}

func (b *Builder) floats(data []byte, t kernels.DType, scale float64) {
	for i := range len(data) / max(1, int(sizes[t])) {
		x := float32(b.random.NormFloat64() * scale)
		switch t {
		case kernels.F32:
			binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(x))
		case kernels.F16:
			binary.LittleEndian.PutUint16(data[2*i:], kernels.FloatToHalf(x))
		case kernels.BF16:
			binary.LittleEndian.PutUint16(data[2*i:], kernels.FloatToBrain(x))
		}
	}
}

var sizes = map[kernels.DType]uint8{kernels.F32: 4, kernels.F16: 2, kernels.BF16: 2}

// block fills a block with noise, then the f16 scales with sensible numbers;
// the divisors are the roots of the mean squares of the noise.
func (b *Builder) block(data []byte, t kernels.DType, scale float64) {
	b.noise(data)
	put := func(at int, x float64) {
		binary.LittleEndian.PutUint16(data[at:], kernels.FloatToHalf(float32(x*(0.5+b.random.Float64()))))
	}
	switch t {
	case kernels.Q4_0:
		put(0, scale/5)
	case kernels.Q4_1:
		put(0, scale/5)
		put(2, -scale*1.5)
	case kernels.Q8_0:
		put(0, scale/74)
	case kernels.Q4_K:
		put(0, scale/5/36)
		put(2, scale*1.5/36)
	case kernels.Q6_K:
		put(208, scale/18/74)
	}
}
