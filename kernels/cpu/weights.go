package cpu

// #include "kc.h"
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

// packKey tells the packed forms of one weight apart.
type packKey = plan.Key

// packed is a weight in C memory, shared by the executables that use it.
type packed struct {
	c     *C.kc_packed
	bytes int64
	users int
}

// formOf is how a product packs w: KC_PACK_…
func formOf(w *kernels.Weight, p kernels.Precision, windows, halves bool) plan.Form {
	if p == kernels.BFloat16 && halves {
		return C.KC_PACK_HALF
	}
	return storedForm(plan.Kind(w, p, windows))
}

// storedForm is the form that keeps what the type holds.
func storedForm(t kernels.DType) plan.Form {
	switch t {
	case kernels.F16:
		return C.KC_PACK_F16
	case kernels.BF16:
		return C.KC_PACK_BF16
	case kernels.I8:
		return C.KC_PACK_I8
	case kernels.Q4_0:
		return C.KC_PACK_Q4_0
	case kernels.Q4_1:
		return C.KC_PACK_Q4_1
	case kernels.Q8_0:
		return C.KC_PACK_Q8_0
	case kernels.Q4_K:
		return C.KC_PACK_Q4_K
	case kernels.Q6_K:
		return C.KC_PACK_Q6_K
	}
	return C.KC_PACK_F32
}

// formatOf is how rows are prepared for a packed form.
func formatOf(form plan.Form) C.int32_t {
	switch form {
	case C.KC_PACK_F32, C.KC_PACK_F16:
		return C.KC_X_F32
	case C.KC_PACK_BF16:
		return C.KC_X_BF16
	case C.KC_PACK_HALF:
		return C.KC_X_HALF
	case C.KC_PACK_I8:
		return C.KC_X_I8_ROW
	}
	return C.KC_X_I8_BLOCK
}

// pack gives the packed form of a weight, made now or before.
func (e *executable) pack(key packKey) (*C.kc_packed, error) {
	b := e.backend
	b.mu.Lock()
	defer b.mu.Unlock()
	id := key.ID()
	p := b.packed[id]
	if p == nil {
		c, size, err := newPacked(key)
		if err != nil {
			return nil, err
		}
		p = &packed{c: c, bytes: size}
		b.packed[id] = p
	}
	p.users++
	e.used = append(e.used, id)
	return p.c, nil
}

func newPacked(key packKey) (c *C.kc_packed, bytes int64, err error) {
	w := key.Weight
	c = (*C.kc_packed)(C.kc_alloc(C.size_t(unsafe.Sizeof(C.kc_packed{}))))
	if c == nil {
		return nil, 0, noMemory("weight "+w.Name, 0)
	}
	c.kind, c.outputs, c.inputs = C.int32_t(key.Form), C.int32_t(w.Rows()), C.int32_t(w.Cols())
	bytes = int64(C.kc_packed_bytes(c))
	c.data = (*C.uint8_t)(C.kc_alloc(C.size_t(bytes)))
	scaled := key.Form == C.KC_PACK_I8 || key.Form == C.KC_PACK_HALF
	if scaled {
		c.scale = (*C.float)(C.kc_alloc(C.size_t(4 * (w.Rows() + C.KC_PANEL))))
	}
	if c.data == nil || scaled && c.scale == nil {
		freePacked(c)
		return nil, 0, noMemory("weight "+w.Name, bytes)
	}
	if key.Form == storedForm(w.Type) && w.Type != kernels.F32 {
		packStored(c, key)
	} else {
		packFloats(c, key)
	}
	return c, bytes, nil
}

// packStored packs the bytes of the file.
func packStored(c *C.kc_packed, key packKey) {
	w := key.Weight
	size, _ := w.Type.RowBytes(w.Cols())
	row, spare := make([]byte, size), make([]byte, size)
	for r := range w.Rows() {
		copy(row, w.Data[r*size:])
		if key.Windows {
			reorder(row, spare, w, size/w.Cols())
		}
		C.kc_pack_stored(c, C.int32_t(r), (*C.uint8_t)(&row[0]))
		rowPacked(w, r)
	}
	if w.Type == kernels.I8 {
		copy(unsafe.Slice((*float32)(c.scale), w.Rows()), w.Scales)
	}
}

// packFloats packs decoded numbers, rounded where the form asks for it.
func packFloats(c *C.kc_packed, key packKey) {
	w := key.Weight
	row, spare := make([]float32, w.Cols()), make([]float32, w.Cols())
	for r := range w.Rows() {
		w.Row(row, r)
		if key.Windows {
			reorder(row, spare, w, 1)
		}
		C.kc_pack_floats(c, C.int32_t(r), (*C.float)(&row[0]))
		rowPacked(w, r)
	}
}

// rowPacked tells the weight's owner about every few megabytes, and the end.
func rowPacked(w *kernels.Weight, r int) {
	const some = 2 << 20
	if w.Packed == nil {
		return
	}
	if every := max(1, some*w.Rows()/max(1, len(w.Data))); (r+1)%every == 0 || r == w.Rows()-1 {
		w.Packed()
	}
}

// reorder turns a row [channels, places] into [places, channels]; size is the
// elements of T in one number, from is memory of the same length.
func reorder[T byte | float32](row, from []T, w *kernels.Weight, size int) {
	channels := w.Shape[1]
	places := w.Cols() / channels
	copy(from, row)
	for p := range places {
		for c := range channels {
			copy(row[(p*channels+c)*size:][:size], from[(c*places+p)*size:])
		}
	}
}

func freePacked(c *C.kc_packed) {
	C.kc_free(unsafe.Pointer(c.data))
	C.kc_free(unsafe.Pointer(c.scale))
	C.kc_free(unsafe.Pointer(c))
}

// release gives back what pack gave.
func (b *Backend) release(ids []plan.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		p := b.packed[id]
		if p.users--; p.users == 0 {
			freePacked(p.c)
			delete(b.packed, id)
		}
	}
}

func noMemory(what string, bytes int64) error {
	return fmt.Errorf("%s: no memory for %d bytes (close other programs, or use a smaller model)", what, bytes)
}
