package cpu

// #include "kc.h"
import "C"

import (
	"unsafe"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

// emitter writes steps as C structs.
type emitter struct {
	*executable
	*lowering
}

func (e *executable) emit(l *lowering) error {
	m := emitter{e, l}
	e.count = len(l.Steps)
	e.steps = (*C.kc_step)(e.own(e.count * int(unsafe.Sizeof(C.kc_step{}))))
	for i := range e.count {
		step := &unsafe.Slice(e.steps, e.count)[i]
		var err error
		if step.op, step.arg, err = m.step(l.Steps[i]); err != nil {
			return err
		}
	}
	return nil
}

// fresh is a zeroed C struct.
func fresh[T any](e *executable) *T {
	var zero T
	return (*T)(e.own(int(unsafe.Sizeof(zero))))
}

func dim(d kernels.Dim) C.kc_dim {
	if d.Static() {
		return C.kc_dim{add: C.int32_t(d.Max()), div: 1}
	}
	return C.kc_dim{scalar: C.int32_t(d.Scalar.ID), mul: C.int32_t(d.Mul), add: C.int32_t(d.Add), div: C.int32_t(d.Div)}
}

func (m emitter) mat(v value) C.kc_mat {
	if v == 0 {
		return C.kc_mat{at: -1}
	}
	rows, cols := m.Size(v)
	return C.kc_mat{
		at: C.int32_t(v), cols: C.int32_t(cols), ld: C.int32_t(m.Places[v].Ld),
		_type: C.int32_t(m.Info(v).Type), rows: dim(rows),
	}
}

// index is the place of a value in the table, -1 for none.
func index(v value) C.int32_t {
	if v == 0 {
		return -1
	}
	return C.int32_t(v)
}

// vector copies a weight of one row; nil gives nil.
func (m emitter) vector(w *kernels.Weight) *C.float {
	if w == nil {
		return nil
	}
	return m.numbers(w.Float32())
}

func (m emitter) numbers(x []float32) *C.float {
	if x == nil {
		return nil
	}
	return (*C.float)(m.floats(x))
}

func (m emitter) norm(op *kernels.Norm) C.kc_norm {
	if op == nil {
		return C.kc_norm{kind: -1}
	}
	n := C.kc_norm{kind: C.int32_t(op.Kind), epsilon: C.float(op.Epsilon), bias: m.vector(op.Bias)}
	if op.Gain != nil {
		gain := op.Gain.Float32()
		for i := range gain {
			gain[i] += op.GainOffset
		}
		n.gain = m.numbers(gain)
	}
	return n
}

func (m emitter) step(s *plan.Step) (code C.int32_t, arg unsafe.Pointer, err error) {
	var scratch value
	if len(s.Scratch) > 0 {
		scratch = s.Scratch[0]
	}
	switch w := s.Work.(type) {
	case *plan.Product:
		return m.product(w, scratch)
	case plan.Table:
		return m.table(w)
	case *plan.Turn:
		return m.turn(w)
	case plan.Keep:
		c := fresh[C.kc_store](m.executable)
		c.x, c.out, c.out_row = m.mat(w.From), m.mat(w.To), C.int32_t(w.Row.ID)
		return C.KC_STORE, unsafe.Pointer(c), nil
	case plan.Attend:
		return m.attend(w, scratch)
	case plan.Cells:
		return m.cells(w, scratch)
	case plan.Windows:
		return m.windows(w)
	case plan.Copy:
		c := fresh[C.kc_copy](m.executable)
		c.x, c.out, c.out_after = m.mat(w.From), m.mat(w.To), dim(w.After)
		return C.KC_COPY, unsafe.Pointer(c), nil
	case plan.PadRows:
		c := fresh[C.kc_pad](m.executable)
		c.x, c.out, c.left, c.mirror = m.mat(w.From), m.mat(w.To), C.int32_t(w.Left), flag(w.Mirror)
		return C.KC_PAD, unsafe.Pointer(c), nil
	case plan.Plain:
		return m.plain(w, scratch)
	}
	return 0, nil, notKnown(s.Work)
}

func flag(b bool) C.int32_t {
	if b {
		return 1
	}
	return 0
}

func (m emitter) product(p *plan.Product, scratch value) (C.int32_t, unsafe.Pointer, error) {
	c := fresh[C.kc_product](m.executable)
	c.x = m.mat(p.X)
	c.x.cols, c.x.ld, c.x.rows = C.int32_t(p.Cols), C.int32_t(p.Ld), dim(p.Rows)
	c.norm, c.format, c._range, c.scratch = m.norm(p.Norm), C.int32_t(p.Group), C.float(p.Limit), index(scratch)
	c.count = C.int32_t(len(p.Segments))
	c.segments = (*C.kc_segment)(m.own(len(p.Segments) * int(unsafe.Sizeof(C.kc_segment{}))))
	for i, s := range p.Segments {
		out := &unsafe.Slice(c.segments, len(p.Segments))[i]
		var err error
		if out.w, err = m.pack(s.Key); err != nil {
			return 0, nil, err
		}
		if s.Matrices == 2 {
			if out.w2, err = m.pack(s.Key2); err != nil {
				return 0, nil, err
			}
		}
		out.bias, out.bias2 = m.numbers(s.Bias), m.numbers(s.Bias2)
		out.act, out.out_row = C.int32_t(s.Act), C.int32_t(s.Row.ID)
		out.residual, out.out = m.mat(s.Residual), m.mat(s.To)
	}
	return C.KC_PRODUCT, unsafe.Pointer(c), nil
}
