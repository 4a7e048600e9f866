//go:build cuda

package gpu

// #cgo LDFLAGS: -Wl,--no-as-needed -ldl
// #include "calls.h"
import "C"

import (
	"fmt"
	"io/fs"
	"runtime"
	"sync"

	"gorgonia.org/cu"

	"github.com/kuai-robot/kuai/kernels/cuda"
)

// Built says whether this binary can use a GPU.
const Built = true

// Look says what the machine has.
func Look() (Facts, error) {
	f := Facts{Status: int(C.kuai_cuda_status())}
	if f.Status != 0 {
		return f, nil
	}
	f.Version = cu.Version()
	n, err := cu.NumDevices()
	if err != nil {
		return f, fmt.Errorf("cuda: counting devices: %w", err)
	}
	for i := range n {
		card, err := lookAt(i)
		if err != nil {
			return f, fmt.Errorf("cuda: device %d: %w", i, err)
		}
		f.Cards = append(f.Cards, card)
	}
	return f, nil
}

func lookAt(i int) (c Card, err error) {
	d, err := cu.GetDevice(i)
	if err != nil {
		return c, err
	}
	if c.Name, err = d.Name(); err != nil {
		return c, err
	}
	if c.Memory, err = d.TotalMem(); err != nil {
		return c, err
	}
	var major, minor, unified, mode int
	for _, a := range []struct {
		attribute cu.DeviceAttribute
		to        *int
	}{
		{cu.ComputeCapabilityMajor, &major}, {cu.ComputeCapabilityMinor, &minor}, {cu.MultiprocessorCount, &c.SMs},
		{sharedPerBlock, &c.Shared}, {cu.Integrated, &unified}, {cu.ComputeMode, &mode},
		{cu.ClockRate, &c.ClockKHz}, {cu.MemoryClockRate, &c.MemoryKHz}, {cu.GlobalMemoryBusWidth, &c.BusBits},
	} {
		if *a.to, err = d.Attribute(a.attribute); err != nil {
			return c, err
		}
	}
	c.Capability, c.Unified = 10*major+minor, unified == 1
	c.Prohibited, c.Exclusive = mode == 2, mode == 1 || mode == 3
	return c, nil
}

// opened are the cards of this process, which has one context on each whoever asks:
// kernels are compiled and weights are packed once.
var opened = struct {
	sync.Mutex
	cards map[Options]*card
}{cards: map[Options]*card{}}

// Open starts the first card that can be used and compiles the kernels for it, or
// gives the one that was started before.
func Open(o Options) (cuda.Driver, error) {
	opened.Lock()
	defer opened.Unlock()
	if g := opened.cards[o]; g != nil {
		return g, nil
	}
	g, err := start(o)
	if err != nil {
		return nil, err
	}
	opened.cards[o] = g
	return g, nil
}

func start(o Options) (*card, error) {
	facts, err := Look()
	if err != nil {
		return nil, err
	}
	index, err := facts.choose()
	if err != nil {
		return nil, err
	}
	g := &card{Card: facts.Cards[index], options: o, functions: map[string]cu.Function{}}
	device, err := cu.GetDevice(index)
	if err != nil {
		return nil, g.explain("opening", err)
	}
	runtime.LockOSThread() // the context is that of the thread
	defer runtime.UnlockOSThread()
	if g.context, err = device.RetainPrimaryCtx(); err != nil {
		return nil, g.explain("opening", err)
	}
	if err := cu.SetCurrentContext(g.context); err != nil {
		return nil, g.explain("opening", err)
	}
	if err := g.load(); err != nil {
		return nil, err
	}
	return g, nil
}

// load compiles the PTX of every kernel.
func (g *card) load() error {
	known, err := cuda.Kernels()
	if err != nil {
		return err
	}
	modules := map[string]cu.Module{}
	for name, k := range known {
		module, ok := modules[k.File]
		if !ok {
			ptx, err := fs.ReadFile(cuda.PTX(), k.File)
			if err != nil {
				return err
			}
			if module, err = cu.LoadData(string(ptx)); err != nil {
				return g.explain("kernels of "+k.File, err)
			}
			modules[k.File] = module
		}
		f, err := module.Function(name)
		if err != nil {
			return g.explain("kernel "+name, err)
		}
		if err := g.failure("shared memory of "+name, C.kuai_allow_shared(g.ctx(), function(f), C.int(g.Shared-k.SharedBytes()))); err != nil {
			return err
		}
		g.functions[name] = f
	}
	return nil
}

// sharedPerBlock is CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, which
// package cu does not name.
const sharedPerBlock = cu.DeviceAttribute(97)
