package cpu

// #include "kc.h"
import "C"

import (
	"unsafe"

	"github.com/kuai-robot/kuai/kernels"
)

func (m emitter) resize(op kernels.Resize, to value) (C.int32_t, unsafe.Pointer, error) {
	c := fresh[C.kc_resize](m.executable)
	result := m.Info(to).Shape
	c.x, c.out, c.across, c.down, c.width = index(op.X), index(to), index(op.Across), index(op.Down), C.int32_t(op.Width.ID)
	c.out_height, c.out_width, c.channels = C.int32_t(result[0].Max()), C.int32_t(result[1].Max()), C.int32_t(result[2].Max())
	c.across_ld, c.down_ld = C.int32_t(m.Info(op.Across).Shape.Cols()), C.int32_t(m.Info(op.Down).Shape.Cols())
	return C.KC_RESIZE, unsafe.Pointer(c), nil
}

func (m emitter) sample(op kernels.Sample, to, scratch value) (C.int32_t, unsafe.Pointer, error) {
	c := fresh[C.kc_sample](m.executable)
	c.x, c.recent, c.how, c.out, c.scratch = m.mat(op.X), index(op.Recent), index(op.How), index(to), index(scratch)
	c.n = dim(m.Info(op.Recent).Shape[0])
	return C.KC_SAMPLE, unsafe.Pointer(c), nil
}
