package audio

/*
#cgo pkg-config: libswresample libavutil
#include "convert.h"
*/
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// Resample gives a whole clip at another rate, without what the lower rate
// cannot hold. Rates are those that readers of files allow.
func Resample(samples []float32, from, to int) []float32 {
	if from == to || len(samples) == 0 {
		return samples
	}
	r, err := NewResampler(from, to)
	if err != nil {
		panic(err) // the readers check rates, and memory is not an error in Go
	}
	defer r.Close()
	want := (len(samples)*to + from - 1) / from
	out := append(make([]float32, 0, want), r.Add(samples)...)
	out = append(out, r.Rest()...)
	for len(out) < want { // the last sample may lie beyond the last of the input
		out = append(out, 0)
	}
	return out[:want]
}

// Resampler changes the rate of a stream. It belongs to one goroutine at a time.
type Resampler struct {
	from, to int
	convert  *C.kuai_convert
	out      []float32
}

// NewResampler converts from one rate to another, in Hz.
func NewResampler(from, to int) (*Resampler, error) {
	for _, rate := range []int{from, to} {
		if rate < minRate || rate > maxRate {
			return nil, fmt.Errorf("resample: %d Hz, want %d to %d", rate, minRate, maxRate)
		}
	}
	r := &Resampler{from: from, to: to}
	if from == to {
		return r, nil
	}
	if r.convert = C.kuai_convert_open(C.int(from), C.int(to)); r.convert == nil {
		return nil, fmt.Errorf("resample: libswresample cannot turn %d Hz into %d Hz", from, to)
	}
	// Whoever drops a microphone need not know that C memory hangs on it.
	runtime.SetFinalizer(r, (*Resampler).Close)
	return r, nil
}

// Add gives what comes out as samples go in; valid until the next call. It
// lags behind by Delay.
func (r *Resampler) Add(samples []float32) []float32 {
	if r.convert == nil || len(samples) == 0 {
		return samples
	}
	return r.run((*C.float)(unsafe.Pointer(&samples[0])), len(samples))
}

// Rest gives what is left once nothing more goes in.
func (r *Resampler) Rest() []float32 {
	if r.convert == nil {
		return nil
	}
	return r.run(nil, 0)
}

func (r *Resampler) run(in *C.float, n int) []float32 {
	room := int(C.kuai_convert_room(r.convert, C.int(n))) + 1
	if cap(r.out) < room {
		r.out = make([]float32, room)
	}
	r.out = r.out[:cap(r.out)]
	got := int(C.kuai_convert_run(r.convert, (*C.float)(unsafe.Pointer(&r.out[0])), C.int(len(r.out)), in, C.int(n)))
	return r.out[:max(got, 0)]
}

// Delay is how many samples of the input have not come out yet.
func (r *Resampler) Delay() int {
	if r.convert == nil {
		return 0
	}
	return int(C.kuai_convert_delay(r.convert, C.int64_t(r.from)))
}

// Close frees the memory.
func (r *Resampler) Close() {
	if r.convert != nil {
		C.kuai_convert_close(r.convert)
		r.convert = nil
		runtime.SetFinalizer(r, nil)
	}
}
