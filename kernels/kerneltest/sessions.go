package kerneltest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
)

var small = Case{Name: "llama", Build: func(b *Builder) { llama(b, kernels.Q4_1, 2) }}

// sessions checks what package kernels promises about programs and sessions.
func sessions(t *testing.T, backend kernels.Backend) {
	t.Run("allocations", func(t *testing.T) { allocations(t, backend) })
	t.Run("concurrent", func(t *testing.T) { concurrent(t, backend) })
	t.Run("shared states", func(t *testing.T) { sharedStates(t, backend) })
	t.Run("own states", func(t *testing.T) { ownStates(t, backend) })
	t.Run("moved rows", func(t *testing.T) { movedRows(t, backend) })
	t.Run("closed", func(t *testing.T) { closed(t, backend) })
}

// allocations holds Run to none.
func allocations(t *testing.T, backend kernels.Backend) {
	r := start(t, small, backend)
	ctx := context.Background()
	for _, n := range []int{1, 3, 33} {
		r.run(t, Lengths{"rows": n, "past": 4}, 1)
		allocs := testing.AllocsPerRun(10, func() {
			if err := r.session.Run(ctx); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("Run of %d rows allocates %v times", n, allocs)
		}
	}
}

// concurrent runs sessions of one program side by side; each must compute what
// it computes alone.
func concurrent(t *testing.T, backend kernels.Backend) {
	alone := start(t, small, backend)
	alone.run(t, Lengths{"rows": 9, "past": 0}, 7)
	want := alone.results()["logits"]
	var wait sync.WaitGroup
	for range 4 {
		session, err := alone.program.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		wait.Add(1)
		go func() {
			defer wait.Done()
			defer session.Close()
			r := &runner{Builder: alone.Builder, program: alone.program, session: session}
			for range 5 {
				r.run(t, Lengths{"rows": 9, "past": 0}, 7)
				got := r.results()["logits"]
				for i := range want {
					if got[i] != want[i] {
						t.Errorf("logit %d is %g beside other sessions, %g alone", i, got[i], want[i])
						return
					}
				}
			}
		}()
	}
	wait.Wait()
}

// movedRows copies rows of a state, before and after the host looked at it.
func movedRows(t *testing.T, backend kernels.Backend) {
	for _, kind := range []kernels.DType{kernels.F32, kernels.F16} {
		r := start(t, Case{Name: "moved", Build: func(b *Builder) {
			b.Add(kernels.Store{X: b.x("x", kernels.N(4), 3), State: b.State("rows", kind, kernels.N(4), kernels.N(3))})
		}}, backend)
		state := kernels.Value(2)
		for round := range 2 {
			r.run(t, nil, uint64(round))
			if round == 1 {
				r.results() // the host has a copy now
			}
			for _, move := range []struct{ to, from int }{{0, 2}, {3, 0}, {1, 1}} {
				if err := r.session.MoveRow(state, move.to, move.from); err != nil {
					t.Fatal(err)
				}
			}
			got, x := r.results()["rows"], r.session.F32(1)
			for i, row := range []int{2, 1, 2, 2} {
				for c := range 3 {
					want := x[row*3+c]
					if kind == kernels.F16 {
						want = kernels.HalfToFloat(kernels.FloatToHalf(want))
					}
					if got[i*3+c] != want {
						t.Errorf("%v: row %d is %v, want row %d of %v", kind, i, got[i*3:i*3+3], row, x)
					}
				}
			}
		}
		for _, bad := range []struct {
			v        kernels.Value
			to, from int
		}{{state, 4, 0}, {state, 0, -1}, {1, 0, 1}} {
			if r.session.MoveRow(bad.v, bad.to, bad.from) == nil {
				t.Errorf("row %d to row %d of value %d is moved", bad.from, bad.to, bad.v)
			}
		}
	}
}

// sharedStates runs an encoder that fills keys and a decoder, of another
// program, that reads them, also after the encoder's session is closed.
func sharedStates(t *testing.T, backend kernels.Backend) {
	writer := newBuilder("writer")
	x := writer.x("x", kernels.N(4), 8)
	writer.Add(kernels.Store{X: x, State: writer.State("keys", kernels.F32, kernels.N(4), kernels.N(8))})
	reader := newBuilder("reader")
	state := reader.State("keys", kernels.F32, kernels.N(4), kernels.N(8))
	reader.State("other", kernels.F32, kernels.N(4), kernels.N(8))
	q := reader.x("q", kernels.N(1), 8)
	y := reader.Add(kernels.Attention{Q: q, K: state, V: state, Heads: 1, KVHeads: 1, Length: reader.scalar("length", 4)})
	reader.Output("y", y)

	first, second := compile(t, writer, backend), compile(t, reader, backend)
	parent, err := first.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	child, err := second.NewSession(parent)
	if err != nil {
		t.Fatal(err)
	}
	defer child.Close()
	for i := range parent.F32(x) {
		parent.F32(x)[i] = float32(i)
	}
	if err := parent.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := parent.Close(); err != nil {
		t.Fatal(err)
	}
	child.Set(reader.dims["length"], 4)
	if err := child.Run(context.Background()); err != nil { // q is zero: the mean of all rows
		t.Fatal(err)
	}
	for i, got := range child.F32(y) {
		if want := float32(12 + i); got != want {
			t.Errorf("y[%d] is %g, want %g: the state of the parent is not shared", i, got, want)
		}
	}
}

func compile(t *testing.T, b *Builder, backend kernels.Backend) *kernels.Program {
	t.Helper()
	p, err := kernels.Compile(b.Graph, backend, kernels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// ownStates checks that sessions without a parent start from zeros of their own.
func ownStates(t *testing.T, backend kernels.Backend) {
	a := start(t, small, backend)
	a.run(t, Lengths{"rows": 9, "past": 0}, 7)
	session, err := a.program.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for v := kernels.Value(1); int(v) < a.Values(); v++ {
		if a.Info(v).Kind != kernels.IsState {
			continue
		}
		if address(session.F32(v)) == address(a.session.F32(v)) {
			t.Errorf("state %s is shared without a parent", a.Info(v).Name)
		}
		for i, x := range session.F32(v) {
			if x != 0 {
				t.Fatalf("state %s[%d] of a new session is %g", a.Info(v).Name, i, x)
			}
		}
	}
}

// closed checks that what is closed says so, and that a program outlives its
// Close while a session lives.
func closed(t *testing.T, backend kernels.Backend) {
	b := newBuilder("closed")
	x := b.x("x", kernels.N(2), 8)
	b.Output("y", b.Add(kernels.MatMul{X: x, W: b.w("w", 8, 8)}))
	p := compile(t, b, backend)
	s, err := p.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(context.Background()); err != nil {
		t.Errorf("a session after its program's Close: %v", err)
	}
	if _, err := p.NewSession(); !errors.Is(err, kernels.ErrClosed) {
		t.Errorf("NewSession of a closed program: %v, want ErrClosed", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Run(context.Background()); !errors.Is(err, kernels.ErrClosed) {
		t.Errorf("Run of a closed session: %v, want ErrClosed", err)
	}
	if s.F32(x) != nil {
		t.Error("a closed session still gives memory")
	}
}
