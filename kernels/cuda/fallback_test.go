package cuda_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cuda"
	"github.com/kuai-robot/kuai/kernels/kerneltest"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// broken is a driver whose memory is that of the process and that computes
// nothing: it fails as it is told to.
type broken struct {
	left int // bytes
	lost bool
	full bool // for recordings
	next cuda.Ptr
	held map[cuda.Ptr]int
}

func newBroken(bytes int) *broken { return &broken{left: bytes, next: 256, held: map[cuda.Ptr]int{}} }

func (b *broken) Device() cuda.Device { return cuda.Device{Name: "broken", Capability: 87, SMs: 8} }

func (b *broken) Alloc(n int) (cuda.Ptr, error) {
	if n > b.left {
		return 0, fmt.Errorf("%d bytes: %w", n, cuda.ErrMemory)
	}
	b.left -= n
	p := b.next
	b.next += cuda.Ptr(n+255) / 256 * 256
	b.held[p] = n
	return p, nil
}

func (b *broken) Free(p cuda.Ptr) {
	b.left += b.held[p]
	delete(b.held, p)
}

func (b *broken) fail() error {
	if b.lost {
		return fmt.Errorf("broken: %w", cuda.ErrLost)
	}
	return nil
}

func (b *broken) Upload(cuda.Ptr, []byte) error             { return b.fail() }
func (b *broken) Download([]byte, cuda.Ptr) error           { return b.fail() }
func (b *broken) Copy(cuda.Ptr, cuda.Ptr, int) error        { return b.fail() }
func (b *broken) HostAlloc(n int) ([]byte, cuda.Ptr, error) { return make([]byte, n+8)[:n], 0, nil }
func (b *broken) HostFree([]byte)                           {}
func (b *broken) Close() error                              { return nil }

func (b *broken) Record([]cuda.Command) (cuda.Recording, error) {
	if b.full {
		return nil, fmt.Errorf("broken: %w", cuda.ErrMemory)
	}
	return b, nil
}

func (b *broken) Run() error { return b.fail() }

// doubling is y = 2x, with a state when it has a cache.
func doubling(t *testing.T, backend kernels.Backend, cache bool) (s *kernels.Session, x, y kernels.Value) {
	t.Helper()
	g := kernels.NewGraph("doubling")
	x = g.Input("x", kernels.F32, kernels.N(2), kernels.N(4))
	two := g.Add(kernels.Const{W: kernels.NewWeight("two", []float32{2}, 1)})
	y = g.Add(kernels.Binary{Kind: kernels.Mul, X: x, Y: two})
	g.Output("y", y)
	if cache {
		g.Add(kernels.Store{X: y, State: g.State("cache", kernels.F32, kernels.N(2), kernels.N(4))})
	}
	p, err := kernels.Compile(g, backend, kernels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s, err = p.NewSession(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	})
	return s, x, y
}

func doubles(t *testing.T, s *kernels.Session, in, out []float32) {
	t.Helper()
	for i := range in {
		in[i] = float32(i)
	}
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i := range out {
		if out[i] != 2*float32(i) {
			t.Errorf("y[%d] is %g, want %d", i, out[i], 2*i)
		}
	}
}

type events struct{ list []error }

func (e *events) add(err error) { e.list = append(e.list, err) }

func (e *events) want(t *testing.T, n int, is error) {
	t.Helper()
	if len(e.list) != n || n > 0 && !errors.Is(e.list[n-1], is) {
		t.Errorf("events %v, want %d, the last of which is %v", e.list, n, is)
	}
}

func TestFallbackMemory(t *testing.T) {
	for what, bytes := range map[string]int{"weights": 0, "session": 100} {
		t.Run(what, func(t *testing.T) {
			driver, said := newBroken(bytes), &events{}
			s, x, y := doubling(t, cuda.NewFallback(cuda.NewBackend("cuda", driver), ref.New(), said.add), false)
			doubles(t, s, s.F32(x), s.F32(y))
			said.want(t, 1, cuda.ErrMemory)
		})
	}
}

// TestFallbackLost loses the device between two runs.
func TestFallbackLost(t *testing.T) {
	driver, said := newBroken(1<<20), &events{}
	backend := cuda.NewFallback(cuda.NewBackend("cuda", driver), ref.New(), said.add)
	s, x, y := doubling(t, backend, false)
	in, out := s.F32(x), s.F32(y)
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	said.want(t, 0, nil)
	driver.lost = true
	doubles(t, s, in, out) // in the memory that was given before
	doubles(t, s, s.F32(x), s.F32(y))
	said.want(t, 1, cuda.ErrLost)
	if backend.Name() != "ref" {
		t.Errorf("new programs are built for %s", backend.Name())
	}
	later, x, y := doubling(t, backend, true)
	doubles(t, later, later.F32(x), later.F32(y))
}

// keeping is a session that stores 2x in the second row of a cache of two.
type keeping struct {
	*kernels.Session
	t        *testing.T
	x, cache kernels.Value
}

func keeps(t *testing.T, backend kernels.Backend, parents ...*keeping) *keeping {
	t.Helper()
	g := kernels.NewGraph("keeping")
	k, at := &keeping{t: t}, g.Scalar("at", 1)
	k.x = g.Input("x", kernels.F32, kernels.N(1), kernels.N(4))
	k.cache = g.State("cache", kernels.F32, kernels.N(2), kernels.N(4))
	y := g.Add(kernels.Binary{X: k.x, Y: k.x})
	g.Output("y", y)
	g.Add(kernels.Store{X: y, State: k.cache, At: at})
	p, err := kernels.Compile(g, backend, kernels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var share []*kernels.Session
	for _, p := range parents {
		share = append(share, p.Session)
	}
	if k.Session, err = p.NewSession(share...); err != nil {
		t.Fatal(err)
	}
	k.Set(at, 1)
	t.Cleanup(func() {
		if err := errors.Join(k.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	})
	return k
}

// stores runs with x and wants first and 2x in the rows of the cache.
func (k *keeping) stores(x, first float32) {
	k.t.Helper()
	k.F32(k.x)[0] = x
	if err := k.Run(context.Background()); err != nil {
		k.t.Fatal(err)
	}
	if c := k.F32(k.cache); c[0] != first || c[4] != 2*x {
		k.t.Errorf("the cache is %v, want %g and %g", c, first, 2*x)
	}
}

// TestFallbackState: what was in a cache cannot be had again, which is said once; the
// sessions that share it go on from nothing.
func TestFallbackState(t *testing.T) {
	driver, said := newBroken(1<<20), &events{}
	backend := cuda.NewFallback(cuda.NewBackend("cuda", driver), ref.New(), said.add)
	s := keeps(t, backend)
	child := keeps(t, backend, s)
	in := s.F32(s.x)
	driver.lost = true
	err := child.Run(context.Background())
	if !errors.Is(err, cuda.ErrLost) || !errors.Is(err, kernels.ErrStatesLost) || !strings.Contains(err.Error(), "graph keeping goes on with ref") {
		t.Errorf("got %v", err)
	}
	said.want(t, 1, cuda.ErrLost)
	s.stores(3, 0)
	if got := child.F32(child.cache)[4]; got != 6 {
		t.Errorf("the child sees %g, want 6", got)
	}
	child.stores(4, 0)
	in[0] = 5 // where it was given
	if err := s.Run(context.Background()); err != nil || s.F32(s.cache)[4] != 10 {
		t.Errorf("the cache is %v, %v, want 10", s.F32(s.cache), err)
	}
	s.F32(s.cache)[0] = 9
	keeps(t, backend, child).stores(6, 9)
	said.want(t, 1, cuda.ErrLost)
}

// TestFallbackReads: the host that looks at a state of a lost device sees zeros, and
// the next run tells.
func TestFallbackReads(t *testing.T) {
	driver, said := newBroken(1<<20), &events{}
	s := keeps(t, cuda.NewFallback(cuda.NewBackend("cuda", driver), ref.New(), said.add))
	driver.lost = true
	if got := s.F32(s.cache); len(got) != 8 || got[0] != 0 {
		t.Errorf("the state is %v", got)
	}
	if err := s.Run(context.Background()); !errors.Is(err, kernels.ErrStatesLost) {
		t.Errorf("got %v", err)
	}
	s.stores(1, 0)
	said.want(t, 1, cuda.ErrLost)
}

// TestFallbackFull: where memory runs out in a run, states go along.
func TestFallbackFull(t *testing.T) {
	driver, said := newBroken(1<<20), &events{}
	s := keeps(t, cuda.NewFallback(cuda.NewBackend("cuda", driver), ref.New(), said.add))
	s.F32(s.cache)[0] = 40
	driver.full = true
	s.stores(1, 40)
	s.stores(2, 40)
	said.want(t, 1, cuda.ErrMemory)
}

// TestFallbackHolds: the file of the weights stays readable until they are packed a
// second time, or never will be.
func TestFallbackHolds(t *testing.T) {
	for _, lose := range []bool{false, true} {
		driver, said, held := newBroken(1<<20), &events{}, 0
		w := kernels.NewWeight("w", make([]float32, 16), 4, 4)
		w.Hold = func() func() { held++; return func() { held-- } }
		g := kernels.NewGraph("product")
		g.Output("y", g.Add(kernels.MatMul{X: g.Input("x", kernels.F32, kernels.N(1), kernels.N(4)), W: w}))
		p, err := kernels.Compile(g, cuda.NewFallback(cuda.NewBackend("cuda", driver), ref.New(), said.add), kernels.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.NewSession()
		if err != nil || held == 0 {
			t.Fatalf("%d holds, %v", held, err)
		}
		if driver.lost = lose; lose {
			if err := s.Run(context.Background()); err != nil || held != 0 {
				t.Errorf("after moving: %d holds, %v", held, err)
			}
		}
		if err := errors.Join(s.Close(), p.Close()); err != nil || held != 0 {
			t.Errorf("after closing: %d holds, %v", held, err)
		}
	}
}

// TestFallbackKeeps: nothing changes while the first backend works.
func TestFallbackKeeps(t *testing.T) {
	if testing.Short() {
		t.Skip("the case table once more")
	}
	said := &events{}
	kerneltest.Run(t, cuda.NewFallback(ref.New(), newNothing(t), said.add))
	said.want(t, 0, nil)
}

// newNothing is a backend that must not be used.
func newNothing(t *testing.T) kernels.Backend { return nothing{t} }

type nothing struct{ t *testing.T }

func (nothing) Name() string { return "nothing" }

func (n nothing) Build(g *kernels.Graph, _ kernels.Options) (kernels.Executable, error) {
	n.t.Errorf("graph %s is built on the second backend", g.Name)
	return nil, errors.New("nothing is built here")
}
