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

func (b *broken) Upload(cuda.Ptr, []byte) error                 { return b.fail() }
func (b *broken) Download([]byte, cuda.Ptr) error               { return b.fail() }
func (b *broken) Copy(cuda.Ptr, cuda.Ptr, int) error            { return b.fail() }
func (b *broken) HostAlloc(n int) ([]byte, cuda.Ptr, error)     { return make([]byte, n+8)[:n], 0, nil }
func (b *broken) HostFree([]byte)                               {}
func (b *broken) Close() error                                  { return nil }
func (b *broken) Record([]cuda.Command) (cuda.Recording, error) { return b, nil }
func (b *broken) Run() error                                    { return b.fail() }

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

// TestFallbackState: what was in a cache cannot be had again.
func TestFallbackState(t *testing.T) {
	driver, said := newBroken(1<<20), &events{}
	backend := cuda.NewFallback(cuda.NewBackend("cuda", driver), ref.New(), said.add)
	s, _, _ := doubling(t, backend, true)
	driver.lost = true
	err := s.Run(context.Background())
	if !errors.Is(err, cuda.ErrLost) || !strings.Contains(err.Error(), "what the session had in cache is lost; a new session runs on ref") {
		t.Errorf("got %v", err)
	}
	said.want(t, 1, cuda.ErrLost)
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
