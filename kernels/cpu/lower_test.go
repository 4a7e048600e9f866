package cpu

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/kerneltest"
)

// Buffers that live at the same time never overlap, whatever the graph, and all
// lie within the arena.
func TestArena(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := kerneltest.Draw(t)
		l, err := lower(g, kernels.Options{Precision: kernels.Precision(rapid.IntRange(0, 3).Draw(t, "precision"))}, false)
		if err != nil {
			t.Fatal(err)
		}
		block := l.Arena(align)
		for i, a := range block.Spans {
			to := a.At + l.Bytes[a.Root]
			if a.At%align != 0 || to > block.Size {
				t.Fatalf("value %d lies at %d to %d of %d", a.Root, a.At, to, block.Size)
			}
			for _, b := range block.Spans[:i] {
				end := b.At + l.Bytes[b.Root]
				if a.First <= b.Last && b.First <= a.Last && a.At < end && b.At < to {
					t.Fatalf("values %d (steps %d to %d, bytes %d to %d) and %d (%d to %d, %d to %d) overlap",
						a.Root, a.First, a.Last, a.At, to, b.Root, b.First, b.Last, b.At, end)
				}
			}
		}
	})
}

// Any graph gives what ref gives, whatever was fused and wherever it lies.
func TestDrawnGraphs(t *testing.T) { kerneltest.RunDrawn(t, New(Options{Threads: 2})) }
