package roofline

import (
	"time"

	"github.com/kuai-robot/kuai/kernels/cuda"
)

// Forward sums the launches of a run.
type Forward struct {
	Launches          int
	Bytes, Operations float64
	Time              time.Duration // roofline and launches
	// Tiled is that with the tiles that products take, Wide with tiles of 128 by 128.
	Tiled, Wide time.Duration
}

// Sum predicts a run on the card.
func (c Card) Sum(launches []cuda.Command) Forward {
	f := Forward{Launches: len(launches)}
	for _, l := range launches {
		f.Bytes += l.Cost.Bytes
		f.Operations += l.Cost.Operations
		f.Time += c.Time(l.Cost) + c.Launch
		f.Tiled += c.TileTime(l.Cost, l.Cost.Tile) + c.Launch
		f.Wide += c.TileTime(l.Cost, l.Cost.Wide) + c.Launch
	}
	return f
}

// ByKernel sums launches by their kernel, with the widest shared memory.
func (c Card) ByKernel(launches []cuda.Command) map[string]KernelSum {
	out := map[string]KernelSum{}
	for _, l := range launches {
		k := out[l.Kernel]
		k.Launches++
		k.Bytes += l.Cost.Bytes
		k.Operations += l.Cost.Operations
		k.Time += c.Time(l.Cost)
		k.Shared = max(k.Shared, l.Shared)
		out[l.Kernel] = k
	}
	return out
}

// KernelSum is what one kernel does in some runs.
type KernelSum struct {
	Launches, Shared  int
	Bytes, Operations float64
	Time              time.Duration
}
