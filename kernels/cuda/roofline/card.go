package roofline

import (
	"time"

	"github.com/kuai-robot/kuai/kernels/cuda"
)

// Card is a GPU with the rates of its data sheet: dense, without sparsity.
type Card struct {
	Name                   string
	Key                    string // for names of figures
	Capability, SMs        int
	Float32, Half, Int8    float64 // operations a second
	Bandwidth              float64 // bytes a second
	Shared                 float64 // bytes a second between shared memory and threads: 128 a clock of each SM
	Launch                 time.Duration
	Warps, Blocks          int // of a multiprocessor, at most
	Registers, SharedBytes int // of a multiprocessor
}

// Cards are those that figures are given for. Sources: NVIDIA Jetson Orin Nano 8GB
// and AGX Orin 64GB module data sheets (half of the sparse rates), H100 SXM data
// sheet; the limits of a multiprocessor are those of the CUDA C programming guide
// for compute capability 8.7 and 9.0.
var Cards = []Card{
	{"Orin Nano 8GB", "orin_nano", 87, 8, 1.28e12, 10e12, 20e12, 68e9, 8 * 128 * 0.625e9, 3 * time.Microsecond, 48, 16, 65536, 164 << 10},
	{"AGX Orin 64GB", "agx_orin", 87, 16, 5.3e12, 42.5e12, 85e12, 204.8e9, 16 * 128 * 1.3e9, 2 * time.Microsecond, 48, 16, 65536, 164 << 10},
	{"H100 SXM", "h100", 90, 132, 67e12, 989e12, 1979e12, 3.35e12, 132 * 128 * 1.83e9, time.Microsecond, 64, 32, 65536, 228 << 10},
}

// Device is the card as a planner sees it, without memory.
func (c Card) Device() cuda.Device {
	return cuda.Device{Name: c.Name, Capability: c.Capability, SMs: c.SMs, Memory: 8 << 30, Shared: c.SharedBytes - 1024, Paper: true}
}

// Usage is what ptxas says of a kernel for the card.
func (c Card) Usage(k cuda.Kernel) cuda.Usage {
	if c.Capability >= 90 {
		return k.SM90
	}
	return k.SM87
}

// Occupancy is the share of the warps of a multiprocessor that can be there at
// once, and what keeps more away. shared is what a launch asks for beside what the
// kernel declares. (CUDA occupancy calculator: registers are given to a warp in
// units of 256, shared memory to a block with 1 KiB for the system.)
func (c Card) Occupancy(k cuda.Kernel, shared int) (share float64, limit string) {
	usage, warps := c.Usage(k), (k.Threads+31)/32
	perWarp := (usage.Registers*32 + 255) / 256 * 256
	blocks, limit := c.Blocks, "blocks"
	for _, l := range []struct {
		blocks int
		what   string
	}{
		{c.Warps / warps, "threads"},
		{c.Registers / perWarp / warps, "registers"},
		{c.SharedBytes / ((usage.Shared+shared+127)/128*128 + 1024), "shared memory"},
	} {
		if l.blocks < blocks {
			blocks, limit = l.blocks, l.what
		}
	}
	return float64(blocks*warps) / float64(c.Warps), limit
}

// Time is the least that a launch takes.
func (c Card) Time(cost cuda.Cost) time.Duration {
	return time.Duration(max(cost.Bytes/c.Bandwidth, cost.Operations/c.rate(cost.Units)) * 1e9)
}

func (c Card) rate(u cuda.Units) float64 {
	return map[cuda.Units]float64{cuda.CUDACores: c.Float32, cuda.TensorHalf: c.Half, cuda.TensorInt8: c.Int8}[u]
}

// TileTime is the least that a launch takes when it works in whole tiles and shared
// memory bounds it too.
func (c Card) TileTime(cost cuda.Cost, t cuda.TileCost) time.Duration {
	return max(c.Time(cost), time.Duration(max(t.Operations/c.rate(cost.Units), t.Shared/c.Shared)*1e9))
}

// Rates are what a driver says of a card.
type Rates struct {
	Name                         string
	Capability, SMs, SharedBytes int
	ClockKHz, MemoryKHz, BusBits int
}

// Of makes a card of what its driver says: a table card where the name is known,
// otherwise from clocks and the operations that a multiprocessor of its generation
// does in one of them (CUDA C programming guide, arithmetic throughput).
func Of(r Rates) Card {
	for _, c := range Cards {
		if r.Capability == c.Capability && r.SMs == c.SMs {
			return c
		}
	}
	clock := float64(r.SMs) * float64(r.ClockKHz) * 1e3
	c := Card{
		Name: r.Name, Key: "gpu", Capability: r.Capability, SMs: r.SMs, Float32: 256 * clock, Half: 1024 * clock,
		Bandwidth: 2 * float64(r.MemoryKHz) * 1e3 * float64(r.BusBits) / 8, Shared: 128 * clock, Launch: 2 * time.Microsecond,
		Warps: 48, Blocks: 16, Registers: 65536, SharedBytes: r.SharedBytes + 1024,
	}
	switch {
	case r.Capability == 80:
		c.Float32, c.Half, c.Warps, c.Blocks = 128*clock, 2048*clock, 64, 32
	case r.Capability >= 90:
		c.Half, c.Warps, c.Blocks = 4096*clock, 64, 32
	}
	c.Int8 = 2 * c.Half
	return c
}
