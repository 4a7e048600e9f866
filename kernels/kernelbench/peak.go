package kernelbench

// #cgo CFLAGS: -std=gnu11 -O3 -Wall -Wextra
// #include "peak.h"
import "C"

import (
	"math"
	"sync"
	"time"
	"unsafe"

	"github.com/kuai-robot/kuai/kernels"
)

// peaks is the most that so many threads reach together: multiplications of
// each precision in registers, in GFLOP/s (0 where the processor has no
// instruction for them), and reading memory and copying what is in a cache, in
// GB/s of bytes read and written.
type peaks struct {
	flops          map[kernels.Precision]float64
	memory, cached float64
}

// of is the peak that bounds a benchmark.
func (p *peaks) of(b *benchmark) float64 {
	switch {
	case b.flops > 0:
		return p.flops[b.multiplies]
	case b.cached:
		return p.cached
	}
	return p.memory
}

// rounds of a measurement of multiplications: some milliseconds. readBytes is
// more than the last cache of a processor holds.
const (
	rounds    = 2 << 20
	readBytes = 256 << 20
)

func measurePeaks(threads int, now func() time.Duration) peaks {
	p := peaks{flops: map[kernels.Precision]float64{}}
	kinds := map[kernels.Precision]C.int32_t{kernels.Float32: C.KB_F32, kernels.BFloat16: C.KB_BF16, kernels.Int8: C.KB_I8}
	for precision, kind := range kinds {
		var done C.int64_t
		seconds := together(threads, now, func(thread int) {
			var sink C.float
			if n := C.kb_multiply(kind, rounds, &sink); thread == 0 {
				done = n
			}
		})
		p.flops[precision] = float64(done) * float64(threads) / seconds / 1e9
	}
	// A vector must not cross lines: the first bytes are left out.
	memory := make([]byte, readBytes+64)
	for i := 0; i < len(memory); i += 4096 {
		memory[i] = 1 // a page that was never written is not memory yet
	}
	skip := -uintptr(unsafe.Pointer(&memory[0])) % 64
	part := readBytes / threads / 256 * 256
	p.memory = float64(part*threads) / 1e9 / together(threads, now, func(thread int) {
		C.kb_read((*C.uint64_t)(unsafe.Pointer(&memory[int(skip)+thread*part])), C.int64_t(part))
	})
	p.cached = copyRate(threads, now)
	return p
}

// copyRate copies as many numbers as the operators of elementwise see.
func copyRate(threads int, now func() time.Duration) float64 {
	const times = 100
	from, to := make([]float32, elementRows*elementCols), make([]float32, elementRows*elementCols)
	part := len(from) / threads
	seconds := together(threads, now, func(thread int) {
		for range times {
			copy(to[thread*part:(thread+1)*part], from[thread*part:])
		}
	})
	return 2 * 4 * times * float64(part*threads) / seconds / 1e9
}

// together gives the seconds that the fastest of several repetitions takes on
// all threads.
func together(threads int, now func() time.Duration, work func(thread int)) float64 {
	best := math.Inf(1)
	for range repetitions {
		var group sync.WaitGroup
		start := now()
		for t := range threads {
			group.Go(func() { work(t) })
		}
		group.Wait()
		best = min(best, (now() - start).Seconds())
	}
	return best
}
