package vision

import (
	"math"
	"slices"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/robot"
)

// Filter of a resize, numbered as Pillow does.
type Filter int

// Filters.
const (
	Bilinear Filter = 2
	Bicubic  Filter = 3
)

// support is how far the filter reaches at scale 1.
func (f Filter) support() float64 {
	if f == Bilinear {
		return 1
	}
	return 2
}

// at is the filter's weight x pixels from its middle; the cubic is Keys'
// (doi 10.1109/TASSP.1981.1163711) with a = −1/2.
func (f Filter) at(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case f == Bilinear:
		return max(0, 1-x)
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}

// fixedBits are the fraction bits of weights: 8 bits of a pixel, two of
// headroom for the overshoot of the cubic, 22 of fraction fill 32.
const fixedBits = kernels.ResizeBits

// taps are the weights with which input pixels make each output pixel.
type taps struct {
	first   []int32 // the input pixel that the first weight is for
	count   []int32
	weights []int32 // most of them for each output pixel
	most    int
}

// set computes the taps of the output pixels from start on, when in pixels
// become out: the filter grows with the scale, so that nothing aliases. The
// weights are Pillow's, rounded to fixed point.
func (t *taps) set(f Filter, in, out, start, n int) {
	scale := float64(in) / float64(out)
	stretch := max(scale, 1)
	reach := f.support() * stretch
	t.most = 2*int(math.Ceil(reach)) + 1
	t.first, t.count = slices.Grow(t.first[:0], n)[:n], slices.Grow(t.count[:0], n)[:n]
	t.weights = slices.Grow(t.weights[:0], n*t.most)[:n*t.most]
	exact := make([]float64, t.most)
	for i := range n {
		middle := (float64(start+i) + 0.5) * scale
		from := max(int(middle-reach+0.5), 0)
		to := min(int(middle+reach+0.5), in)
		sum := 0.0
		for x := range to - from {
			exact[x] = f.at((float64(x+from) - middle + 0.5) / stretch)
			sum += exact[x]
		}
		t.first[i], t.count[i] = int32(from), int32(to-from)
		for x := range to - from {
			w := exact[x]
			if sum != 0 {
				w /= sum
			}
			t.weights[i*t.most+x] = int32(math.Floor(w*(1<<fixedBits) + 0.5))
			if w < 0 {
				t.weights[i*t.most+x] = int32(math.Ceil(w*(1<<fixedBits) - 0.5))
			}
		}
	}
}

// clip rounds a sum of weighted pixels to a byte.
func clip(sum int32) uint8 { return uint8(min(max(sum>>fixedBits, 0), 255)) }

const half = 1 << (fixedBits - 1)

// window is a part of a picture.
type window struct{ x, y, width, height int }

// Resizer prepares pictures of one size after the other and keeps its memory. A
// pass along rows comes first, then one along columns, with bytes between, as
// Pillow does it; only what the tower sees is computed. It belongs to one
// goroutine at a time.
type Resizer struct {
	prepare       Preprocess
	width, height int // of the pictures that the taps are for
	across, down  taps
	between       []byte
	sameW, sameH  bool
	seen          window
	top, rows     int // input rows that the window needs
}

// NewResizer prepares as p says.
func NewResizer(p Preprocess) *Resizer { return &Resizer{prepare: p} }

// Resize appends the resized and cropped picture to dst, RGB row by row. An
// error names the camera.
func (r *Resizer) Resize(dst []byte, f *robot.Frame) ([]byte, error) {
	if err := check(f); err != nil {
		return dst, err
	}
	r.plan(f.Width, f.Height)
	at := len(dst)
	dst = slices.Grow(dst, 3*r.seen.width*r.seen.height)[:at+3*r.seen.width*r.seen.height]
	r.resize(dst[at:], f.Pixels)
	return dst, nil
}

// plan computes the taps for pictures of a size.
func (r *Resizer) plan(width, height int) {
	if r.width == width && r.height == height {
		return
	}
	w, h, seen := r.prepare.resized(width, height)
	r.width, r.height, r.seen = width, height, seen
	r.sameW, r.sameH = w == width, h == height
	r.across.set(r.prepare.Filter, width, w, seen.x, seen.width)
	r.down.set(r.prepare.Filter, height, h, seen.y, seen.height)
	last := seen.height - 1
	r.top = int(r.down.first[0])
	r.rows = int(r.down.first[last]+r.down.count[last]) - r.top
	if r.sameH {
		r.top, r.rows = seen.y, seen.height
	}
	r.between = slices.Grow(r.between[:0], 3*r.rows*seen.width)[:3*r.rows*seen.width]
}

func (r *Resizer) resize(dst, pixels []byte) {
	stride := 3 * r.width
	for y := range r.rows {
		src := pixels[(r.top+y)*stride : (r.top+y+1)*stride]
		out := r.between[3*y*r.seen.width : 3*(y+1)*r.seen.width]
		if r.sameW {
			copy(out, src[3*r.seen.x:])
			continue
		}
		r.across.row(out, src)
	}
	if r.sameH {
		copy(dst, r.between)
		return
	}
	r.down.columns(dst, r.between, 3*r.seen.width, r.top)
}

// row resizes one row.
func (t *taps) row(dst, src []byte) {
	for i := range t.first {
		weights := t.weights[i*t.most : i*t.most+int(t.count[i])]
		in := src[3*t.first[i] : 3*(t.first[i]+t.count[i])]
		red, green, blue := int32(half), int32(half), int32(half)
		for x, w := range weights {
			px := in[3*x : 3*x+3 : 3*x+3]
			red += int32(px[0]) * w
			green += int32(px[1]) * w
			blue += int32(px[2]) * w
		}
		out := dst[3*i : 3*i+3 : 3*i+3]
		out[0], out[1], out[2] = clip(red), clip(green), clip(blue)
	}
}

// columns resizes down the columns; the rows of src begin with row top of the
// picture.
func (t *taps) columns(dst, src []byte, stride, top int) {
	for i := range t.first {
		weights := t.weights[i*t.most : i*t.most+int(t.count[i])]
		in := src[(int(t.first[i])-top)*stride:]
		out := dst[i*stride : (i+1)*stride]
		for x := range out {
			sum, at := int32(half), x
			for _, w := range weights {
				sum += int32(in[at]) * w
				at += stride
			}
			out[x] = clip(sum)
		}
	}
}
