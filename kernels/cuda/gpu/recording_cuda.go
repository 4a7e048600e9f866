//go:build cuda

package gpu

// #include <stdlib.h>
// #include "calls.h"
// #cgo noescape kuai_run
// #cgo nocallback kuai_run
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/kuai-robot/kuai/kernels/cuda"
)

// recording is a captured graph, or, when stepping, its commands.
type recording struct {
	card     *card
	stream   cu.Stream
	graph    C.CUgraphExec
	commands []cuda.Command
	list     []C.kuai_command // params in C memory
}

// program is the graph that is run, for errors that come too late to name an operator.
func (r *recording) program() string {
	for _, c := range r.commands {
		if graph, _, ok := strings.Cut(c.Op, ": "); ok {
			return "running graph " + graph
		}
	}
	return "running a program"
}

// Record captures commands into a graph.
func (g *card) Record(commands []cuda.Command) (cuda.Recording, error) {
	r := &recording{card: g, commands: commands}
	if err := r.makeStream(); err != nil {
		return nil, err
	}
	for _, c := range commands {
		translated, err := g.translate(c)
		if err != nil {
			r.Close()
			return nil, err
		}
		r.list = append(r.list, translated)
	}
	if g.options.Step || len(r.list) == 0 {
		return r, nil
	}
	var failed C.int
	var pins runtime.Pinner
	defer pins.Unpin()
	pins.Pin(&r.list[0])
	code := C.kuai_capture(g.ctx(), streamOf(&r.stream), &r.list[0], C.int(len(r.list)), &r.graph, &failed)
	if code != 0 {
		what := "capturing a program"
		if failed >= 0 {
			what = commands[failed].Op
		}
		r.Close()
		return nil, g.failure(what, code)
	}
	return r, nil
}

func (r *recording) makeStream() (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err = cu.SetCurrentContext(r.card.context); err == nil {
		r.stream, err = cu.MakeStream(cu.NonBlocking)
	}
	if err != nil {
		return r.card.explain("making a stream", err)
	}
	return nil
}

func (g *card) translate(c cuda.Command) (C.kuai_command, error) {
	out := C.kuai_command{action: C.int(c.Action), at: C.CUdeviceptr(c.At), bytes: C.size_t(c.Bytes), host: unsafe.Pointer(unsafe.SliceData(c.Host))}
	if c.Action != cuda.Launch {
		return out, nil
	}
	f, ok := g.functions[c.Kernel]
	if !ok {
		return out, fmt.Errorf("%s: no kernel %s", c.Op, c.Kernel)
	}
	out.function, out.block, out.shared = function(f), C.uint(c.Block), C.uint(c.Shared)
	for i, n := range c.Grid {
		out.grid[i] = C.uint(n)
	}
	out.params = C.CBytes(c.Params)
	return out, nil
}

// Run launches the graph and waits for it.
func (r *recording) Run() error {
	if r.graph == nil {
		return r.step()
	}
	if code := C.kuai_run(r.card.ctx(), streamOf(&r.stream), r.graph); code != 0 {
		return r.card.failure(r.program(), code)
	}
	return nil
}

// step waits after each command, so that an error has a name.
func (r *recording) step() error {
	for i := range r.list {
		code := C.kuai_issue(r.card.ctx(), streamOf(&r.stream), &r.list[i])
		if code == 0 {
			code = C.kuai_wait(r.card.ctx(), streamOf(&r.stream))
		}
		if code != 0 {
			return r.card.failure(r.commands[i].Op, code)
		}
	}
	return nil
}

// Times measures each launch by itself, in milliseconds.
func (r *recording) Times(times int) ([]float32, error) {
	out := make([]float32, len(r.list))
	for i, c := range r.commands {
		if c.Action != cuda.Launch {
			continue
		}
		var ms C.float
		if code := C.kuai_time(r.card.ctx(), streamOf(&r.stream), &r.list[i], C.int(times), &ms); code != 0 {
			return nil, r.card.failure(c.Op, code)
		}
		out[i] = float32(ms)
	}
	return out, nil
}

func (r *recording) Close() error {
	if r.graph != nil {
		C.kuai_graph_free(r.card.ctx(), r.graph)
		r.graph = nil
	}
	for _, c := range r.list {
		C.free(c.params)
	}
	r.list = nil
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cu.SetCurrentContext(r.card.context); err != nil {
		return r.card.explain("closing a program", err)
	}
	return r.stream.Destroy()
}
