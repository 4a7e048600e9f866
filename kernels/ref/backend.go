package ref

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/kuai-robot/kuai/kernels"
)

// real is the type in which sums are kept.
type real interface{ float32 | float64 }

// New is the plain implementation, with sums in f32.
func New() kernels.Backend { return &backend[float32]{name: "ref"} }

// Exact is the truth, with sums in f64.
func Exact() kernels.Backend { return &backend[float64]{name: "exact", exact: true} }

type backend[T real] struct {
	name    string
	exact   bool
	mu      sync.Mutex
	decoded map[decodedKey]*decoded
}

// decodedKey tells apart the roundings of one weight.
type decodedKey struct {
	w    *kernels.Weight
	mode kernels.Precision
}

// decoded is a weight as f32, shared by the executables that use it.
type decoded struct {
	data  []float32
	users int
}

func (b *backend[T]) Name() string { return b.name }

func (b *backend[T]) Build(g *kernels.Graph, options kernels.Options) (kernels.Executable, error) {
	e := &executable[T]{backend: b, graph: g, options: options}
	for _, n := range g.Nodes {
		step, err := e.plan(n)
		if err != nil {
			e.Close()
			return nil, err
		}
		e.steps = append(e.steps, step)
	}
	return e, nil
}

// step computes one node.
type step[T real] func(in *instance[T], s *kernels.Scalars)

type executable[T real] struct {
	backend  *backend[T]
	graph    *kernels.Graph
	options  kernels.Options
	steps    []step[T]
	used     []decodedKey
	narrow   int // f32 numbers of scratch memory that the hungriest step needs
	wide     int // and of T
	released bool
}

// weight decodes w, rounded for mode, or finds it decoded; nil gives nil.
func (e *executable[T]) weight(w *kernels.Weight, mode kernels.Precision) []float32 {
	if w == nil {
		return nil
	}
	if mode == kernels.Stored || mode == kernels.Int8 && w.Type == kernels.I8 {
		mode = kernels.Float32 // nothing is rounded
	}
	b, key := e.backend, decodedKey{w, mode}
	b.mu.Lock()
	defer b.mu.Unlock()
	d := b.decoded[key]
	if d == nil {
		if b.decoded == nil {
			b.decoded = map[decodedKey]*decoded{}
		}
		d = &decoded{data: w.Float32()}
		roundWeight(d.data, w, mode)
		b.decoded[key] = d
	}
	d.users++
	e.used = append(e.used, key)
	return d.data
}

func (e *executable[T]) Close() error {
	b := e.backend
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.released {
		return nil
	}
	e.released = true
	for _, key := range e.used {
		if b.decoded[key].users--; b.decoded[key].users == 0 {
			delete(b.decoded, key)
		}
	}
	return nil
}

// instance holds every value of the graph at its largest size.
type instance[T real] struct {
	executable *executable[T]
	bytes      [][]byte    // by value
	f32        [][]float32 // the same memory, where it is f32
	i32        [][]int32   // or i32
	narrow     []float32
	wide       []T
}

func (e *executable[T]) NewInstance(share []kernels.Instance) (kernels.Instance, error) {
	g, n := e.graph, e.graph.Values()
	in := &instance[T]{
		executable: e,
		bytes:      make([][]byte, n), f32: make([][]float32, n), i32: make([][]int32, n),
		narrow: make([]float32, e.narrow), wide: make([]T, e.wide),
	}
	for _, parent := range share {
		if _, ok := parent.(*instance[T]); !ok {
			return nil, fmt.Errorf("a parent session is of another backend than %s", e.backend.name)
		}
	}
	for v := kernels.Value(1); int(v) < n; v++ {
		info := g.Info(v)
		if info.Node >= 0 && info.Kind == kernels.Computed {
			if store, ok := g.Nodes[info.Node].Op.(kernels.Store); ok {
				in.hold(v, info, in.bytes[store.State])
				continue
			}
		}
		in.hold(v, info, in.shared(info, share))
	}
	return in, nil
}

// shared finds the state of a parent, nil if there is none.
func (in *instance[T]) shared(info kernels.Info, share []kernels.Instance) []byte {
	if info.Kind != kernels.IsState {
		return nil
	}
	for _, parent := range share {
		p := parent.(*instance[T])
		g := p.executable.graph
		for v := range p.bytes {
			if o := g.Info(kernels.Value(v)); o.Kind == kernels.IsState && o.Name == info.Name && o.Type == info.Type && o.Shape.Equal(info.Shape) {
				return p.bytes[v]
			}
		}
	}
	return nil
}

// hold gives v its memory: b, or fresh zeros. Words of eight bytes keep every
// type aligned.
func (in *instance[T]) hold(v kernels.Value, info kernels.Info, b []byte) {
	if b == nil {
		size, _ := info.Type.RowBytes(info.Shape.MaxLen())
		words := make([]uint64, (size+7)/8)
		b = unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), size)
	}
	in.bytes[v] = b
	switch info.Type {
	case kernels.F32:
		in.f32[v] = unsafe.Slice((*float32)(unsafe.Pointer(&b[0])), len(b)/4)
	case kernels.I32:
		in.i32[v] = unsafe.Slice((*int32)(unsafe.Pointer(&b[0])), len(b)/4)
	}
}

func (in *instance[T]) Memory(v kernels.Value) []byte {
	if v <= 0 || int(v) >= len(in.bytes) {
		return nil
	}
	return in.bytes[v]
}

func (in *instance[T]) MoveRow(state kernels.Value, to, from int) error {
	kernels.MoveBytes(in.bytes[state], in.executable.graph.Info(state), to, from)
	return nil
}

func (in *instance[T]) Run(s *kernels.Scalars) error {
	for _, step := range in.executable.steps {
		step(in, s)
	}
	return nil
}

func (in *instance[T]) Close() error {
	in.bytes, in.f32, in.i32 = nil, nil, nil
	return nil
}
