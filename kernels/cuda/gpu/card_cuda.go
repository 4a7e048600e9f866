//go:build cuda

package gpu

// #include "calls.h"
import "C"

import (
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/kuai-robot/kuai/kernels/cuda"
)

// card is an open GPU.
type card struct {
	Card
	options   Options
	context   cu.CUContext
	functions map[string]cu.Function
	weights   cuda.Packed
}

// Packed are the weights on the card, of all backends of this process.
func (g *card) Packed() *cuda.Packed { return &g.weights }

// ctx and function give the handles of C: package cu keeps them in structs of one
// field that have no accessor.
func (g *card) ctx() C.CUcontext                      { return *(*C.CUcontext)(unsafe.Pointer(&g.context)) }
func function(f cu.Function) C.CUfunction             { return *(*C.CUfunction)(unsafe.Pointer(&f)) }
func streamOf(s *cu.Stream) C.CUstream                { return *(*C.CUstream)(unsafe.Pointer(s)) }
func (g *card) failure(what string, code C.int) error { return failure(g.Card, what, int(code)) }

// explain turns an error of package cu, a number of a type of its own, into one of ours.
func (g *card) explain(what string, err error) error {
	if number := reflect.ValueOf(err); number.Kind() == reflect.Int {
		return failure(g.Card, what, int(number.Int()))
	}
	return fmt.Errorf("%s: %s: %w", g.Name, what, err)
}

// Device describes the card to the planner.
func (g *card) Device() cuda.Device {
	return cuda.Device{Name: g.Name, Capability: g.Capability, SMs: g.SMs, Memory: g.Memory, Shared: g.Shared}
}

func (g *card) Alloc(bytes int) (cuda.Ptr, error) {
	var p C.CUdeviceptr
	err := g.failure(strconv.Itoa(bytes)+" bytes", C.kuai_alloc(g.ctx(), C.size_t(bytes), &p))
	return cuda.Ptr(p), err
}

func (g *card) Free(p cuda.Ptr) { C.kuai_free(g.ctx(), C.CUdeviceptr(p)) }

func (g *card) Upload(to cuda.Ptr, from []byte) error {
	if len(from) == 0 {
		return nil
	}
	err := g.failure("copy to the card", C.kuai_upload(g.ctx(), C.CUdeviceptr(to), unsafe.Pointer(&from[0]), C.size_t(len(from))))
	runtime.KeepAlive(from)
	return err
}

func (g *card) Download(to []byte, from cuda.Ptr) error {
	if len(to) == 0 {
		return nil
	}
	return g.failure("copy from the card", C.kuai_download(g.ctx(), unsafe.Pointer(&to[0]), C.CUdeviceptr(from), C.size_t(len(to))))
}

func (g *card) Copy(to, from cuda.Ptr, bytes int) error {
	return g.failure("copy on the card", C.kuai_copy(g.ctx(), C.CUdeviceptr(to), C.CUdeviceptr(from), C.size_t(bytes)))
}

// HostAlloc gives pinned memory; on a card that shares the host's memory the card
// reads and writes it in place.
func (g *card) HostAlloc(bytes int) ([]byte, cuda.Ptr, error) {
	var host unsafe.Pointer
	var device C.CUdeviceptr
	if err := g.failure(fmt.Sprintf("%d bytes of pinned memory", bytes), C.kuai_host_alloc(g.ctx(), C.size_t(max(1, bytes)), &host, &device)); err != nil {
		return nil, 0, err
	}
	if !g.Unified {
		device = 0
	}
	b := unsafe.Slice((*byte)(host), max(1, bytes))[:bytes]
	clear(b) // an input that nobody fills is zero
	return b, cuda.Ptr(device), nil
}

func (g *card) HostFree(b []byte) { C.kuai_host_free(g.ctx(), unsafe.Pointer(unsafe.SliceData(b))) }

func (g *card) Close() error { return nil } // the primary context goes with the process
