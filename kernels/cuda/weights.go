package cuda

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

// packKey tells the packed forms of one weight apart; its Form is a kernels.DType.
type packKey = plan.Key

// packed is a weight on the device, shared by the executables that use it.
type packed struct {
	c     cMatrix
	bytes int
	users int
}

// Packed are the weights on a device; the zero value has none. Safe for use from many
// goroutines.
type Packed struct {
	mu     sync.Mutex
	packed map[plan.ID]*packed
}

// Held gives the bytes of packed weights on the device.
func (b *Packed) Held() (weights int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.packed {
		weights += int64(p.bytes)
	}
	return weights
}

// isBlocks says whether a kind is packed in blocks of 32 with scales.
func isBlocks(kind kernels.DType) bool { return kind > kernels.I8 }

func padded(inputs int) int { return (inputs + 31) / 32 * 32 }

// planes are a packed weight on the host.
type planes struct{ data, meta, high, scale []byte }

// planeBytes gives the sizes of the planes.
func planeBytes(key packKey) (data, meta, high, scale int) {
	rows, width := key.Weight.Rows(), padded(key.Weight.Cols())
	blocks := width / 32
	switch kernels.DType(key.Form) {
	case kernels.F32:
		return rows * width * 4, 0, 0, 0
	case kernels.F16, kernels.BF16:
		return rows * width * 2, 0, 0, 0
	case kernels.I8:
		return rows * width, 0, 0, rows * 4
	case kernels.Q4_0:
		return rows * blocks * 16, rows * blocks * 2, 0, 0
	case kernels.Q4_1:
		return rows * blocks * 16, rows * blocks * 4, 0, 0
	case kernels.Q8_0:
		return rows * blocks * 32, rows * blocks * 2, 0, 0
	case kernels.Q4_K:
		return rows * blocks * 16, rows * blocks / 8 * 16, 0, 0
	}
	return rows * blocks * 16, rows * blocks / 8 * 20, rows * blocks * 8, 0
}

func packedBytes(key packKey) int {
	data, meta, high, scale := planeBytes(key)
	return data + meta + high + scale
}

// pack gives the packed form of a weight, made now or before.
func (e *executable) pack(key packKey) (cMatrix, error) {
	b := e.backend
	b.mu.Lock()
	defer b.mu.Unlock()
	id := key.ID()
	p := b.packed[id]
	if p == nil {
		c, err := b.upload(key)
		if err != nil {
			return cMatrix{}, fmt.Errorf("weight %s %v: %w", key.Weight.Name, key.Weight.Shape, err)
		}
		p = &packed{c: c, bytes: packedBytes(key)}
		if b.packed == nil {
			b.packed = map[plan.ID]*packed{}
		}
		b.packed[id] = p
	}
	p.users++
	e.used = append(e.used, id)
	return p.c, nil
}

// upload packs a weight and copies it to the device.
func (b *Backend) upload(key packKey) (c cMatrix, err error) {
	var p planes
	data, meta, high, scale := planeBytes(key)
	if !b.driver.Device().Paper {
		p = planes{make([]byte, data), make([]byte, meta), make([]byte, high), make([]byte, scale)}
		p.fill(key)
		if key.Weight.Packed != nil {
			key.Weight.Packed()
		}
	}
	for _, part := range []struct {
		to    *Ptr
		bytes []byte
		size  int
	}{{&c.data, p.data, data}, {&c.meta, p.meta, meta}, {&c.high, p.high, high}, {&c.scale, p.scale, scale}} {
		if part.size == 0 {
			continue
		}
		if *part.to, err = b.driver.Alloc(part.size); err == nil {
			err = b.driver.Upload(*part.to, part.bytes)
		}
		if err != nil {
			b.free(c)
			return cMatrix{}, err
		}
	}
	return c, nil
}

func (b *Backend) free(c cMatrix) {
	for _, p := range []Ptr{c.data, c.meta, c.high, c.scale} {
		if p != 0 {
			b.driver.Free(p)
		}
	}
}

// release gives back what pack gave.
func (b *Backend) release(ids []plan.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		p := b.packed[id]
		if p.users--; p.users == 0 {
			b.free(p.c)
			delete(b.packed, id)
		}
	}
}

// fill packs all rows.
func (p *planes) fill(key packKey) {
	w := key.Weight
	switch {
	case isBlocks(kernels.DType(key.Form)):
		size, _ := w.Type.RowBytes(w.Cols())
		_, block := w.Type.Block()
		for at, i := 0, 0; at < size*w.Rows(); at, i = at+block, i+1 {
			p.block(kernels.DType(key.Form), i, w.Data[at:at+block])
		}
	case kernels.DType(key.Form) == kernels.I8 && w.Type == kernels.I8:
		p.bytes(key)
	default:
		p.floats(key)
	}
}

// block parts the i-th block of the file into the planes that product.h tells of.
func (p *planes) block(kind kernels.DType, i int, b []byte) {
	switch kind {
	case kernels.Q4_0:
		copy(p.meta[i*2:], b[:2])
		copy(p.data[i*16:], b[2:18])
	case kernels.Q4_1:
		copy(p.meta[i*4:], b[:4])
		copy(p.data[i*16:], b[4:20])
	case kernels.Q8_0:
		copy(p.meta[i*2:], b[:2])
		copy(p.data[i*32:], b[2:34])
	case kernels.Q4_K:
		copy(p.meta[i*16:], b[:16])
		for g := range 8 {
			shift := g % 2 * 4
			for k := range 16 {
				low, high := b[16+g/2*32+k]>>shift&15, b[16+g/2*32+16+k]>>shift&15
				p.data[(i*8+g)*16+k] = low | high<<4
			}
		}
	case kernels.Q6_K:
		copy(p.meta[i*20:], b[192:210])
		for g := range 8 {
			for k := range 32 {
				q := q6(b, g*32+k)
				p.data[(i*8+g)*16+k%16] |= q & 15 << (k / 16 * 4)
				p.high[(i*8+g)*8+k%8] |= q >> 4 << (k / 8 * 2)
			}
		}
	}
}

// q6 is number i of a Q6_K block, before 32 is taken off.
func q6(b []byte, i int) byte {
	part, at := i/128, i%128
	l, h := b[part*64+at%64], b[128+part*32+at%32]
	if at >= 64 {
		l >>= 4
	}
	return l&15 | h>>(2*(at/32))&3<<4
}

// bytes packs stored 8-bit numbers with their scales.
func (p *planes) bytes(key packKey) {
	w, n, width := key.Weight, key.Weight.Cols(), padded(key.Weight.Cols())
	for r := range w.Rows() {
		row := append([]byte{}, w.Data[r*n:(r+1)*n]...)
		if key.Windows {
			reorder(row, w)
		}
		copy(p.data[r*width:], row)
		binary.LittleEndian.PutUint32(p.scale[4*r:], math.Float32bits(w.Scales[r]))
	}
}

// floats packs decoded numbers, rounded where the form asks for it.
func (p *planes) floats(key packKey) {
	w, width := key.Weight, padded(key.Weight.Cols())
	row := make([]float32, w.Cols())
	for r := range w.Rows() {
		w.Row(row, r)
		if key.Windows {
			reorder(row, w)
		}
		if kernels.DType(key.Form) == kernels.I8 {
			step := stepOf(row)
			binary.LittleEndian.PutUint32(p.scale[4*r:], math.Float32bits(step))
			for i, x := range row {
				p.data[r*width+i] = byte(round8(x, step))
			}
			continue
		}
		for i, x := range row {
			switch at := r*width + i; kernels.DType(key.Form) {
			case kernels.F16:
				binary.LittleEndian.PutUint16(p.data[2*at:], kernels.FloatToHalf(x))
			case kernels.BF16:
				binary.LittleEndian.PutUint16(p.data[2*at:], kernels.FloatToBrain(x))
			default:
				binary.LittleEndian.PutUint32(p.data[4*at:], math.Float32bits(x))
			}
		}
	}
}

// stepOf is one unit of numbers rounded to 8 bits.
func stepOf(row []float32) float32 {
	var most float32
	for _, x := range row {
		most = max(most, float32(math.Abs(float64(x))))
	}
	return most / 127
}

func round8(x, step float32) int8 {
	if step == 0 {
		return 0
	}
	return int8(min(max(math.RoundToEven(float64(x/step)), -127), 127))
}

// reorder turns a row [channels, places] into [places, channels].
func reorder[T byte | float32](row []T, w *kernels.Weight) {
	channels := w.Shape[1]
	places := w.Cols() / channels
	from := append([]T{}, row...)
	for p := range places {
		for c := range channels {
			row[p*channels+c] = from[c*places+p]
		}
	}
}
