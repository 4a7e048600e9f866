package kernelbench

// #cgo CFLAGS: -std=gnu11 -O3 -Wall -Wextra
// #include <stdlib.h>
// #include "peak.h"
import "C"

import (
	"math"
	"sync"
	"sync/atomic"
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

// raise takes from other what is higher.
func (p *peaks) raise(other peaks) {
	for precision, rate := range other.flops {
		p.flops[precision] = max(p.flops[precision], rate)
	}
	p.memory, p.cached = max(p.memory, other.memory), max(p.cached, other.cached)
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
		seconds := together(threads, now, func() {}, func(thread int) {
			var sink C.float
			if n := C.kb_multiply(kind, rounds, &sink); thread == 0 {
				done = n
			}
		})
		p.flops[precision] = float64(done) * float64(threads) / seconds / 1e9
	}
	p.memory, p.cached = readRate(threads, now), copyRate(threads, now)
	return p
}

// readRate reads memory, a part at a time on the thread that is free, as
// products do. Without memory to read it is 0: not known.
func readRate(threads int, now func() time.Duration) float64 {
	const part = 4 << 20
	memory := C.kb_memory(readBytes)
	if memory == nil {
		return 0
	}
	defer C.free(memory)
	var next atomic.Int64
	seconds := together(threads, now, func() { next.Store(0) }, func(int) {
		for at := next.Add(part) - part; at < readBytes; at = next.Add(part) - part {
			C.kb_read((*C.uint64_t)(unsafe.Add(memory, at)), part)
		}
	})
	return readBytes / seconds / 1e9
}

// copyRate copies as many numbers as the operators of elementwise see.
func copyRate(threads int, now func() time.Duration) float64 {
	const times = 100
	from, to := make([]float32, elementRows*elementCols), make([]float32, elementRows*elementCols)
	part := len(from) / threads
	seconds := together(threads, now, func() {}, func(thread int) {
		for range times {
			copy(to[thread*part:(thread+1)*part], from[thread*part:])
		}
	})
	return 2 * 4 * times * float64(part*threads) / seconds / 1e9
}

// together gives the seconds that the fastest of several repetitions takes on
// all threads, each after prepare.
func together(threads int, now func() time.Duration, prepare func(), work func(thread int)) float64 {
	best := math.Inf(1)
	for range repetitions {
		prepare()
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
