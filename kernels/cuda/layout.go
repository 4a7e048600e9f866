package cuda

import (
	"unsafe"

	"github.com/kuai-robot/kuai/kernels"
)

// The parameters of kernels, as device.h, product.h and the .cu files declare
// them: the order and the sizes of fields must be the same (a test compares the
// sizes with what the compiler of the kernels says).

type cDim struct{ scalar, mul, add, div int32 }

type cMat struct {
	at       Ptr
	rows     cDim
	cols, ld int32
}

type cNorm struct {
	gain, bias Ptr
	kind       int32
	epsilon    float32
}

type cMatrix struct{ data, meta, high, scale Ptr }

type cSegment struct {
	w, w2                        cMatrix
	bias, bias2, residual, to    Ptr
	outputs, act, gated, typ     int32
	residualLd, toLd, row, first int32
}

// mostSegments is the number of matrices that one launch multiplies with.
const mostSegments = 8

type cProduct struct {
	x                           cMat
	norm                        cNorm
	scalars, partial, counter   Ptr
	kind, inputs, count, splits int32
	limit                       float32
	vectors, perWarp, rowsBound int32
	segments                    [mostSegments]cSegment
}

type cAttention struct {
	q, k, v, to                     cMat
	mask, scalars, partial, counter Ptr
	heads, kvHeads, head, typ       int32
	causal, window, batch, cached   int32
	past, length, maskLd, splits    int32
	scale, softcap                  float32
	vectors, _                      int32
}

type cNormOf struct {
	x, to     cMat
	norm      cNorm
	scalars   Ptr
	groups, _ int32
}

type cRopeTable struct {
	positions, frequencies Ptr
	to                     cMat
	scalars                Ptr
	pairs, _               int32
}

type cTurn struct {
	x                     cMat
	to                    Ptr
	toLd, row, typ, heads int32
}

type cRope struct {
	turns                        [2]cTurn
	table                        cMat
	scalars                      Ptr
	count, pairs, interleaved, _ int32
}

type cSoftmax struct {
	x, to   cMat
	scalars Ptr
	log, _  int32
}

type cLogProb struct {
	x              cMat
	to, rows, cols Ptr
	n              cDim
	scalars        Ptr
}

type cActivate struct {
	x, to   cMat
	scalars Ptr
	act, _  int32
}

type cBinary struct {
	x, y, to              cMat
	scalars               Ptr
	kind, act, yRow, yCol int32
}

type cEmbed struct {
	table        cMatrix
	to           cMat
	ids, scalars Ptr
	kind         int32
	scale        float32
}

type cGather struct {
	x, to        cMat
	ids, scalars Ptr
}

type cCopy struct {
	x                 cMat
	to                Ptr
	after             cDim
	toLd, row, typ, _ int32
	scalars           Ptr
}

type cPad struct {
	x, to        cMat
	scalars      Ptr
	left, mirror int32
}

type cWindows struct {
	x                              Ptr
	to                             cMat
	scale, shift                   Ptr
	bytes, height, width, channels int32
	kh, kw, stride, padding        int32
	outWidth, _                    int32
}

type cPicture struct {
	x, across, down, scalars                               Ptr
	width, channels, acrossLd, downLd, outHeight, outWidth int32
}

type cResize struct {
	from cPicture
	to   Ptr
}

type cResizeWindows struct {
	from                    cPicture
	to                      cMat
	scale, shift            Ptr
	kh, kw, stride, padding int32
	placesWide, _           int32
}

type cLogPower struct {
	x, to   cMat
	scalars Ptr
}

type cSample struct {
	x                                         cMat
	recent, how, to, weights, logits, scalars Ptr
	n                                         cDim
}

type cMaxPool struct {
	x, to                                Ptr
	height, width, channels, kernel      int32
	stride, padding, outHeight, outWidth int32
}

type cLSTM struct {
	gates, to        cMat
	w, h, c, scalars Ptr
	hidden, rounding int32
	limit            float32
	_                int32
}

type cMean struct {
	x, to   cMat
	scalars Ptr
}

// raw copies a parameter's bytes.
func raw[T any](p *T) []byte {
	return append([]byte{}, unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p))...)
}

func dimOf(d kernels.Dim) cDim {
	if d.Static() {
		return cDim{add: int32(d.Max()), div: 1}
	}
	return cDim{scalar: int32(d.Scalar.ID), mul: d.Mul, add: d.Add, div: d.Div}
}

func flag(b bool) int32 {
	if b {
		return 1
	}
	return 0
}
