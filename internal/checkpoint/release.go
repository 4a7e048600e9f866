package checkpoint

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Release gives the memory of t back to the system; its bytes are read from the
// file again when they are touched. What is read once from end to end, to be
// checked or packed, so takes no memory beside what is made of it. A tensor that
// lies in no mapped file stays. Safe from any goroutine.
func (t *Tensor) Release() {
	if t.mapped == nil || len(t.Data) == 0 {
		return
	}
	page := uintptr(os.Getpagesize())
	start := uintptr(unsafe.Pointer(&t.Data[0]))
	first, end := -start%page, (start+uintptr(len(t.Data)))%page
	if first+end >= uintptr(len(t.Data)) {
		return
	}
	// A wish: where the system does not grant it, the memory stays in use.
	_ = unix.Madvise(t.Data[first:uintptr(len(t.Data))-end], unix.MADV_DONTNEED)
}
