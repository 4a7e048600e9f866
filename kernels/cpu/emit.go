package cpu

// #include "kc.h"
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/kuai-robot/kuai/kernels"
)

// emitter writes ops as C structs.
type emitter struct {
	*executable
	*lowering
}

func (e *executable) emit(l *lowering, ops []*op) error {
	m := emitter{e, l}
	e.steps = (*C.kc_step)(e.own(len(ops) * int(unsafe.Sizeof(C.kc_step{}))))
	e.count = len(ops)
	for i, step := range unsafe.Slice(e.steps, len(ops)) {
		code, arg, err := m.op(ops[i].what)
		if err != nil {
			return err
		}
		step.op, step.arg = code, arg
		unsafe.Slice(e.steps, len(ops))[i] = step
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
	rows, cols := m.size(v)
	return C.kc_mat{
		at: C.int32_t(v), cols: C.int32_t(cols), ld: C.int32_t(m.places[v].ld),
		_type: C.int32_t(m.info(v).Type), rows: dim(rows),
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

func (m emitter) op(what any) (code C.int32_t, arg unsafe.Pointer, err error) {
	switch o := what.(type) {
	case *product:
		return m.product(o)
	case turnTable:
		return m.turnTable(o)
	case turn:
		return m.turn(o)
	case keep:
		c := fresh[C.kc_store](m.executable)
		c.x, c.out, c.out_row = m.mat(o.from), m.mat(o.to), C.int32_t(o.row.ID)
		return C.KC_STORE, unsafe.Pointer(c), nil
	case attend:
		return m.attend(o)
	case cells:
		return m.cells(o)
	case windows:
		return m.windows(o)
	case copyRows:
		c := fresh[C.kc_copy](m.executable)
		c.x, c.out, c.out_after = m.mat(o.from), m.mat(o.to), dim(o.after)
		return C.KC_COPY, unsafe.Pointer(c), nil
	case padRows:
		c := fresh[C.kc_pad](m.executable)
		c.x, c.out, c.left, c.mirror = m.mat(o.from), m.mat(o.to), C.int32_t(o.left), flag(o.mirror)
		return C.KC_PAD, unsafe.Pointer(c), nil
	case choose:
		return m.choose(o)
	case unary:
		return m.unary(o)
	}
	return 0, nil, fmt.Errorf("%T cannot be emitted", what)
}

func flag(b bool) C.int32_t {
	if b {
		return 1
	}
	return 0
}

func (m emitter) product(p *product) (C.int32_t, unsafe.Pointer, error) {
	c := fresh[C.kc_product](m.executable)
	c.x = m.mat(p.x)
	c.x.cols, c.x.ld, c.x.rows = C.int32_t(p.cols), C.int32_t(p.ld), dim(p.rows)
	c.norm, c.format, c._range, c.scratch = m.norm(p.norm), p.format, C.float(p.limit), index(p.prepared)
	c.count = C.int32_t(len(p.segments))
	c.segments = (*C.kc_segment)(m.own(len(p.segments) * int(unsafe.Sizeof(C.kc_segment{}))))
	for i, s := range p.segments {
		out := &unsafe.Slice(c.segments, len(p.segments))[i]
		var err error
		if out.w, err = m.pack(s.key); err != nil {
			return 0, nil, err
		}
		if s.matrices == 2 {
			if out.w2, err = m.pack(s.key2); err != nil {
				return 0, nil, err
			}
		}
		out.bias, out.bias2 = m.numbers(s.bias), m.numbers(s.bias2)
		out.act, out.out_row = C.int32_t(s.act), C.int32_t(s.row.ID)
		out.residual, out.out = m.mat(s.residual), m.mat(s.to)
	}
	return C.KC_PRODUCT, unsafe.Pointer(c), nil
}
