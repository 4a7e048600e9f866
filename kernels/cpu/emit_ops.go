package cpu

// #include "kc.h"
import "C"

import (
	"math"
	"unsafe"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

func (m emitter) table(o plan.Table) (C.int32_t, unsafe.Pointer, error) {
	c := fresh[C.kc_rope_table](m.executable)
	frequencies := m.own(8 * len(o.Frequencies))
	copy(unsafe.Slice((*float64)(frequencies), len(o.Frequencies)), o.Frequencies)
	c.positions, c.pairs, c.frequencies, c.out = index(o.Positions), C.int32_t(len(o.Frequencies)), (*C.double)(frequencies), m.mat(o.To)
	return C.KC_ROPE_TABLE, unsafe.Pointer(c), nil
}

func (m emitter) turn(o *plan.Turn) (C.int32_t, unsafe.Pointer, error) {
	c := fresh[C.kc_rope](m.executable)
	op := o.Turns[0]
	c.x, c.table, c.out = m.mat(op.X), m.mat(o.Table), m.mat(o.To[0])
	c.heads, c.pairs, c.interleaved, c.out_row = C.int32_t(op.Heads), c.table.cols/2, flag(o.Interleaved), C.int32_t(o.Row[0].ID)
	return C.KC_ROPE, unsafe.Pointer(c), nil
}

func (m emitter) attend(o plan.Attend, scratch value) (C.int32_t, unsafe.Pointer, error) {
	c := fresh[C.kc_attention](m.executable)
	c.q, c.k, c.v, c.out = m.mat(o.Q), m.mat(o.K), m.mat(o.V), m.mat(o.To)
	c.heads, c.kv_heads, c.causal, c.window = C.int32_t(o.Heads), C.int32_t(o.KVHeads), flag(o.Causal), C.int32_t(o.Window)
	c.batch, c.cached = C.int32_t(max(1, o.Batch)), flag(m.IsState(o.K))
	c.past, c.length = C.int32_t(o.Past.ID), C.int32_t(o.Length.ID)
	c.mask, c.mask_ld, c.scratch = index(o.Mask), C.int32_t(m.Info(o.Mask).Shape.Cols()), index(scratch)
	c.scale, c.softcap = C.float(o.Scale), C.float(o.SoftCap)
	if o.Scale == 0 {
		c.scale = C.float(1 / math.Sqrt(float64(o.Head)))
	}
	m.scratch = max(m.scratch, int(C.kc_attention_thread_bytes(C.int32_t(o.Head), C.int64_t(o.Keys.Max()))))
	return C.KC_ATTENTION, unsafe.Pointer(c), nil
}

func (m emitter) cells(o plan.Cells, scratch value) (C.int32_t, unsafe.Pointer, error) {
	c := fresh[C.kc_lstm](m.executable)
	w, err := m.pack(o.Key)
	if err != nil {
		return 0, nil, err
	}
	c.gates, c.out, c.w, c.format = m.mat(o.Gates), m.mat(o.To), w, formatOf(o.Key.Form)
	c._range, c.h, c.c, c.scratch = C.float(o.Limit), index(o.H), index(o.C), index(scratch)
	return C.KC_LSTM, unsafe.Pointer(c), nil
}

func (m emitter) windows(o plan.Windows) (C.int32_t, unsafe.Pointer, error) {
	c := fresh[C.kc_windows](m.executable)
	info := m.Info(o.X)
	height, width, channels := info.Shape[0].Max(), info.Shape[1].Max(), info.Shape[2].Max()
	kh, kw, stride := o.W.Shape[2], o.W.Shape[3], max(1, o.Stride)
	c.x, c.bytes, c.out = index(o.X), flag(info.Type == kernels.U8), m.mat(o.To)
	c.height, c.width, c.channels = C.int32_t(height), C.int32_t(width), C.int32_t(channels)
	c.kh, c.kw, c.stride, c.padding = C.int32_t(kh), C.int32_t(kw), C.int32_t(stride), C.int32_t(o.Padding)
	c.out_width = C.int32_t(o.Wide)
	scale, shift := o.PixelScale, o.PixelShift
	if scale == nil {
		scale = make([]float32, channels)
		for i := range scale {
			scale[i] = 1
		}
	}
	if shift == nil {
		shift = make([]float32, channels)
	}
	c.scale, c.shift = m.numbers(scale), m.numbers(shift)
	return C.KC_WINDOWS, unsafe.Pointer(c), nil
}

func (m emitter) plain(o plan.Plain, scratch value) (C.int32_t, unsafe.Pointer, error) {
	switch op := o.Op.(type) {
	case kernels.Norm:
		c := fresh[C.kc_norm_op](m.executable)
		c.x, c.out, c.norm, c.groups = m.mat(op.X), m.mat(o.To), m.norm(&op), C.int32_t(max(1, op.Groups))
		return C.KC_NORM, unsafe.Pointer(c), nil
	case kernels.Softmax:
		c := fresh[C.kc_softmax](m.executable)
		c.x, c.out, c.log = m.mat(op.X), m.mat(o.To), flag(op.Log)
		return C.KC_SOFTMAX, unsafe.Pointer(c), nil
	case kernels.LogProb:
		c := fresh[C.kc_logprob](m.executable)
		c.x, c.out, c.rows, c.cols = m.mat(op.X), m.mat(o.To), index(op.Rows), index(op.Cols)
		c.n = dim(m.Info(op.Rows).Shape[0])
		return C.KC_LOGPROB, unsafe.Pointer(c), nil
	case kernels.Resize:
		return m.resize(op, o.To)
	case kernels.LogPower:
		c := fresh[C.kc_log_power](m.executable)
		c.x, c.out = m.mat(op.X), m.mat(o.To)
		return C.KC_LOG_POWER, unsafe.Pointer(c), nil
	case kernels.Activate:
		c := fresh[C.kc_activate](m.executable)
		c.x, c.out, c.act = m.mat(op.X), m.mat(o.To), C.int32_t(op.Act)
		return C.KC_ACTIVATE, unsafe.Pointer(c), nil
	case kernels.Binary:
		return m.binary(op, o.To)
	case kernels.Embed:
		return m.embed(op, o.To)
	case kernels.Gather:
		c := fresh[C.kc_gather](m.executable)
		c.x, c.out, c.rows = m.mat(op.X), m.mat(o.To), index(op.Rows)
		return C.KC_GATHER, unsafe.Pointer(c), nil
	case kernels.MeanRows:
		c := fresh[C.kc_mean](m.executable)
		c.x, c.out = m.mat(op.X), m.mat(o.To)
		return C.KC_MEAN, unsafe.Pointer(c), nil
	case kernels.Sample:
		return m.sample(op, o.To, scratch)
	case kernels.MaxPool2D:
		return m.maxPool(op, o.To)
	}
	return 0, nil, notKnown(o.Op)
}

func (m emitter) binary(op kernels.Binary, to value) (C.int32_t, unsafe.Pointer, error) {
	c := fresh[C.kc_binary](m.executable)
	c.x, c.y, c.out = m.mat(op.X), m.mat(op.Y), m.mat(to)
	c.kind, c.act = C.int32_t(op.Kind), C.int32_t(op.Act)
	xRows, xCols := m.Size(op.X)
	yRows, yCols := m.Size(op.Y)
	c.y_row, c.y_col = flag(xRows == yRows), flag(xCols == yCols)
	return C.KC_BINARY, unsafe.Pointer(c), nil
}

func (m emitter) embed(op kernels.Embed, to value) (C.int32_t, unsafe.Pointer, error) {
	c := fresh[C.kc_embed](m.executable)
	table, err := m.pack(packKey{Weight: op.Table, Form: storedForm(op.Table.Type)})
	if err != nil {
		return 0, nil, err
	}
	c.table, c.ids, c.scale, c.out = table, index(op.IDs), C.float(op.Scale), m.mat(to)
	if op.Scale == 0 {
		c.scale = 1
	}
	return C.KC_EMBED, unsafe.Pointer(c), nil
}

func (m emitter) maxPool(op kernels.MaxPool2D, to value) (C.int32_t, unsafe.Pointer, error) {
	c := fresh[C.kc_max_pool](m.executable)
	from, result := m.Info(op.X).Shape, m.Info(to).Shape
	c.x, c.out = index(op.X), index(to)
	c.height, c.width, c.channels = C.int32_t(from[0].Max()), C.int32_t(from[1].Max()), C.int32_t(from[2].Max())
	c.kernel, c.stride, c.padding = C.int32_t(op.Kernel), C.int32_t(max(1, op.Stride)), C.int32_t(op.Padding)
	c.out_height, c.out_width = C.int32_t(result[0].Max()), C.int32_t(result[1].Max())
	return C.KC_MAX_POOL, unsafe.Pointer(c), nil
}
