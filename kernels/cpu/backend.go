package cpu

// #cgo CFLAGS: -std=gnu11 -O3 -Wall -Wextra -Werror
// #cgo LDFLAGS: -lm -lpthread
// #include "kc.h"
import "C"

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

// Level is the instruction set that kernels use.
type Level int

// Levels, from what every processor has to the best.
const (
	Best Level = iota // what this processor has
	Base
	AVX2
	AVX512
	AVX512BF16
	DotProd // of arm64, with arithmetic in f16
	I8MM    // of arm64, with BF16
)

func (l Level) String() string {
	return [...]string{"best", "base", "AVX2", "AVX-512", "AVX-512 BF16", "NEON DotProd", "NEON I8MM BF16"}[l]
}

// Options of New.
type Options struct {
	// Threads that a Run uses, the caller's included; 0 means as many as the
	// process may use at once.
	Threads int
	// Level limits the instruction set; a level that the processor does not
	// have means the best below it.
	Level Level
}

// Backend compiles for the processor and owns the packed weights and worker
// threads. The threads end some time after the last use of it.
type Backend struct {
	level   C.int32_t
	threads int
	pool    *C.kc_pool

	mu     sync.Mutex
	packed map[plan.ID]*packed
	// sessions is how many bytes the sessions of all programs hold.
	sessions *atomic.Int64
}

// New starts the worker threads; with too few resources for them it computes on
// the caller's thread.
func New(o Options) kernels.Backend {
	b := &Backend{threads: o.Threads, level: C.kc_best_level(C.KC_LEVELS), packed: map[plan.ID]*packed{}, sessions: new(atomic.Int64)}
	if o.Level != Best {
		b.level = C.kc_best_level(C.int32_t(o.Level - Base))
	}
	if b.threads <= 0 {
		b.threads = runtime.GOMAXPROCS(0)
	}
	if b.threads > 1 {
		b.pool = C.kc_pool_new(C.int32_t(b.threads))
	}
	if b.pool == nil {
		b.threads = 1
		return b
	}
	runtime.AddCleanup(b, func(pool *C.kc_pool) { C.kc_pool_free(pool) }, b.pool)
	return b
}

// Name is "cpu".
func (b *Backend) Name() string { return "cpu" }

// Level is the instruction set in use.
func (b *Backend) Level() Level { return Level(b.level) + Base }

// Held gives the bytes that packed weights and the memory of sessions take now.
// Safe from any goroutine.
func (b *Backend) Held() (weights, sessions int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.packed {
		weights += p.bytes
	}
	return weights, b.sessions.Load()
}

// Build compiles the graph and packs its weights.
func (b *Backend) Build(g *kernels.Graph, options kernels.Options) (kernels.Executable, error) {
	e := &executable{backend: b, graph: g}
	if err := e.build(options); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *executable) build(options kernels.Options) error {
	l, err := lower(e.graph, options, C.kc_halves(e.backend.level) != 0)
	if err != nil {
		return err
	}
	e.lay(l)
	return e.emit(l)
}
