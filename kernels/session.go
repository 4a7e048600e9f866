package kernels

import (
	"context"
	"fmt"
	"unsafe"
)

// Session is the inputs, outputs and states of one user of a program. It
// belongs to one goroutine at a time.
type Session struct {
	program  *Program
	instance Instance
	scalars  Scalars
}

// Set sets a length or position for the next Run, which checks its range.
func (s *Session) Set(scalar Scalar, n int) {
	if scalar.ID == 0 || int(scalar.ID) > len(s.program.Graph.Scalars) {
		return
	}
	s.scalars[scalar.ID] = int32(min(max(n, -1), maxActivation))
}

// Get reads what Set has set.
func (s *Session) Get(scalar Scalar) int { return int(s.scalars[scalar.ID]) }

// F32 is the memory of an f32 input, output or state, as long as the scalars
// set now make it: inputs to fill before Run, outputs to read until the next.
// A value of another type or kind, or a closed session, gives nil.
func (s *Session) F32(v Value) []float32 { return typed[float32](s, v, F32) }

// I32 is the memory of an i32 input or output.
func (s *Session) I32(v Value) []int32 { return typed[int32](s, v, I32) }

// U8 is the memory of a u8 input or output.
func (s *Session) U8(v Value) []uint8 { return typed[uint8](s, v, U8) }

// Half is the memory of an f16 or bf16 state.
func (s *Session) Half(v Value) []uint16 {
	if half := typed[uint16](s, v, F16); half != nil {
		return half
	}
	return typed[uint16](s, v, BF16)
}

func typed[T any](s *Session, v Value, t DType) []T {
	info := s.program.Graph.Info(v)
	if info.Type != t || s.instance == nil {
		return nil
	}
	b := s.instance.Memory(v)
	n := info.Shape.Len(&s.scalars)
	if len(b) == 0 || n > info.Shape.MaxLen() {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
}

// Run computes the outputs from the inputs, scalars and states. It allocates
// nothing and returns before computing anything if ctx is done or a scalar, id
// or state is out of range.
func (s *Session) Run(ctx context.Context) error {
	if s.instance == nil {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	g := s.program.Graph
	for _, named := range g.Scalars {
		if n := s.scalars[named.ID]; n < 0 || n > named.Max {
			return fmt.Errorf("graph %s: scalar %s is %d, want 0 to %d", g.Name, named.Name, n, named.Max)
		}
	}
	for i := range s.program.checks {
		if err := s.program.checks[i].run(s); err != nil {
			return fmt.Errorf("graph %s: %w", g.Name, err)
		}
	}
	if err := s.instance.Run(&s.scalars); err != nil {
		return err
	}
	for i := range s.program.watched {
		if err := s.program.watched[i].note(s); err != nil {
			return fmt.Errorf("graph %s: %w", g.Name, err)
		}
	}
	return nil
}

// MoveRow copies a row of a state over another, on the device that has it.
func (s *Session) MoveRow(state Value, to, from int) error {
	info := s.program.Graph.Info(state)
	if s.instance == nil {
		return ErrClosed
	}
	if rows := info.Shape.Rows().Max(); info.Kind != IsState || min(to, from) < 0 || max(to, from) >= rows {
		return fmt.Errorf("graph %s: row %d to row %d of %s %v: not rows of a state", s.program.Graph.Name, from, to, info.Name, info.Shape)
	}
	if to == from {
		return nil
	}
	return s.instance.MoveRow(state, to, from)
}

// MoveBytes is Instance.MoveRow for a state in host memory.
func MoveBytes(memory []byte, info Info, to, from int) {
	size, _ := info.Type.RowBytes(info.Shape.Cols())
	copy(memory[to*size:(to+1)*size], memory[from*size:(from+1)*size])
}

// Close frees the memory of the session; states shared with others stay.
func (s *Session) Close() error {
	if s.instance == nil {
		return nil
	}
	err := s.instance.Close()
	s.instance = nil
	if e := s.program.release(); err == nil {
		err = e
	}
	return err
}

// check is a condition on scalars and indices that only Run can know.
type check struct {
	op    string
	index Value // i32 input whose elements must lie below limit
	rows  Dim   // rows that must fit limit from at on
	at    Scalar
	limit Dim
	taps  *Resize // whose weights must be of pixels that are there
}

func (c *check) run(s *Session) error {
	if c.taps != nil {
		if err := c.taps.checkTaps(s); err != nil {
			return fmt.Errorf("%s: %w", c.op, err)
		}
		return nil
	}
	limit := c.limit.At(&s.scalars)
	if c.index == 0 {
		at, rows := s.Get(c.at), c.rows.At(&s.scalars)
		if at+rows > limit {
			return fmt.Errorf("%s: rows %d to %d of a state of %d rows", c.op, at, at+rows, limit)
		}
		return nil
	}
	for i, id := range s.I32(c.index) {
		if id < 0 || int(id) >= limit {
			return fmt.Errorf("%s: %s[%d] is %d, want 0 to %d", c.op, s.program.Graph.Info(c.index).Name, i, id, limit-1)
		}
	}
	return nil
}

func (g *Graph) runChecks() []check {
	var out []check
	for _, n := range g.Nodes {
		name := n.Op.named()
		switch op := n.Op.(type) {
		case Embed:
			out = append(out, check{op: name, index: op.IDs, limit: N(op.Table.Rows())})
		case Gather:
			out = append(out, check{op: name, index: op.Rows, limit: g.Shape(op.X).Rows()})
		case LogProb:
			out = append(out, check{op: name, index: op.Rows, limit: g.Shape(op.X).Rows()},
				check{op: name, index: op.Cols, limit: N(g.Shape(op.X).Cols())})
		case Sample:
			out = append(out, check{op: name, index: op.Recent, limit: N(g.Shape(op.X).Cols())})
		case Resize:
			out = append(out, check{op: name, taps: &op})
		case Store:
			out = append(out, check{op: name + " " + g.Info(op.State).Name, rows: g.Shape(op.X).Rows(), at: op.At, limit: g.Shape(op.State).Rows()})
		case Attention:
			if g.isState(op.K) && op.Length.ID == 0 {
				out = append(out, check{op: name, rows: g.Shape(op.Q).Rows(), at: op.Past, limit: g.Shape(op.K).Rows()})
			}
		}
	}
	return out
}
